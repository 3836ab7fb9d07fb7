using System.Buffers.Binary;
using Bulwark.Attestation.Tpm;

namespace Bulwark.Attestation.Sources;

/// <summary>A small client of a TPM 2.0: keys, quotes, registers, sealing to registers, credentials. Commands are raw bytes; no native library. Thread-safe.</summary>
/// <remarks>
/// Source: TPM 2.0 Library, parts 2 and 3. Sessions carry no encryption of parameters: on a chip whose bus can be tapped, an unsealed secret can be read there.
/// Authorizations are empty passwords and policies.
/// </remarks>
public sealed partial class TpmClient : IDisposable
{
    private const int HeaderSize = 10;
    private const int MostPcrsPerRead = 8;

    private readonly TpmTransport _transport;
    private readonly Lock _lock = new();

    private TpmClient(TpmTransport transport) => _transport = transport;

    /// <summary>Opens a TPM and starts it when nobody has.</summary>
    /// <param name="address"><c>/dev/tpmrm0</c>, <c>unix:PATH</c> or <c>tcp:HOST:PORT</c> of a software TPM.</param>
    /// <exception cref="IOException">There is no TPM at that address, or this process may not use it.</exception>
    public static TpmClient Open(string address)
    {
        ArgumentException.ThrowIfNullOrEmpty(address);
        var client = new TpmClient(TpmTransport.Open(address));
        try
        {
            const uint AlreadyStarted = 0x100;
            client.Send(new TpmCommand(0x144).UInt16(0), tolerated: AlreadyStarted);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Reads registers.</summary>
    /// <exception cref="TpmException">The bank is not active.</exception>
    public IReadOnlyDictionary<int, byte[]> ReadPcrs(PcrSelection selection)
    {
        ArgumentNullException.ThrowIfNull(selection);
        var values = new SortedDictionary<int, byte[]>();
        foreach (var group in selection.Indices.Chunk(MostPcrsPerRead))
        {
            var response = Send(new TpmCommand(0x17E).Raw(SelectionBytes(new(selection.Hash, group))));
            ReadInto(values, group, response);
        }

        return values;
    }

    /// <summary>Extends a register of the SHA-256 bank: it becomes the digest of itself and <paramref name="digest"/>.</summary>
    /// <param name="register">0 to 23.</param>
    /// <param name="digest">32 bytes.</param>
    public void ExtendPcr(int register, ReadOnlySpan<byte> digest)
    {
        if (digest.Length != 32)
            throw new ArgumentException($"A SHA-256 digest has 32 bytes, not {digest.Length}.", nameof(digest));
        Send(new TpmCommand(0x182, (uint)register).Authorize().UInt32(1).UInt16((ushort)TpmHash.Sha256).Raw(digest));
    }

    /// <summary>Has an attestation key sign registers together with the verifier's data.</summary>
    /// <param name="key">A restricted signing key.</param>
    /// <param name="data">What the quote must carry, at most 32 bytes everywhere.</param>
    /// <param name="selection">The registers.</param>
    /// <returns>TPMS_ATTEST and TPMT_SIGNATURE.</returns>
    public (byte[] Attest, byte[] Signature) Quote(TpmKey key, ReadOnlySpan<byte> data, PcrSelection selection)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(selection);
        var response = new TpmReader(Send(new TpmCommand(0x158, key.Handle).Authorize().Sized(data).UInt16(TpmAlgorithms.Null).Raw(SelectionBytes(selection))));
        return (response.Buffer().ToArray(), response.Rest().ToArray());
    }

    /// <inheritdoc/>
    public void Dispose() => _transport.Dispose();

    /// <summary>TPML_PCR_SELECTION of one bank.</summary>
    internal static byte[] SelectionBytes(PcrSelection selection)
    {
        var bytes = new byte[] { 0, 0, 0, 1, (byte)((ushort)selection.Hash >> 8), (byte)selection.Hash, 3, 0, 0, 0 };
        foreach (var index in selection.Indices)
            bytes[7 + index / 8] |= (byte)(1 << (index % 8));
        return bytes;
    }

    /// <summary>Sends a command; gives the parameters of its answer, behind a handle where there is one.</summary>
    internal byte[] Send(TpmCommand command, bool hasHandle = false, uint tolerated = 0)
    {
        const int MostTries = 20;
        var bytes = command.ToBytes();
        byte[] response;
        lock (_lock)
        {
            response = _transport.Exchange(bytes);
            for (var tries = 1; tries < MostTries && AsksAgain(response); tries++)
                response = _transport.Exchange(bytes);
        }

        return ReadResponse(response, command, hasHandle, tolerated);
    }

    /// <summary>Takes an answer apart: header, handle, parameters; what follows the parameters is the sessions' and is not needed.</summary>
    /// <exception cref="TpmException">The TPM refused, or the answer is malformed.</exception>
    internal static byte[] ReadResponse(ReadOnlySpan<byte> response, TpmCommand command, bool hasHandle, uint tolerated = 0)
    {
        if (response.Length < HeaderSize || BinaryPrimitives.ReadUInt32BigEndian(response[2..]) != response.Length)
            throw new TpmException("The TPM's answer is not whole.");
        var code = BinaryPrimitives.ReadUInt32BigEndian(response[6..]);
        if (code != 0)
            return code == tolerated ? [] : throw new TpmException(code, command.Code);
        try
        {
            var reader = new TpmReader(response[HeaderSize..]);
            var handle = hasHandle ? reader.Take(4) : [];
            var parameters = command.HasSessions ? reader.Take(checked((int)Math.Min(reader.UInt32(), int.MaxValue))) : reader.Rest();
            return [.. handle, .. parameters];
        }
        catch (TpmFormatException failure)
        {
            throw new TpmException($"The TPM's answer is malformed: {failure.Message}");
        }
    }

    /// <summary>The TPM did nothing and wants the same command again: it was writing its memory, testing itself or yielding (part 2, 6.6.3).</summary>
    private static bool AsksAgain(ReadOnlySpan<byte> response) =>
        response.Length == HeaderSize && BinaryPrimitives.ReadUInt32BigEndian(response[6..]) is 0x922 or 0x90A or 0x908;

    private static void ReadInto(SortedDictionary<int, byte[]> values, int[] asked, ReadOnlySpan<byte> response)
    {
        var reader = new TpmReader(response);
        reader.UInt32();   // counts updates
        for (var banks = reader.UInt32(); banks > 0; banks--)
        {
            reader.UInt16();
            reader.Take(reader.Byte());
        }

        var count = reader.UInt32();
        if (count != asked.Length)
            throw new TpmException($"The TPM gave {count} of {asked.Length} registers: is the bank active?");
        foreach (var index in asked)
            values[index] = reader.Buffer().ToArray();
    }
}

/// <summary>Algorithm identifiers that commands name.</summary>
internal static class TpmAlgorithms
{
    internal const ushort Null = 0x0010;
}
