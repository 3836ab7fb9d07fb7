using System.Diagnostics.CodeAnalysis;

namespace Bulwark.Attestation.Tpm;

/// <summary>A TPMS_ATTEST structure (TPM 2.0 Library part 2, 10.12.12).</summary>
public sealed class TpmQuote
{
    /// <summary>The structure tag of a quote; others attest other things.</summary>
    public const ushort QuoteType = 0x8018;

    private const uint Magic = 0xFF544347;

    private TpmQuote(ReadOnlySpan<byte> bytes)
    {
        var reader = new TpmReader(bytes);
        if (reader.UInt32() != Magic)
            throw new TpmFormatException("The structure was not made by a TPM.");
        Type = reader.UInt16();
        QualifiedSigner = reader.Buffer().ToArray();
        ExtraData = reader.Buffer().ToArray();
        reader.UInt64();
        (ResetCount, RestartCount) = (reader.UInt32(), reader.UInt32());
        IsClockSafe = reader.Byte() == 1;
        FirmwareVersion = reader.UInt64();
        if (Type != QuoteType)
            return;
        Selections = ReadSelections(ref reader);
        PcrDigest = reader.Buffer().ToArray();
        reader.ThrowIfNotAtEnd();
    }

    /// <summary>What is attested.</summary>
    public ushort Type { get; }
    /// <summary>Name of the signing key, qualified by its parents.</summary>
    public ReadOnlyMemory<byte> QualifiedSigner { get; }
    /// <summary>The caller's data: the nonce.</summary>
    public ReadOnlyMemory<byte> ExtraData { get; }
    /// <summary>Resets since the TPM was made.</summary>
    public uint ResetCount { get; }
    /// <summary>Restarts since the last reset.</summary>
    public uint RestartCount { get; }
    /// <summary>The clock has not gone back.</summary>
    public bool IsClockSafe { get; }
    /// <summary>Vendor's version of the firmware.</summary>
    public ulong FirmwareVersion { get; }
    /// <summary>The registers that are quoted.</summary>
    public IReadOnlyList<PcrSelection> Selections { get; } = [];
    /// <summary>Digest of the quoted registers, in the order of the selections.</summary>
    public ReadOnlyMemory<byte> PcrDigest { get; }

    /// <summary>Reads a structure.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out TpmQuote? quote)
    {
        try
        {
            quote = new TpmQuote(bytes);
        }
        catch (TpmFormatException)
        {
            quote = null;   // the answer, not a failure: hostile bytes are expected here
        }

        return quote is not null;
    }

    private static List<PcrSelection> ReadSelections(ref TpmReader reader)
    {
        var count = reader.UInt32();
        if (count > 16)
            throw new TpmFormatException($"{count} banks are selected.");
        var selections = new List<PcrSelection>();
        for (var index = 0; index < count; index++)
        {
            var hash = (TpmHash)reader.UInt16();
            var bitmap = reader.Take(reader.Byte());
            var indices = new List<int>();
            for (var bit = 0; bit < 8 * bitmap.Length; bit++)
            {
                if ((bitmap[bit / 8] & (1 << (bit % 8))) != 0)
                    indices.Add(bit);
            }

            selections.Add(new(hash, indices));
        }

        return selections;
    }
}
