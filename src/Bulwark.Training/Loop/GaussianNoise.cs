namespace Bulwark.Training.Loop;

/// <summary>Normal draws by a seed for rows that are learnt with noise. No privacy comes of it.</summary>
/// <remarks>Source: Box and Muller, "A Note on the Generation of Random Normal Deviates", Annals of Mathematical Statistics 1958.</remarks>
internal sealed class GaussianNoise(ulong seed, double deviation)
{
    private readonly Random _random = new(unchecked((int)seed) ^ 0x5105E);

    internal void Add(Span<float> values)
    {
        for (var i = 0; i < values.Length; i += 2)
        {
            var length = deviation * Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble()));
            var (sine, cosine) = Math.SinCos(2 * Math.PI * _random.NextDouble());
            values[i] += (float)(length * cosine);
            if (i + 1 < values.Length)
                values[i + 1] += (float)(length * sine);
        }
    }

    /// <summary>The same rows with noise on every value.</summary>
    internal EncodedDataset On(EncodedDataset rows)
    {
        float[] features = [.. rows.Features];
        Add(features);
        return new(features, rows.Width, rows.Labels, rows.Quantities, rows.Sources);
    }
}
