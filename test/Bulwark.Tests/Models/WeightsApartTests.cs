using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Models.Onnx;
using Bulwark.Worker;
using Google.Protobuf;

namespace Bulwark.Tests.Models;

/// <summary>Models whose weights are in a file of their own, of any length: sealed, opened and scored without a plain file.</summary>
public sealed class WeightsApartTests : IDisposable
{
    private const long Rows = 1500;   // 6 MiB: several segments
    private readonly TemporaryFolder _folder = new();
    private readonly Signer _signer = Signer.Generate();

    public void Dispose()
    {
        _signer.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_sealed_model_with_weights_apart_scores_from_memory_as_it_does_with_them_inside()
    {
        using var keys = Keys();
        var package = await SealAsync(keys);
        await using var stream = File.OpenRead(package);
        var verified = await SealedModel.RequireAsync(stream, [_signer.PublicKey], cancel: TestContext.Current.CancellationToken);
        Assert.Equal(["model.onnx", "model.onnx.data"], verified.Manifest.Files.Select(file => file.Name));
        using var dataKey = await DataKeyAsync(package, keys);
        using var opened = await verified.OpenAsync(dataKey, TestContext.Current.CancellationToken);
        Assert.Equal(Rows * LookupModel.BytesPerRow, opened.Weights!.Length);
        var model = WorkerModel.Open("lookup", "1.0.0", opened.PackageDigest, opened.File(ModelFolder.OnnxName).Span, null, opened.Weights);
        opened.Dispose();   // the scorer holds on to the weights
        using (model)
        {
            var scores = new float[3];
            Assert.True(model.Score([0, 7, Rows - 1], 3, scores).Verdict.IsAccepted);
            Assert.Equal([0.5f, LookupModel.Score(2.5f), LookupModel.Score(-1.5f)], scores, (a, b) => MathF.Abs(a - b) < 1e-6f);
            var onnx = await File.ReadAllBytesAsync(LookupModel.Write(_folder.Path, Rows, (7, 2.5f), (Rows - 1, -1.5f)), TestContext.Current.CancellationToken);
            using var inside = new OnnxScorer(OnnxModel.WithWeightsInside(onnx, _folder.Path));
            var expected = new float[3];
            inside.Score([0, 7, Rows - 1], 3, expected);
            Assert.Equal(expected, scores);
        }

        Assert.True(opened.Weights.IsClosed);
    }

    [Fact]
    public async Task A_flipped_bit_in_the_weights_is_refused_and_so_is_a_shorter_package()
    {
        using var keys = Keys();
        var package = await SealAsync(keys);
        using var dataKey = await DataKeyAsync(package, keys);
        var bytes = await File.ReadAllBytesAsync(package, TestContext.Current.CancellationToken);
        bytes[bytes.Length / 2] ^= 1;
        await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(new MemoryStream(bytes), dataKey, [_signer.PublicKey], TestContext.Current.CancellationToken));
        bytes[bytes.Length / 2] ^= 1;
        await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(new MemoryStream(bytes[..^1]), dataKey, [_signer.PublicKey], TestContext.Current.CancellationToken));
        using var whole = await SealedModel.OpenAsync(new MemoryStream(bytes), dataKey, [_signer.PublicKey], TestContext.Current.CancellationToken);
        using var scorer = whole.OpenScorer();
        Assert.Equal(1, scorer.Width);
    }

    [Fact]
    public void Tensors_that_are_not_within_the_weights_or_in_another_file_are_refused()
    {
        var folder = LookupModel.Folder(_folder.Path, 10, (7, 2.5f));
        var onnx = folder.Onnx.ToArray();
        using var whole = new ModelWeights(10 * LookupModel.BytesPerRow);
        using (new OnnxScorer(onnx, whole))
        {
        }

        using var shorter = new ModelWeights((10 * LookupModel.BytesPerRow) - 1);
        Assert.Throws<InvalidDataException>(() => new OnnxScorer(onnx, shorter));
        Assert.Throws<InvalidDataException>(() => new OnnxScorer(onnx));   // nothing was given: no file is looked for
        var elsewhere = ModelProto.Parser.ParseFrom(onnx);
        elsewhere.Graph.Initializer[0].ExternalData[0].Value = "/etc/hostname";
        Assert.Throws<InvalidDataException>(() => new OnnxScorer(elsewhere.ToByteArray(), whole));
        var misshapen = ModelProto.Parser.ParseFrom(onnx);
        misshapen.Graph.Initializer[0].Dims[0] = 9;
        Assert.Throws<InvalidDataException>(() => new OnnxScorer(misshapen.ToByteArray(), whole));
        var strings = ModelProto.Parser.ParseFrom(onnx);
        strings.Graph.Initializer[0].DataType = 8;
        Assert.Throws<InvalidDataException>(() => new OnnxScorer(strings.ToByteArray(), whole));
    }

    [Fact]
    public void A_folder_with_weights_apart_is_saved_and_read_without_reading_them_into_an_array()
    {
        var folder = LookupModel.Folder(_folder.Path, 10, (7, 2.5f));
        var path = Path.Combine(_folder.Path, "saved");
        folder.Save(path);
        folder.Save(path);   // an earlier one is replaced
        var read = ModelFolder.Load(path);
        Assert.Equal(Path.Combine(path, ModelFolder.WeightsName), read.Weights);
        Assert.Equal([ModelFolder.OnnxName], read.Files.Keys);
        Assert.Throws<ArgumentException>(() => new ModelFolder(read.Manifest, new Dictionary<string, ReadOnlyMemory<byte>>(read.Files) { [ModelFolder.WeightsName] = new byte[1] }));
    }

    private KeyRing Keys()
    {
        var keys = KeyRing.Create(Path.Combine(_folder.Path, "keys.json"), KeyRingUnlock.KeyFile(Path.Combine(_folder.Path, "keys.key")));
        keys.CreateSymmetric("models");
        return keys;
    }

    private async Task<string> SealAsync(KeyRing keys)
    {
        var package = Path.Combine(_folder.Path, "lookup.bulwark");
        var folder = LookupModel.Folder(_folder.Path, Rows, (7, 2.5f), (Rows - 1, -1.5f));
        var info = await SealedModel.SealAsync(folder, folder.Manifest, keys, "models", _signer, package, TestContext.Current.CancellationToken);
        Assert.Equal(info.PackageBytes, new FileInfo(package).Length);
        Assert.Equal(info.PackageDigest, Digest.Of(await File.ReadAllBytesAsync(package, TestContext.Current.CancellationToken)));
        return package;
    }

    private async Task<SecretBytes> DataKeyAsync(string package, KeyRing keys)
    {
        await using var stream = File.OpenRead(package);
        return (await SealedModel.UnwrapDataKeyAsync(stream, keys, [_signer.PublicKey], TestContext.Current.CancellationToken)).DataKey;
    }
}
