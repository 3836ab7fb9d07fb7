using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bulwark.Models;

/// <summary>What of a model's scores leaves: noise first, then the largest classes, then rounding. Fixed in the package, applied where the model is scored, so that signed and sealed answers are hardened too.</summary>
/// <remarks>
/// Scores are probabilities: one a row, of the positive class, or one a class. The noise is drawn from a key and the exact row (HMAC-SHA-256): who asks the same
/// row again gets the same answer and averages nothing out. It moves the log-odds and never across the decision: the label that the model gives stays its label.
/// What it buys is measured, not assumed: <c>bench hardening</c>. Sources: Tramèr et al., USENIX Security 2016 (rounding, labels); Jia et al., CCS 2019 (noise that keeps labels).
/// Immutable and thread-safe.
/// </remarks>
public sealed record OutputHardening
{
    /// <summary>Decimals that a score keeps, 0 to 6; null for all.</summary>
    public int? Decimals { get; init; }

    /// <summary>Classes whose scores are told, the largest; the rest read 0. Null for all; of one score a row this changes nothing.</summary>
    public int? TopClasses { get; init; }

    /// <summary>True when only the decision is told: 1 for the class decided, 0 for the rest.</summary>
    public bool LabelOnly { get; init; }

    /// <summary>Standard deviation of the noise on log-odds, 0 to 10; 0 for none.</summary>
    public double Noise { get; init; }

    /// <summary>What the noise follows from, 32 secret bytes in base64; needed where there is noise. It lies in the sealed package, so that every gateway gives the same noise.</summary>
    public string? NoiseKey { get; init; }

    /// <summary>The file in a model's folder.</summary>
    public const string FileName = "hardening.json";

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Decimals is < 0 or > 6)
            yield return $"{nameof(Decimals)} is {Decimals}; it must lie between 0 and 6.";
        if (TopClasses < 1)
            yield return $"{nameof(TopClasses)} is {TopClasses}; it must be above 0.";
        if (Noise > 0 && !(NoiseKey is { Length: 44 } key && Convert.TryFromBase64String(key, new byte[33], out var written) && written == 32))
            yield return $"{nameof(NoiseKey)} must be 32 bytes in base64 where there is noise.";
        if (Noise is not (>= 0 and <= 10))
            yield return $"{nameof(Noise)} is {Noise}; it must lie between 0 and 10.";
    }

    /// <summary>Hardens scores in place.</summary>
    /// <param name="rows">Shape (count, width), row-major: what was scored.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="scores">Shape (count, classes).</param>
    public void Apply(ReadOnlySpan<float> rows, int count, Span<float> scores)
    {
        if (count < 1 || scores.Length % count != 0 || rows.Length % count != 0)
            throw new ArgumentException($"{scores.Length} scores and {rows.Length} numbers are not of {count} rows.", nameof(count));
        var (width, classes) = (rows.Length / count, scores.Length / count);
        var key = Noise > 0 ? Convert.FromBase64String(NoiseKey!) : [];
        for (var row = 0; row < count; row++)
        {
            var told = scores.Slice(row * classes, classes);
            if (Noise > 0)
                AddNoise(key, rows.Slice(row * width, width), told);
            if (LabelOnly)
                KeepLabel(told);
            if (TopClasses < classes)
                KeepLargest(told, TopClasses.Value);
            if (Decimals is { } decimals)
                Round(told, decimals);
        }
    }

    /// <summary>The options as they stand in a package.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, HardeningJson.Default.OutputHardening);

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is none, or has faults.</exception>
    public static OutputHardening Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            var read = JsonSerializer.Deserialize(json, HardeningJson.Default.OutputHardening) ?? throw new InvalidDataException($"{FileName} holds nothing.");
            return read.Faults().FirstOrDefault() is { } fault ? throw new InvalidDataException($"{FileName}: {fault}") : read;
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"{FileName} cannot be read: {failure.Message}", failure);
        }
    }

    private void AddNoise(ReadOnlySpan<byte> key, ReadOnlySpan<float> row, Span<float> told)
    {
        Span<byte> draws = stackalloc byte[32];
        Span<float> exact = row.Length <= 256 ? stackalloc float[row.Length] : new float[row.Length];
        for (var i = 0; i < row.Length; i++)   // one number, one way to write it: else each writing of a row would draw anew
            exact[i] = float.IsNaN(row[i]) ? float.NaN : row[i] == 0 ? 0f : row[i];
        HMACSHA256.HashData(key, MemoryMarshal.AsBytes(exact), draws);
        if (told.Length == 1)
        {
            var odds = LogOdds(told[0]);
            var moved = odds + (Noise * Normal(draws));
            told[0] = (float)(1 / (1 + Math.Exp(-(moved > 0 == odds > 0 ? moved : -moved))));
            if (told[0] > 0.5f != odds > 0)
                told[0] = odds > 0 ? 0.5000001f : 0.5f;
            return;
        }

        var label = Largest(told);
        var sum = 0.0;
        for (var i = 0; i < told.Length; i++)
        {
            HMACSHA256.HashData(key, draws, draws);
            told[i] = (float)(told[i] * Math.Exp(Noise * Normal(draws)));
            sum += told[i];
        }

        var largest = Largest(told);
        (told[label], told[largest]) = (told[largest], told[label]);
        for (var i = 0; i < told.Length; i++)
            told[i] = sum > 0 ? (float)(told[i] / sum) : told[i];
    }

    /// <summary>A standard normal draw from 16 bytes (Box and Muller 1958).</summary>
    private static double Normal(ReadOnlySpan<byte> bytes)
    {
        var (one, two) = ((BinaryPrimitives.ReadUInt64LittleEndian(bytes) >> 11) * (1.0 / (1UL << 53)), (BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]) >> 11) * (1.0 / (1UL << 53)));
        return Math.Sqrt(-2 * Math.Log(1 - one)) * Math.Cos(2 * Math.PI * two);
    }

    private static double LogOdds(double score)
    {
        var bounded = Math.Clamp(score, 1e-7, 1 - 1e-7);
        return Math.Log(bounded / (1 - bounded));
    }

    private static int Largest(ReadOnlySpan<float> told)
    {
        var largest = 0;
        for (var i = 1; i < told.Length; i++)
            if (told[i] > told[largest])
                largest = i;
        return largest;
    }

    private static void KeepLabel(Span<float> told)
    {
        if (told.Length == 1)
        {
            told[0] = told[0] > 0.5f ? 1 : 0;
            return;
        }

        var label = Largest(told);
        told.Clear();
        told[label] = 1;
    }

    private static void KeepLargest(Span<float> told, int most)
    {
        Span<float> sorted = told.Length <= 256 ? stackalloc float[told.Length] : new float[told.Length];
        told.CopyTo(sorted);
        sorted.Sort();
        var least = sorted[^most];
        foreach (ref var value in told)
        {
            if (value < least)
                value = 0;
        }
    }

    private static void Round(Span<float> told, int decimals)
    {
        if (told.Length == 1)
        {
            var isPositive = told[0] > 0.5f;
            told[0] = MathF.Round(told[0], decimals, MidpointRounding.AwayFromZero);
            if (told[0] > 0.5f != isPositive)   // 0.503 reads 0.5 otherwise, which is another decision
                told[0] = isPositive ? 0.5f + MathF.Pow(10, -decimals) : 0.5f;
            told[0] = Math.Min(told[0], 1);
            return;
        }

        var label = Largest(told);
        for (var i = 0; i < told.Length; i++)
            told[i] = MathF.Round(told[i], decimals, MidpointRounding.AwayFromZero);
        if (Largest(told) == label)
            return;
        var (step, highest) = (MathF.Pow(10, -decimals), told[label]);
        if (highest < 1)
        {
            told[label] = MathF.Round(highest + step, decimals);
            return;
        }

        for (var i = 0; i < told.Length; i++)   // nothing is above 1: what rounds to as much as the label goes below it
            if (i != label && told[i] == highest)
                told[i] = MathF.Round(highest - step, decimals);
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(OutputHardening))]
internal sealed partial class HardeningJson : JsonSerializerContext;
