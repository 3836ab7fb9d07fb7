using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Bulwark.Attestation.Tpm;

/// <summary>One event of a measured boot: which register was extended by what.</summary>
/// <param name="Register">PCR, or measurement register of a confidential machine (CCEL).</param>
/// <param name="Type">Event type.</param>
/// <param name="Digests">What was extended, in each bank.</param>
/// <param name="Data">What the firmware says was measured; believed only as far as a rule compares it with the digest.</param>
public sealed record MeasuredEvent(int Register, uint Type, IReadOnlyDictionary<TpmHash, byte[]> Digests, ReadOnlyMemory<byte> Data);

/// <summary>A TCG2 event log, crypto-agile form (TCG PC Client Platform Firmware Profile, section 10), also as CCEL.</summary>
/// <remarks>A log proves nothing by itself: <see cref="Replay"/> it and compare with quoted registers before an event is believed.</remarks>
public sealed class MeasuredLog
{
    /// <summary>Events of this type extend nothing.</summary>
    public const uint NoAction = 3;

    private const int MaximumEvents = 1 << 16;

    private MeasuredLog(IReadOnlyList<MeasuredEvent> events, IReadOnlyDictionary<TpmHash, int> banks) => (Events, Banks) = (events, banks);

    /// <summary>Every event, the header left out.</summary>
    public IReadOnlyList<MeasuredEvent> Events { get; }

    /// <summary>The banks and the length of their digests.</summary>
    public IReadOnlyDictionary<TpmHash, int> Banks { get; }

    /// <summary>Reads a log. Zero bytes after the last event are the unused part of the firmware's table.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out MeasuredLog? log)
    {
        try
        {
            log = Read(bytes);
        }
        catch (TpmFormatException)
        {
            log = null;   // the answer, not a failure: hostile bytes are expected here
        }

        return log is not null;
    }

    /// <summary>What the registers of a bank hold after all events: H(old | digest), from zero.</summary>
    public IReadOnlyDictionary<int, byte[]> Replay(TpmHash bank)
    {
        var registers = new Dictionary<int, byte[]>();
        foreach (var measured in Events)
        {
            if (measured.Type == NoAction)
            {
                if (measured.Register == 0 && Locality(measured.Data.Span) is { } locality)
                    registers[0] = Start(bank, locality);
                continue;
            }

            if (!measured.Digests.TryGetValue(bank, out var digest))
                continue;
            var old = registers.GetValueOrDefault(measured.Register) ?? Start(bank, 0);
            registers[measured.Register] = bank.Hash([.. old, .. digest]);
        }

        return registers;
    }

    private static byte[] Start(TpmHash bank, byte last)
    {
        var start = new byte[bank.Size()];
        start[^1] = last;
        return start;
    }

    /// <summary>The locality at which the TPM was started, which PCR 0 starts with.</summary>
    private static byte? Locality(ReadOnlySpan<byte> data) => data.Length == 17 && data.StartsWith("StartupLocality\0"u8) ? data[16] : null;

    private static MeasuredLog Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new LittleEndian(bytes);
        reader.UInt32();
        if (reader.UInt32() != NoAction)
            throw new TpmFormatException("The log does not begin with its specification.");
        reader.Take(20);
        var banks = ReadSpecification(reader.Take(reader.Length32()));
        var events = new List<MeasuredEvent>();
        while (!reader.IsZeroToEnd)
        {
            if (events.Count == MaximumEvents)
                throw new TpmFormatException($"The log has more than {MaximumEvents} events.");
            events.Add(ReadEvent(ref reader, banks));
        }

        return new(events, banks);
    }

    private static Dictionary<TpmHash, int> ReadSpecification(ReadOnlySpan<byte> data)
    {
        var reader = new LittleEndian(data);
        if (!reader.Take(16).SequenceEqual(Encoding.ASCII.GetBytes("Spec ID Event03\0")))
            throw new TpmFormatException("The log is not of the crypto-agile form.");
        reader.Take(8);
        var count = reader.Length32();
        if (count is < 1 or > 16)
            throw new TpmFormatException($"The log names {count} banks.");
        var banks = new Dictionary<TpmHash, int>();
        for (var index = 0; index < count; index++)
        {
            if (!banks.TryAdd((TpmHash)reader.UInt16(), reader.UInt16()))
                throw new TpmFormatException("The log names a bank twice.");
        }

        return banks;
    }

    private static MeasuredEvent ReadEvent(ref LittleEndian reader, Dictionary<TpmHash, int> banks)
    {
        var register = reader.UInt32();
        var type = reader.UInt32();
        var count = reader.Length32();
        if (register > 255 || count > banks.Count)
            throw new TpmFormatException($"An event extends register {register} by {count} digests.");
        var digests = new Dictionary<TpmHash, byte[]>();
        for (var index = 0; index < count; index++)
        {
            var hash = (TpmHash)reader.UInt16();
            if (!banks.TryGetValue(hash, out var size) || !digests.TryAdd(hash, reader.Take(size).ToArray()))
                throw new TpmFormatException($"An event has a digest of bank 0x{(ushort)hash:x} that the log does not name, or twice.");
        }

        return new((int)register, type, digests, reader.Take(reader.Length32()).ToArray());
    }

    private ref struct LittleEndian(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _rest = bytes;

        internal readonly bool IsZeroToEnd => !_rest.ContainsAnyExcept((byte)0) || !_rest.ContainsAnyExcept((byte)0xFF);
        internal ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));
        internal uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
        internal int Length32() => UInt32() is var length && length <= int.MaxValue ? (int)length : throw new TpmFormatException($"A length of {length} bytes.");

        internal ReadOnlySpan<byte> Take(int length)
        {
            if (length > _rest.Length)
                throw new TpmFormatException($"{length} bytes were expected, {_rest.Length} are left.");
            var taken = _rest[..length];
            _rest = _rest[length..];
            return taken;
        }
    }
}
