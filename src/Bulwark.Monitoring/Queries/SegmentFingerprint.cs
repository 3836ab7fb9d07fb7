using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bulwark.Monitoring.Queries;

/// <summary>Fingerprints of rows by hashes of their windows, which similar rows share; a peer's method, to compare with. Serving counts in keyed cells instead.</summary>
/// <remarks>
/// Source: Li et al., "Blacklight: Scalable Defense for Neural Networks against Query-Based Black-Box Attacks", USENIX Security 2022, section 4. Values are rounded to a multiple of the quantum
/// (half to even) and written as 16-bit little-endian numbers; the largest hashes by their reversed hexadecimal digits are kept. Without a key whoever knows the method can compute a row's fingerprint.
/// </remarks>
internal sealed record SegmentFingerprint(int Window, int Step, int Quantum, int Keep)
{
    /// <summary>HMAC-SHA256 key; empty for plain SHA-256.</summary>
    internal byte[] Key { get; init; } = [];

    /// <summary>The kept hashes, largest first, as lower-case hexadecimal digits in reverse.</summary>
    /// <param name="values">The row, in the units of the quantum; at most ±32767 once rounded.</param>
    internal string[] Of(ReadOnlySpan<double> values)
    {
        if (Window < 1 || Step < 1 || Quantum < 1 || Keep < 1)
            throw new InvalidOperationException("Window, step, quantum and number kept are above 0.");
        var bytes = new byte[values.Length * 2];
        for (var i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(i * 2), checked((short)(Math.Round(values[i] / Quantum, MidpointRounding.ToEven) * Quantum)));
        var hashes = new HashSet<string>(StringComparer.Ordinal);
        for (var at = 0; at + Window <= values.Length; at += Step)
        {
            var window = bytes.AsSpan(at * 2, Window * 2);
            var digits = Convert.ToHexStringLower(Key.Length == 0 ? SHA256.HashData(window) : HMACSHA256.HashData(Key, window)).ToCharArray();
            Array.Reverse(digits);
            hashes.Add(new(digits));
        }

        return [.. hashes.OrderDescending(StringComparer.Ordinal).Take(Keep)];
    }

    /// <summary>Hashes that two fingerprints share; half of those kept is a match in the source.</summary>
    internal static int Shared(string[] one, string[] other) => one.Intersect(other, StringComparer.Ordinal).Count();
}
