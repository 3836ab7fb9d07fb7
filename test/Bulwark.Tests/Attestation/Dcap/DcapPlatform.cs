using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Bulwark.Attestation;
using Bulwark.Attestation.Dcap;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Attestation.Dcap;

/// <summary>An Intel platform that does not exist: its certificates, its quoting enclave, and what its vendor publishes.</summary>
internal sealed class DcapPlatform : IDisposable
{
    internal static readonly byte[] Piid = [.. Enumerable.Range(0x40, 16).Select(number => (byte)number)], ReportData = [.. Enumerable.Repeat((byte)0xDA, 64)];
    private static readonly byte[] s_fmspc = [0, 0x80, 0x6F, 5, 0, 0], s_qeSigner = [.. Enumerable.Repeat((byte)0x51, 32)];
    private const string Intel = "1.2.840.113741.1.13.1";
    private readonly ECDsa _rootKey = New(), _caKey = New(), _pckKey = New(), _tcbKey = New(), _attestationKey = New();

    internal DcapPlatform()
    {
        Root = AttestationPki.EcRoot(_rootKey, "CN=Intel SGX Root CA");
        Authority = AttestationPki.Request(_caKey, "CN=Intel SGX PCK Platform CA", authority: true).Issue(Root, _rootKey, 2);
        Pck = Leaf();
        TcbSigning = AttestationPki.Request(_tcbKey, "CN=Intel SGX TCB Signing", authority: false).Issue(Root, _rootKey, 4);
    }

    internal X509Certificate2 Root { get; }
    internal X509Certificate2 Authority { get; }
    internal X509Certificate2 Pck { get; }
    internal X509Certificate2 TcbSigning { get; }

    internal DcapPolicy Policy(bool tdx = true) => new()
    {
        Roots = [Root.KeyDigest()],
        Platforms = [Convert.ToHexStringLower(Piid)],
        Measurements = [Convert.ToHexStringLower(Enumerable.Repeat((byte)0x4D, tdx ? 48 : 32).ToArray())],
        MinimumEvaluationNumber = 17,
        MaximumCollateralAge = TimeSpan.FromDays(30),
        Registers = tdx ? new Dictionary<int, IReadOnlyList<string>> { [1] = [Convert.ToHexStringLower(Enumerable.Repeat((byte)0x71, 48).ToArray())] } : [],
        TdAttributes = "0000001000000000",
        Xfam = "e718060000000000",
    };

    internal static PlatformAppraisal Verify(byte[] quote, byte[] collateral, DcapPolicy policy, DateTimeOffset? now = null) =>
        new DcapVerifier(policy, new FakeTimeProvider(now ?? AttestationPki.Now)).Verify(quote, collateral, ReportData);

    internal X509Certificate2 Leaf(bool withExtension = true, DateTimeOffset? end = null)
    {
        var request = AttestationPki.Request(_pckKey, "CN=Intel SGX PCK Certificate", authority: false);
        if (withExtension)
            request.CertificateExtensions.Add(new X509Extension(Intel, Extension(), false));
        return request.Issue(Authority, _caKey, 3, end);
    }

    /// <summary>A quote: TDX version 4, TDX 1.5 version 5, or SGX version 3.</summary>
    internal byte[] Quote(Action<byte[]>? body = null, Action<byte[]>? qe = null, X509Certificate2? pck = null, bool tdx = true, bool td15 = false, ECDsa? qeSigner = null, ECDsa? quoteSigner = null)
    {
        var report = tdx ? TdBody(td15) : EnclaveBody();
        body?.Invoke(report);
        byte[] head = [(byte)(td15 ? 5 : tdx ? 4 : 3), 0, 2, 0, .. tdx ? (byte[])[0x81, 0, 0, 0] : new byte[4], 0, 0, 0, 0, .. Convert.FromHexString("939a7233f79c4ca9940a0db3957f0607"), .. new byte[20]];
        byte[] signed = [.. head, .. td15 ? (byte[])[3, 0, 0x88, 2, 0, 0] : [], .. report];
        var point = _attestationKey.ExportParameters(false).Q;
        byte[] key = [.. point.X!, .. point.Y!], authentication = [1, 2, 3, 4];
        var enclave = Enclave(key, authentication);
        qe?.Invoke(enclave);
        var chain = Encoding.ASCII.GetBytes(string.Join("\n", ((X509Certificate2[])[pck ?? Pck, Authority, Root]).Select(one => one.ExportCertificatePem())));
        byte[] certification = [.. enclave, .. Sign(qeSigner ?? _pckKey, enclave), 4, 0, .. authentication, 5, 0, .. UInt32(chain.Length), .. chain];
        byte[] data = [.. Sign(quoteSigner ?? _attestationKey, signed), .. key, .. tdx ? [6, 0, .. UInt32(certification.Length)] : (byte[])[], .. certification];
        return [.. signed, .. UInt32(data.Length), .. data];
    }

    /// <summary>The vendor's documents, each changed before it is signed.</summary>
    internal byte[] Collateral(Action<JsonObject>? tcbInfo = null, Action<JsonObject>? identity = null, Action<JsonObject>? whole = null, bool tdx = true, ECDsa? signer = null, X509Certificate2? signing = null,
        byte[]? pckList = null, byte[]? rootList = null, DateTimeOffset? listDate = null)
    {
        var (info, enclave) = (TcbInfo(tdx), Identity(tdx));
        tcbInfo?.Invoke(info);
        identity?.Invoke(enclave);
        var (infoText, enclaveText) = (info.ToJsonString(), enclave.ToJsonString());
        var chain = $"{(signing ?? TcbSigning).ExportCertificatePem()}\n{Root.ExportCertificatePem()}\n";
        var date = listDate ?? AttestationPki.Now;
        var document = new JsonObject
        {
            ["tcb_info"] = infoText,
            ["tcb_info_signature"] = Convert.ToHexStringLower(Sign(signer ?? _tcbKey, Encoding.UTF8.GetBytes(infoText))),
            ["tcb_info_issuer_chain"] = chain,
            ["qe_identity"] = enclaveText,
            ["qe_identity_signature"] = Convert.ToHexStringLower(Sign(signer ?? _tcbKey, Encoding.UTF8.GetBytes(enclaveText))),
            ["qe_identity_issuer_chain"] = chain,
            ["pck_crl"] = Convert.ToHexStringLower(pckList ?? AttestationPki.RevocationList(Authority, _caKey, date)),
            ["root_ca_crl"] = Convert.ToHexStringLower(rootList ?? AttestationPki.RevocationList(Root, _rootKey, date)),
        };
        whole?.Invoke(document);
        return Encoding.UTF8.GetBytes(document.ToJsonString());
    }

    internal byte[] PckList(params X509Certificate2[] revoked) => AttestationPki.RevocationList(Authority, _caKey, AttestationPki.Now, revoked);

    internal byte[] RootList(params X509Certificate2[] revoked) => AttestationPki.RevocationList(Root, _rootKey, AttestationPki.Now, revoked);

    internal X509Certificate2 Signing(DateTimeOffset? end) => AttestationPki.Request(_tcbKey, "CN=Intel SGX TCB Signing", authority: false).Issue(Root, _rootKey, 5, end);

    public void Dispose()
    {
        foreach (var key in (ECDsa[])[_rootKey, _caKey, _pckKey, _tcbKey, _attestationKey])
            key.Dispose();
        foreach (var certificate in (X509Certificate2[])[Root, Authority, Pck, TcbSigning])
            certificate.Dispose();
    }

    private static JsonObject TcbInfo(bool tdx)
    {
        static JsonArray Components(int svn) => [.. Enumerable.Range(0, 16).Select(_ => (JsonNode)new JsonObject { ["svn"] = svn })];
        JsonObject Level(int svn, string status, params string[] advisories)
        {
            var tcb = new JsonObject { ["sgxtcbcomponents"] = Components(svn), ["pcesvn"] = svn };
            if (tdx)
                tcb["tdxtcbcomponents"] = Components(svn);
            var level = new JsonObject { ["tcb"] = tcb, ["tcbDate"] = "2026-03-01T00:00:00Z", ["tcbStatus"] = status };
            if (advisories.Length > 0)
                level["advisoryIDs"] = new JsonArray([.. advisories.Select(one => (JsonNode)one)]);
            return level;
        }

        var info = new JsonObject
        {
            ["id"] = tdx ? "TDX" : "SGX",
            ["version"] = 3,
            ["issueDate"] = "2026-05-20T00:00:00Z",
            ["nextUpdate"] = "2026-06-19T00:00:00Z",
            ["fmspc"] = Convert.ToHexString(s_fmspc),
            ["pceId"] = "0000",
            ["tcbEvaluationDataNumber"] = 17,
            ["tcbLevels"] = new JsonArray(Level(5, "UpToDate"), Level(3, "OutOfDate", "INTEL-SA-00615")),
        };
        if (tdx)
        {
            info["tdxModule"] = new JsonObject { ["mrsigner"] = new string('0', 96), ["attributes"] = new string('0', 16), ["attributesMask"] = new string('F', 16) };
            info["tdxModuleIdentities"] = new JsonArray(new JsonObject
            {
                ["id"] = "TDX_01",
                ["mrsigner"] = new string('0', 96),
                ["attributes"] = new string('0', 16),
                ["attributesMask"] = new string('F', 16),
                ["tcbLevels"] = new JsonArray(new JsonObject { ["tcb"] = new JsonObject { ["isvsvn"] = 5 }, ["tcbDate"] = "2026-03-01T00:00:00Z", ["tcbStatus"] = "UpToDate" }),
            });
        }

        return info;
    }

    private static JsonObject Identity(bool tdx) => new()
    {
        ["id"] = tdx ? "TD_QE" : "QE",
        ["version"] = 2,
        ["issueDate"] = "2026-05-20T00:00:00Z",
        ["nextUpdate"] = "2026-06-19T00:00:00Z",
        ["tcbEvaluationDataNumber"] = 17,
        ["miscselect"] = "00000000",
        ["miscselectMask"] = "FFFFFFFF",
        ["attributes"] = "11000000000000000000000000000000",
        ["attributesMask"] = "FBFFFFFFFFFFFFFF0000000000000000",
        ["mrsigner"] = Convert.ToHexString(s_qeSigner),
        ["isvprodid"] = 2,
        ["tcbLevels"] = new JsonArray(new JsonObject { ["tcb"] = new JsonObject { ["isvsvn"] = 4 }, ["tcbDate"] = "2026-03-01T00:00:00Z", ["tcbStatus"] = "UpToDate" }),
    };

    private static byte[] TdBody(bool td15)
    {
        var body = new byte[td15 ? 648 : 584];
        body.AsSpan(0, 16).Fill(5);
        (body[1], body[0]) = (1, 5);
        body[120 + 3] = 0x10;
        Convert.FromHexString("e718060000000000").CopyTo(body.AsSpan(128));
        body.AsSpan(136, 48).Fill(0x4D);
        for (var register = 0; register < 4; register++)
            body.AsSpan(328 + 48 * register, 48).Fill((byte)(0x70 + register));
        ReportData.CopyTo(body.AsSpan(520));
        if (td15)
            body.AsSpan(0, 16).CopyTo(body.AsSpan(584));
        return body;
    }

    private static byte[] EnclaveBody()
    {
        var body = new byte[384];
        (body[48], body[49]) = (5, 0);
        body.AsSpan(64, 32).Fill(0x4D);
        ReportData.CopyTo(body.AsSpan(320));
        return body;
    }

    private static byte[] Enclave(byte[] key, byte[] authentication)
    {
        var report = new byte[384];
        report[48] = 0x11;
        s_qeSigner.CopyTo(report.AsSpan(128));
        BinaryPrimitives.WriteUInt16LittleEndian(report.AsSpan(256), 2);
        BinaryPrimitives.WriteUInt16LittleEndian(report.AsSpan(258), 4);
        SHA256.HashData([.. key, .. authentication], report.AsSpan(320));
        return report;
    }

    private static byte[] Extension()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        void Octets(string part, byte[] value)
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier($"{Intel}.{part}");
                writer.WriteOctetString(value);
            }
        }

        using (writer.PushSequence())
        {
            Octets("1", [.. Enumerable.Range(0x20, 16).Select(number => (byte)number)]);
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier($"{Intel}.2");
                using (writer.PushSequence())
                {
                    for (var component = 1; component <= 17; component++)
                    {
                        using (writer.PushSequence())
                        {
                            writer.WriteObjectIdentifier($"{Intel}.2.{component}");
                            writer.WriteInteger(5);
                        }
                    }
                }
            }

            Octets("3", [0, 0]);
            Octets("4", s_fmspc);
            Octets("6", Piid);
        }

        return writer.Encode();
    }

    private static ECDsa New() => ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static byte[] Sign(ECDsa key, byte[] data) => key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    private static byte[] UInt32(int value) => BitConverter.GetBytes(value);
}
