using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bulwark.Attestation.Snp;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Attestation.Snp;

/// <summary>A Genoa platform that does not exist: its chain, its chip's key, and reports as its firmware would make them.</summary>
internal sealed class SnpPlatform : IDisposable
{
    private const string Prefix = "1.3.6.1.4.1.3704.1";
    internal static readonly byte[] Chip = [.. Enumerable.Range(1, 64).Select(number => (byte)number)];
    private readonly RSA _arkKey = RSA.Create(2048), _askKey = RSA.Create(2048);
    private readonly ECDsa _chipKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);

    internal SnpPlatform()
    {
        Ark = AttestationPki.RsaRoot(_arkKey, "CN=ARK-Genoa");
        Ask = AttestationPki.Request(_askKey, "CN=SEV-Genoa", authority: true).Issue(Ark, _arkKey, 2);
        Vcek = Leaf("SEV-VCEK", (".4", Chip));
    }

    internal X509Certificate2 Ark { get; }
    internal X509Certificate2 Ask { get; }
    internal X509Certificate2 Vcek { get; }

    internal X509Certificate2 Leaf(string name, params (string Part, byte[]? Value)[] changes) => Leaf(name, null, changes);

    /// <summary>A leaf with the extensions of TCB 10, 0, 23, 84; a change of null leaves one out.</summary>
    internal X509Certificate2 Leaf(string name, DateTimeOffset? end, params (string Part, byte[]? Value)[] changes)
    {
        var extensions = new Dictionary<string, byte[]?>
        {
            [".1"] = Integer(1),
            [".2"] = Text("Genoa"),
            [".3.1"] = Integer(10),
            [".3.2"] = Integer(0),
            [".3.3"] = Integer(23),
            [".3.8"] = Integer(84),
        };
        foreach (var (part, value) in changes)
            extensions[part] = value;
        var request = AttestationPki.Request(_chipKey, $"CN={name}", authority: false);
        foreach (var (part, value) in extensions.Where(extension => extension.Value is not null))
            request.CertificateExtensions.Add(new X509Extension(Prefix + part, value!, false));
        return request.Issue(Ask, _askKey, 3, end);
    }

    internal byte[] RevocationList(params X509Certificate2[] revoked) => AttestationPki.RevocationList(Ark, _arkKey, AttestationPki.Now, revoked);

    /// <summary>A report of version 3, changed before it is signed.</summary>
    internal byte[] Report(Action<byte[]>? change = null)
    {
        var report = new byte[SnpReport.SizeInBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(report, 3);
        BinaryPrimitives.WriteUInt64LittleEndian(report.AsSpan(0x008), 0x30000);
        BinaryPrimitives.WriteUInt32LittleEndian(report.AsSpan(0x034), 1);
        BinaryPrimitives.WriteUInt64LittleEndian(report.AsSpan(0x040), 0x27);
        report.AsSpan(0x050, 64).Fill(0xDA);
        report.AsSpan(0x090, 48).Fill(0x4D);
        ReadOnlySpan<int> tcbs = [0x038, 0x180, 0x1E0, 0x1F0];
        foreach (var at in tcbs)
            SetTcb(report, at, 23);
        (report[0x188], report[0x189], report[0x18A]) = (0x19, 0x11, 1);
        Chip.CopyTo(report.AsSpan(0x1A0));
        ReadOnlySpan<int> firmware = [0x1E8, 0x1EC];
        foreach (var at in firmware)
            (report[at], report[at + 1], report[at + 2]) = (40, 55, 1);
        change?.Invoke(report);
        return Sign(report);
    }

    internal static void SetTcb(byte[] report, int at, byte snp) => (report[at], report[at + 1], report[at + 6], report[at + 7]) = (10, 0, snp, 84);

    internal SnpEvidence Evidence(byte[]? report = null, X509Certificate2? leaf = null, byte[]? list = null) =>
        new(report ?? Report(), (leaf ?? Vcek).RawData, Ask.RawData, Ark.RawData, list ?? RevocationList());

    internal SnpPolicy Policy => new()
    {
        Roots = [Ark.KeyDigest()],
        Products = new Dictionary<SnpProduct, SnpFloor> { [SnpProduct.Genoa] = new() { Committed = new(10, 0, 23, 84), Launch = new(10, 0, 23, 84) } },
        Platforms = [Convert.ToHexStringLower(Chip)],
        MaximumVmpl = 0,
        Measurements = [Convert.ToHexStringLower(Enumerable.Repeat((byte)0x4D, 48).ToArray())],
    };

    internal static SnpVerifier Verifier(SnpPolicy policy) => new(policy, new FakeTimeProvider(AttestationPki.Now));

    internal static byte[] Integer(int value)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteInteger(value);
        return writer.Encode();
    }

    internal static byte[] Text(string value)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteCharacterString(UniversalTagNumber.IA5String, value);
        return writer.Encode();
    }

    public void Dispose()
    {
        _arkKey.Dispose();
        _askKey.Dispose();
        _chipKey.Dispose();
        Ark.Dispose();
        Ask.Dispose();
        Vcek.Dispose();
    }

    private byte[] Sign(byte[] report)
    {
        var signature = _chipKey.SignData(report.AsSpan(0, 0x2A0), HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        signature.AsSpan(0, 48).Reverse();
        signature.AsSpan(48).Reverse();
        signature.AsSpan(0, 48).CopyTo(report.AsSpan(0x2A0));
        signature.AsSpan(48).CopyTo(report.AsSpan(0x2A0 + 72));
        return report;
    }
}
