using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Monitoring;
using Bulwark.Networks;
using Bulwark.Worker;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>A small sealed model with an input screen.</summary>
internal static class FraudModel
{
    /// <summary>Trains nothing: three features, seeded weights, a fitted screen; sealed under the keys <c>sealing</c> and <c>signing</c>.</summary>
    internal static Task<SealedModelInfo> SealAsync(KeyRing keys, string path, CancellationToken cancel) => SealAsync(keys, path, null, cancel);

    /// <summary>The same, changed before it is sealed.</summary>
    /// <param name="keys">The ring.</param>
    /// <param name="path">The package to write.</param>
    /// <param name="change">Given the model's folder before it is sealed; null seals it as it is.</param>
    /// <param name="cancel">Stops.</param>
    internal static async Task<SealedModelInfo> SealAsync(KeyRing keys, string path, Func<string, Task>? change, CancellationToken cancel)
    {
        var schema = new FeatureSchema
        {
            Label = "is_fraud",
            Features =
            [
                new() { Name = "amount", Kind = FeatureKind.Numeric, Minimum = 0, Maximum = 1000 },
                new() { Name = "age", Kind = FeatureKind.Integer, Minimum = 18, Maximum = 118 },
                new() { Name = "online", Kind = FeatureKind.Binary },
            ],
        };
        var network = DenseNetwork<float>.Create(new NetworkShape(3, [4], 1), seed: 5);
        var files = new Dictionary<string, ReadOnlyMemory<byte>>
        {
            [ModelFolder.OnnxName] = OnnxModel.Export(schema, network),
            [ModelFolder.ScreenName] = Screen(schema).ToJson(),
        };
        var manifest = new ModelManifest { Name = "fraud", Version = "1", Created = DateTimeOffset.UtcNow };
        using var signer = keys.OpenSigner("signing");
        var model = new ModelFolder(manifest, files);
        if (change is not null)
        {
            var folder = path + ".folder";
            model.Save(folder);
            await change(folder);
            model = ModelFolder.Load(folder);
        }

        return await SealedModel.SealAsync(model, manifest, keys, "sealing", signer, path, cancel);
    }

    /// <summary>Training data in which the old pay much: a young customer with a large amount is an outlier.</summary>
    private static InputScreen Screen(FeatureSchema schema)
    {
        var random = new Random(3);
        var raw = new float[3 * 1000];
        for (var i = 0; i < raw.Length; i += 3)
        {
            var wealth = random.NextSingle();
            raw[i] = 1000 * Math.Clamp(wealth + (0.1f * (random.NextSingle() - 0.5f)), 0, 1);
            raw[i + 1] = 18 + (int)(100 * wealth);
            raw[i + 2] = random.Next(2);
        }

        var encoder = new FeatureEncoder(schema);
        var encoded = encoder.Encode(raw);
        var (mean, covariance) = InputScreen.Moments(encoded, encoder.EncodedWidth);
        return InputScreen.Fit(ScreenContract.Of(schema), mean, covariance).Calibrate(encoded, 0.001);
    }
}
