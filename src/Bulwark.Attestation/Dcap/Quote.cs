using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Bulwark.Attestation.Certificates;

namespace Bulwark.Attestation.Dcap;

/// <summary>Which kind of enclave a quote is about.</summary>
public enum QuoteTee
{
    /// <summary>An SGX enclave.</summary>
    Sgx = 0,
    /// <summary>A TDX trust domain.</summary>
    Tdx = 0x81,
}

/// <summary>An Intel ECDSA quote: SGX version 3, SGX and TDX versions 4 and 5 (Intel SGX DCAP ECDSA Quote Library, appendix A.4; Intel TDX DCAP, appendix A.3).</summary>
/// <remarks>Only reads; <see cref="DcapVerifier"/> judges. Bytes after the signature data are tolerated and never read: real quotes carry some.</remarks>
public sealed class Quote
{
    private const int HeaderSize = 48, SgxBodySize = 384, Td10BodySize = 584, Td15BodySize = 648;
    private const int EnclaveReportSize = 384, ScalarPairSize = 64;
    private static readonly byte[] s_intelQe = Convert.FromHexString("939a7233f79c4ca9940a0db3957f0607");

    private readonly byte[] _bytes;
    private Range _signed, _body, _signature, _key, _qeReport, _qeSignature, _qeAuthentication;

    private Quote(byte[] bytes) => _bytes = bytes;

    /// <summary>Version of the format: 3, 4 or 5.</summary>
    public ushort Version => BinaryPrimitives.ReadUInt16LittleEndian(_bytes);
    /// <summary>What the quote is about.</summary>
    public QuoteTee Tee { get; private set; }
    /// <summary>True for a TD 1.5 body, which says what TCB the domain would have after a relaunch.</summary>
    public bool IsTd15 => Body.Length == Td15BodySize;
    /// <summary>The body: an enclave report of 384 bytes, or a TD report of 584 or 648.</summary>
    public ReadOnlySpan<byte> Body => _bytes.AsSpan(_body);
    /// <summary>The report of the quoting enclave, 384 bytes.</summary>
    internal EnclaveReport QeReport => new(_bytes.AsMemory(_qeReport));
    /// <summary>The PCK chain that came inside, leaf first; empty when the quote carries none.</summary>
    internal IReadOnlyList<DerCertificate> Chain { get; private set; } = [];
    /// <summary>The 64 bytes that the enclave chose.</summary>
    public ReadOnlySpan<byte> ReportData => Tee is QuoteTee.Sgx ? Body.Slice(320, 64) : Body.Slice(520, 64);

    /// <summary>Reads a quote.</summary>
    /// <param name="bytes">The quote.</param>
    /// <param name="quote">The quote, when it could be read.</param>
    /// <param name="code">Otherwise <c>Format</c> or <c>Unsupported</c>.</param>
    /// <param name="fault">Otherwise what is wrong.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Quote? quote, out string code, out string fault)
    {
        quote = new Quote(bytes.ToArray());
        try
        {
            (code, fault) = quote.Read();
        }
        catch (ArgumentOutOfRangeException)
        {
            (code, fault) = ("Format", "a length goes beyond the quote's end");
        }

        if (code.Length > 0)
            quote = null;
        return quote is not null;
    }

    /// <summary>True when the attestation key signed header and body.</summary>
    internal bool IsSigned() => Verify(_bytes.AsSpan(_key), _bytes.AsSpan(_signed), _bytes.AsSpan(_signature));

    /// <summary>True when the PCK key signed the quoting enclave's report.</summary>
    internal bool IsQeReportSignedBy(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        try
        {
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out _);
            return key.KeySize == 256 && key.VerifyData(_bytes.AsSpan(_qeReport), _bytes.AsSpan(_qeSignature), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (Exception failure) when (KeyRefusal.Is(failure))
        {
            return false;   // the answer: this key verifies nothing
        }
    }

    /// <summary>True when the quoting enclave's report is about the attestation key: SHA-256(key | authentication data) and 32 zero bytes.</summary>
    internal bool IsKeyBound()
    {
        Span<byte> expected = stackalloc byte[64];
        SHA256.HashData([.. _bytes.AsSpan(_key), .. _bytes.AsSpan(_qeAuthentication)], expected);
        return CryptographicOperations.FixedTimeEquals(expected, QeReport.ReportData);
    }

    private (string Code, string Fault) Read()
    {
        if (_bytes.Length < HeaderSize)
            return ("Format", "it is shorter than a header");
        var keyType = BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(2));
        var tee = Version >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(4)) : 0;
        if (Version is < 3 or > 5)
            return ("Unsupported", $"quote version {Version} is not known");
        if (keyType != 2)
            return ("Unsupported", $"attestation key type {keyType} is not ECDSA P-256");
        if (tee is not (0 or 0x81))
            return ("Unsupported", $"TEE type 0x{tee:x} is not known");
        if (!_bytes.AsSpan(12, 16).SequenceEqual(s_intelQe))
            return ("Unsupported", "the quoting enclave's vendor is not Intel");
        Tee = (QuoteTee)tee;

        var (bodyAt, bodySize) = (HeaderSize, Tee is QuoteTee.Sgx ? SgxBodySize : Td10BodySize);
        if (Version == 5)
        {
            var type = BinaryPrimitives.ReadUInt16LittleEndian(Take(HeaderSize, 6));
            (bodyAt, bodySize) = (HeaderSize + 6, type switch { 1 => SgxBodySize, 2 => Td10BodySize, 3 => Td15BodySize, _ => -1 });
            if (bodySize < 0 || (type == 1) != (Tee is QuoteTee.Sgx))
                return ("Unsupported", $"body type {type} is not known for this TEE");
            if (BinaryPrimitives.ReadUInt32LittleEndian(Take(HeaderSize + 2, 4)) != bodySize)
                return ("Format", "the body's size is not its type's");
        }

        _body = new Range(bodyAt, bodyAt + bodySize);
        _signed = new Range(0, bodyAt + bodySize);
        _ = Take(bodyAt, bodySize);
        return ReadSignatureData(bodyAt + bodySize);
    }

    private (string Code, string Fault) ReadSignatureData(int at)
    {
        var length = Length32(at);
        at += 4;
        var end = at + length;
        _ = Take(at, length);
        _signature = Next(ref at, ScalarPairSize, end);
        _key = Next(ref at, ScalarPairSize, end);
        if (Version >= 4)
        {
            var type = BinaryPrimitives.ReadUInt16LittleEndian(Take(at, 2));
            if (type != 6)
                return ("Unsupported", $"certification data type {type} is not a quoting enclave's report");
            var inner = Length32(at + 2);
            at += 6;
            end = Math.Min(end, at + inner);
            _ = Take(at, inner);
        }

        _qeReport = Next(ref at, EnclaveReportSize, end);
        _qeSignature = Next(ref at, ScalarPairSize, end);
        var authentication = BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(Next(ref at, 2, end)));
        _qeAuthentication = Next(ref at, authentication, end);
        var certification = BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(Next(ref at, 2, end)));
        if (certification != 5)
            return ("Unsupported", $"certification data type {certification} carries no PCK chain");
        var size = Length32(Next(ref at, 4, end).Start.Value);
        return ReadChain(_bytes.AsMemory(Next(ref at, size, end)));
    }

    private (string Code, string Fault) ReadChain(ReadOnlyMemory<byte> pem)
    {
        var chain = new List<DerCertificate>();
        try
        {
            foreach (var der in PemBlocks.All(pem, "CERTIFICATE"))
            {
                if (!DerCertificate.TryRead(der, out var certificate))
                    return ("CertFormat", "a certificate of the PCK chain cannot be read");
                chain.Add(certificate!);
            }
        }
        catch (FormatException)
        {
            return ("CertFormat", "the PCK chain is no PEM text");
        }

        Chain = chain;
        return ("", "");
    }

    private ReadOnlySpan<byte> Take(int at, int length) => _bytes.AsSpan(at, length);

    private int Length32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(Take(at, 4)) is var length && length <= (uint)_bytes.Length ? (int)length : throw new ArgumentOutOfRangeException(nameof(at));

    private static Range Next(ref int at, int length, int end)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, end - at);
        var range = new Range(at, at + length);
        at += length;
        return range;
    }

    private static bool Verify(ReadOnlySpan<byte> point, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        try
        {
            using var key = ECDsa.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new() { X = point[..32].ToArray(), Y = point[32..].ToArray() },
            });
            return key.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (Exception failure) when (KeyRefusal.Is(failure))
        {
            return false;   // the answer: the point is not on the curve
        }
    }
}

/// <summary>An SGX enclave report, 384 bytes.</summary>
internal readonly record struct EnclaveReport(ReadOnlyMemory<byte> Bytes)
{
    internal ReadOnlySpan<byte> MiscSelect => Bytes.Span.Slice(16, 4);
    internal ReadOnlySpan<byte> Attributes => Bytes.Span.Slice(48, 16);
    internal ReadOnlySpan<byte> MrEnclave => Bytes.Span.Slice(64, 32);
    internal ReadOnlySpan<byte> MrSigner => Bytes.Span.Slice(128, 32);
    internal ushort IsvProdId => BinaryPrimitives.ReadUInt16LittleEndian(Bytes.Span[256..]);
    internal ushort IsvSvn => BinaryPrimitives.ReadUInt16LittleEndian(Bytes.Span[258..]);
    internal ReadOnlySpan<byte> ReportData => Bytes.Span.Slice(320, 64);
    internal bool IsDebug => (Attributes[0] & 2) != 0;
}

/// <summary>A TD report's body, 584 or 648 bytes.</summary>
internal readonly record struct TdReport(ReadOnlyMemory<byte> Bytes)
{
    internal ReadOnlySpan<byte> TeeTcbSvn => Bytes.Span[..16];
    internal ReadOnlySpan<byte> MrSeam => Bytes.Span.Slice(16, 48);
    internal ReadOnlySpan<byte> MrSignerSeam => Bytes.Span.Slice(64, 48);
    internal ReadOnlySpan<byte> SeamAttributes => Bytes.Span.Slice(112, 8);
    internal ReadOnlySpan<byte> TdAttributes => Bytes.Span.Slice(120, 8);
    internal ReadOnlySpan<byte> Xfam => Bytes.Span.Slice(128, 8);
    internal ReadOnlySpan<byte> MrTd => Bytes.Span.Slice(136, 48);
    internal ReadOnlySpan<byte> MrConfigId => Bytes.Span.Slice(184, 48);
    internal ReadOnlySpan<byte> Rtmr(int index) => Bytes.Span.Slice(328 + 48 * index, 48);
    internal ReadOnlySpan<byte> TeeTcbSvn2 => Bytes.Length > 584 ? Bytes.Span.Slice(584, 16) : default;
    internal ReadOnlySpan<byte> MrServiceTd => Bytes.Length > 584 ? Bytes.Span.Slice(600, 48) : default;
    /// <summary>Any of the bits 7:0 makes the domain's memory readable or its state untrusted.</summary>
    internal bool IsDebug => TdAttributes[0] != 0;
}
