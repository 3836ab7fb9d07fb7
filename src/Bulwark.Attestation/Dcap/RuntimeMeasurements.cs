using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;

namespace Bulwark.Attestation.Dcap;

/// <summary>The event log of a trust domain's runtime measurement registers as JSON: entries <c>imr</c> (0 to 3) and <c>digest</c>.</summary>
/// <remarks>A log proves nothing by itself: compare with the quote's registers before an event is believed.</remarks>
public static class RuntimeMeasurements
{
    private const int RegisterCount = 4, Size = 48;

    /// <summary>Replays a log: each register becomes SHA-384(old | digest), a shorter digest padded with zeros on the right.</summary>
    public static bool TryReplay(ReadOnlySpan<byte> json, [NotNullWhen(true)] out IReadOnlyList<byte[]>? registers)
    {
        registers = null;
        try
        {
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            var replayed = Enumerable.Range(0, RegisterCount).Select(_ => new byte[Size]).ToArray();
            foreach (var entry in document.RootElement.EnumerateArray())
            {
                var register = entry.GetProperty("imr").GetInt32();
                var digest = Convert.FromHexString(entry.GetProperty("digest").GetString() ?? "");
                if (register is < 0 or >= RegisterCount || digest.Length is 0 or > Size)
                    return false;
                replayed[register] = SHA384.HashData([.. replayed[register], .. digest, .. new byte[Size - digest.Length]]);
            }

            registers = replayed;
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            // the answer, not a failure: hostile bytes are expected here
        }

        return registers is not null;
    }
}
