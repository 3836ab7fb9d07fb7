using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Bulwark.Attestation.Nvidia;

namespace Bulwark.Tests.Attestation.Nvidia;

/// <summary>A GPU of a vendor that does not exist: root, device and report keys on P-384, and reports that they sign.</summary>
internal sealed class GpuPlatform : IDisposable
{
    private readonly ECDsa _root = ECDsa.Create(ECCurve.NamedCurves.nistP384), _device = ECDsa.Create(ECCurve.NamedCurves.nistP384), _leaf = ECDsa.Create(ECCurve.NamedCurves.nistP384);
    private readonly byte[] _firmware = SHA384.HashData("firmware"u8);

    internal GpuPlatform()
    {
        Root = AttestationPki.EcRoot(_root, "CN=GPU Root");
        Device = AttestationPki.Request(_device, "CN=GPU 1", authority: true).Issue(Root, _root, 2);
        var leaf = AttestationPki.Request(_leaf, "CN=GPU 1 Reports", authority: false);
        leaf.CertificateExtensions.Add(new X509Extension("2.23.133.5.4.1", FirmwareId(_firmware), critical: false));
        Leaf = leaf.Issue(Device, _device, 3);
    }

    internal X509Certificate2 Root { get; }
    internal X509Certificate2 Device { get; }
    internal X509Certificate2 Leaf { get; }

    internal byte[] Chain => Pem(Leaf, Device, Root);

    internal NvidiaPolicy Policy => new()
    {
        Roots = [Root.KeyDigest()],
        Platforms = [Convert.ToHexStringLower(Device.KeyDigest().Bytes)],
        Measurements = new Dictionary<int, IReadOnlyList<string>> { [1] = [Value(1)], [2] = [Value(2)] },
        Drivers = ["550.1"],
        VideoBios = ["0102030405060708"],
        WithoutRevocation = true,
    };

    internal static byte[] Pem(params X509Certificate2[] certificates) => Encoding.ASCII.GetBytes(string.Join("\n", certificates.Select(certificate => certificate.ExportCertificatePem())));

    internal static string Value(int index) => Convert.ToHexStringLower(SHA384.HashData([(byte)index]));

    /// <summary>A report over a nonce, bent before it is signed.</summary>
    internal byte[] Report(byte[] nonce, Action<byte[]>? bend = null)
    {
        byte[] record = [.. Enumerable.Range(1, 2).SelectMany(index => (byte[])[(byte)index, 1, 51, 0, 1, 48, 0, .. SHA384.HashData([(byte)index])])];
        byte[] opaque = [.. Field(3, "550.1\0"u8), .. Field(6, [1, 2, 3, 4, 5, 6, 7, 8]), .. Field(20, _firmware)];
        byte[] body = [0x11, 0xE0, 1, 0xFF, .. nonce, 0, 0x11, 0x60, 0, 0, 2, (byte)record.Length, 0, 0, .. record, .. new byte[32], (byte)opaque.Length, 0, .. opaque];
        bend?.Invoke(body);
        return [.. body, .. _leaf.SignData(body, HashAlgorithmName.SHA384)];
    }

    public void Dispose()
    {
        foreach (var certificate in new[] { Root, Device, Leaf })
            certificate.Dispose();
        foreach (var key in new[] { _root, _device, _leaf })
            key.Dispose();
    }

    private static byte[] Field(ushort type, ReadOnlySpan<byte> value) => [(byte)type, 0, (byte)value.Length, 0, .. value];

    private static byte[] FirmwareId(byte[] digest)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(1);
            using (writer.PushSequence())
                writer.WriteNull();
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier("2.16.840.1.101.3.4.2.2");
                writer.WriteOctetString(digest);
            }
        }

        return writer.Encode();
    }
}
