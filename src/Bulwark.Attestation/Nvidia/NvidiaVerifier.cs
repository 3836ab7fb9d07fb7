using System.Formats.Asn1;
using System.Security.Cryptography;
using Bulwark.Attestation.Certificates;

namespace Bulwark.Attestation.Nvidia;

/// <summary>Appraises a GPU's report: chain to the pinned root, signature, nonce, the firmware that the key was derived for, and what the policy asks.</summary>
/// <remarks>The report binds a GPU to a nonce. That the GPU is the one that this guest computes on is the driver's word, which the processor's measurement covers.</remarks>
internal sealed class NvidiaVerifier(NvidiaPolicy policy, TimeProvider time)
{
    private const string FirmwareExtension = "2.23.133.5.4.1";   // TCG DICE: composite device id
    private const int MostCertificates = 8;

    private static readonly string[] s_names =
    [
        "report", "chain", "root", "signed-chain", "dates", "signature", "nonce", "firmware-id", "platform", "measurements", "driver", "video-bios", "revocation",
    ];

    /// <param name="report">The report's bytes.</param>
    /// <param name="chain">The certificates as PEM, the report's signer first, the root last.</param>
    /// <param name="nonce">What it must have been asked with, 32 bytes.</param>
    internal PlatformAppraisal Verify(ReadOnlyMemory<byte> report, ReadOnlyMemory<byte> chain, ReadOnlySpan<byte> nonce)
    {
        var legs = new Legs();
        var readable = legs.Check("report", GpuReport.TryRead(report, out var read), "the GPU's report cannot be read", code: "Format");
        var certificates = Chain(chain);
        var chained = legs.Check("chain", certificates is { Count: >= 2 }, "the GPU's certificates cannot be read", code: "Format");
        if (!readable || !chained)
            return new() { Legs = legs.Complete(s_names) };

        var steps = new Legs();
        new ChainCheck("gpu", certificates!, policy.Roots).AddTo(steps, time.GetUtcNow());
        legs.Done.AddRange(steps.Done.Select(leg => leg with { Name = leg.Name switch { "gpu-root" => "root", "gpu-chain" => "signed-chain", _ => "dates" } }));
        var (leaf, device) = (certificates![0], certificates[1]);
        legs.Check("signature", read!.IsSignedBy(leaf.PublicKey.Span), "the certificate's key did not sign this report", code: "Signature");
        legs.Check("nonce", nonce.Length == GpuReport.NonceSize && CryptographicOperations.FixedTimeEquals(read.Nonce, nonce), "the report is not about this nonce", code: "Binding");
        var firmware = FirmwareOf(leaf);
        legs.Check("firmware-id", firmware.Length > 0 && firmware.Span.SequenceEqual(read.FirmwareId.Span), "the report's firmware is not the one that its key was derived for", code: "FirmwareId");
        Policy(legs, read, Convert.ToHexStringLower(device.KeyDigest.Bytes));
        return new()
        {
            Legs = legs.Complete(s_names),
            Claims = Claims(read, device),
            PlatformId = Convert.ToHexStringLower(device.KeyDigest.Bytes),
            ValidUntil = certificates.Min(certificate => certificate.NotAfter),
        };
    }

    private void Policy(Legs legs, GpuReport report, string platform)
    {
        if (policy.AnyPlatform)
            legs.Waive("platform", "any: the policy lets every GPU in, also one that an attacker owns");
        else
            legs.Require("platform", policy.Platforms.Contains(platform, StringComparer.OrdinalIgnoreCase), "the policy does not let this GPU in", code: "Platform");
        if (policy.AnyMeasurement)
            legs.Waive("measurements", "any: the policy lets every firmware and driver in");
        else
            legs.Require("measurements", policy.Measurements.Count > 0 && policy.Measurements.All(let => report.Values.TryGetValue(let.Key, out var value) && let.Value.Contains(Convert.ToHexStringLower(value.Span), StringComparer.OrdinalIgnoreCase)),
                "a measurement is not one that the policy lets in", code: "Measurement");
        legs.Require("driver", policy.Drivers.Count == 0 || policy.Drivers.Contains(report.Driver, StringComparer.Ordinal), $"the policy does not let the driver {report.Driver} in", code: "Driver");
        legs.Require("video-bios", policy.VideoBios.Count == 0 || policy.VideoBios.Contains(report.VideoBios, StringComparer.OrdinalIgnoreCase), $"the policy does not let the video BIOS {report.VideoBios} in", code: "VideoBios");
        if (policy.WithoutRevocation)
            legs.Waive("revocation", "NVIDIA answers for revocation by OCSP only; the policy takes that it is not asked");
        else
            legs.Require("revocation", false, "there is no revocation data: NVIDIA answers by OCSP only, which this version does not ask", code: "NoRevocationData");
    }

    private static Dictionary<string, string> Claims(GpuReport report, DerCertificate device)
    {
        var claims = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["gpu.model"] = device.CommonName,
            ["gpu.driver"] = report.Driver,
            ["gpu.videoBios"] = report.VideoBios,
            ["gpu.nonce"] = Convert.ToHexStringLower(report.Nonce),
        };
        foreach (var (index, value) in report.Values)
            if (value.Span.ContainsAnyExcept((byte)0))
                claims[$"gpu.measurement.{index}"] = Convert.ToHexStringLower(value.Span);
        return claims;
    }

    private static List<DerCertificate>? Chain(ReadOnlyMemory<byte> pem)
    {
        try
        {
            var chain = new List<DerCertificate>();
            foreach (var block in PemBlocks.All(pem, "CERTIFICATE").Take(MostCertificates + 1))
            {
                if (chain.Count == MostCertificates || !DerCertificate.TryRead(block, out var certificate))
                    return null;
                chain.Add(certificate!);
            }

            return chain;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>SEQUENCE { version, key, SEQUENCE { hash, digest } }.</summary>
    private static ReadOnlyMemory<byte> FirmwareOf(DerCertificate leaf)
    {
        if (leaf.Extension(FirmwareExtension) is not { } extension)
            return default;
        try
        {
            var id = new AsnReader(extension, AsnEncodingRules.DER).ReadSequence();
            _ = (id.ReadInteger(), id.ReadEncodedValue());
            var digest = id.ReadSequence();
            return digest.ReadObjectIdentifier() == "2.16.840.1.101.3.4.2.2" ? digest.ReadOctetString() : default;
        }
        catch (AsnContentException)
        {
            return default;
        }
    }
}
