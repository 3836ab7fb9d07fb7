using System.Buffers;
using System.Buffers.Binary;

namespace Bulwark.Attestation.Sources;

/// <summary>The bytes of one TPM command (TPM 2.0 Library part 3): header, handles, authorizations, parameters; all big-endian.</summary>
internal sealed class TpmCommand(uint code, params IReadOnlyList<uint> handles)
{
    /// <summary>Authorization by an empty password.</summary>
    internal const uint Password = 0x40000009;
    private const ushort WithoutSessions = 0x8001, WithSessions = 0x8002;
    private const byte ContinueSession = 1;

    private readonly ArrayBufferWriter<byte> _parameters = new();
    private readonly List<(uint Session, byte[] Secret)> _authorizations = [];

    /// <summary>The command code.</summary>
    internal uint Code => code;

    internal bool HasSessions => _authorizations.Count > 0;

    /// <summary>Authorizes the next handle by a session, or by a password that is empty unless given.</summary>
    internal TpmCommand Authorize(uint session = Password, byte[]? password = null)
    {
        _authorizations.Add((session, password ?? []));
        return this;
    }

    internal TpmCommand Byte(byte value) => Raw([value]);

    internal TpmCommand UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_parameters.GetSpan(2), value);
        _parameters.Advance(2);
        return this;
    }

    internal TpmCommand UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_parameters.GetSpan(4), value);
        _parameters.Advance(4);
        return this;
    }

    internal TpmCommand Raw(ReadOnlySpan<byte> bytes)
    {
        _parameters.Write(bytes);
        return this;
    }

    /// <summary>A sized buffer (TPM2B).</summary>
    internal TpmCommand Sized(ReadOnlySpan<byte> bytes) => UInt16(checked((ushort)bytes.Length)).Raw(bytes);

    internal byte[] ToBytes()
    {
        var output = new ArrayBufferWriter<byte>();
        void Write32(uint value)
        {
            BinaryPrimitives.WriteUInt32BigEndian(output.GetSpan(4), value);
            output.Advance(4);
        }

        BinaryPrimitives.WriteUInt16BigEndian(output.GetSpan(2), HasSessions ? WithSessions : WithoutSessions);
        output.Advance(2);
        Write32(0);   // the size, known at the end
        Write32(code);
        foreach (var handle in handles)
            Write32(handle);
        if (HasSessions)
        {
            Write32((uint)_authorizations.Sum(authorization => 9 + authorization.Secret.Length));
            foreach (var (session, secret) in _authorizations)
            {
                Write32(session);
                output.Write((ReadOnlySpan<byte>)[0, 0, session == Password ? ContinueSession : (byte)0, 0, (byte)secret.Length]);
                output.Write(secret);
            }
        }

        output.Write(_parameters.WrittenSpan);
        var bytes = output.WrittenSpan.ToArray();
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(2), (uint)bytes.Length);
        return bytes;
    }
}
