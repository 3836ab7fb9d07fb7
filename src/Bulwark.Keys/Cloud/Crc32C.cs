using System.Numerics;

namespace Bulwark.Keys;

/// <summary>CRC-32C (Castagnoli, RFC 3720 appendix B.4): Google's check that no bit was lost on the way.</summary>
internal static class Crc32C
{
    internal static uint Of(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
            crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }
}
