using Bulwark.Attestation.Certificates;
using Bulwark.Attestation.Snp;
using Bulwark.Attestation.Tpm;

namespace Bulwark.Tests.Attestation;

/// <summary>Whatever an attacker writes into a certificate or a key, reading it is an answer, never an exception.</summary>
public sealed class HostileCertificateTests(HardwareWorld world) : IClassFixture<HardwareWorld>
{
    [Fact]
    public void A_certificate_with_any_byte_changed_is_refused_or_read_and_never_throws()
    {
        byte[][] certificates = [world.Snp.Vcek.RawData, world.Intel.Authority.RawData, world.Tpm.Endorsement.RawData];
        foreach (var genuine in certificates)
        {
            foreach (var at in Enumerable.Range(0, genuine.Length))
            {
                foreach (var change in (byte[])[0x01, 0x80, 0xFF])
                {
                    var bytes = genuine.ToArray();
                    bytes[at] ^= change;
                    if (!DerCertificate.TryRead(bytes, out var certificate))
                        continue;
                    _ = (certificate!.CommonName, certificate.IsAuthority, SnpCertificate.Read(certificate, out _));
                    Assert.False(certificate.IsIssuedBy(certificate));
                }
            }
        }
    }

    [Fact]
    public void A_key_whose_modulus_is_zero_or_short_is_no_key()
    {
        byte[] Rsa(byte first, int size)
        {
            byte[] area = [0, 1, 0, 0x0B, 0, 5, 0, 0x72, 0, 0, 0, 0x10, 0, 0x14, 0, 0x0B, (byte)(size * 8 >> 8), (byte)(size * 8), 0, 0, 0, 0, (byte)(size >> 8), (byte)size, first, .. new byte[size - 1]];
            return [(byte)(area.Length >> 8), (byte)area.Length, .. area];
        }

        Assert.False(TpmPublic.TryRead(Rsa(0, 256), out _));
        Assert.False(TpmPublic.TryRead(Rsa(0xC0, 64), out _));
        Assert.True(TpmPublic.TryRead(Rsa(0xC0, 256), out _));
    }
}
