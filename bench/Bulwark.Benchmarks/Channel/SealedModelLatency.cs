using System.Globalization;
using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Networks;
using Bulwark.Worker;

namespace Bulwark.Benchmarks.Channel;

/// <summary>Scoring by a model that came out of a sealed package, beside the same model from its plain file, turn by turn in one run; a second plain one shows what the noise is.</summary>
internal static class SealedModelLatency
{
    private const int Width = 30;

    internal static void Run(double seconds)
    {
        var folder = Directory.CreateTempSubdirectory("bulwark-bench-");
        try
        {
            var (onnx, package) = Make(folder.FullName, out var keys, out var publisher);
            using (keys)
            using (var stream = File.OpenRead(package))
            using (var opened = SealedModel.OpenAsync(stream, keys, [publisher]).GetAwaiter().GetResult())
            using (var fromPackage = WorkerModel.Open("fraud", "1", opened.PackageDigest, opened.File(ModelFolder.OnnxName).Span, null))
            using (var plain = WorkerModel.Open("fraud", "1", default, onnx, null))
            using (var again = WorkerModel.Open("fraud", "1", default, onnx, null))
            {
                foreach (var rows in (int[])[1, 64])
                    Compare(rows, seconds, fromPackage, plain, again);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Compare(int rows, double seconds, params WorkerModel[] models)
    {
        var input = Enumerable.Range(0, rows * Width).Select(i => (float)(i % 100)).ToArray();
        var scores = new float[rows];
        var times = models.Select(_ => new List<double>()).ToArray();
        for (var clock = System.Diagnostics.Stopwatch.StartNew(); clock.Elapsed.TotalSeconds < seconds;)
        {
            for (var turn = 0; turn < 50; turn++)
            {
                for (var i = 0; i < models.Length; i++)
                {
                    var model = models[i];
                    times[i].Add(ThreadClock.Of(() => model.Score(input, rows, scores)));
                }
            }
        }

        var middle = times.Select(list => list.Order().ElementAt(list.Count / 2) * 1e6).ToArray();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"scoring {rows} row(s), p50: sealed model {middle[0]:F2} µs, plain {middle[1]:F2} µs, ratio {middle[0] / middle[1]:F3}; plain to plain {middle[2] / middle[1]:F3} (goal: equal within noise)"));
    }

    private static (byte[] Onnx, string Package) Make(string folder, out KeyRing keys, out VerificationKey publisher)
    {
        keys = KeyRing.Create(Path.Combine(folder, "keyring.json"), KeyRingUnlock.KeyFile(Path.Combine(folder, "keyring.key")));
        keys.CreateSymmetric("sealing");
        keys.CreateSigning("signing");
        publisher = keys.PublicKey("signing");
        var schema = new FeatureSchema { Label = "y", Features = [.. Enumerable.Range(0, Width).Select(i => new Feature { Name = $"f{i}", Kind = FeatureKind.Numeric, Minimum = 0, Maximum = 100 })] };
        var onnx = OnnxModel.Export(schema, DenseNetwork<float>.Create(new NetworkShape(Width, [128, 128], 1), seed: 5));
        var manifest = new ModelManifest { Name = "fraud", Version = "1", Created = DateTimeOffset.UtcNow };
        using var signer = keys.OpenSigner("signing");
        var package = Path.Combine(folder, "fraud.bulwark");
        SealedModel.SealAsync(new ModelFolder(manifest, new Dictionary<string, ReadOnlyMemory<byte>> { [ModelFolder.OnnxName] = onnx }), manifest, keys, "sealing", signer, package).GetAwaiter().GetResult();
        return (onnx, package);
    }
}
