using System.Formats.Asn1;
using Bulwark.Attestation.Certificates;

namespace Bulwark.Attestation.Snp;

/// <summary>What AMD's extensions (prefix 1.3.6.1.4.1.3704.1) say in a VCEK or VLEK certificate (AMD 57230).</summary>
/// <param name="Product">Product line, from the product's name.</param>
/// <param name="Tcb">The TCB that the key was derived for.</param>
/// <param name="HardwareId">The chip's id: 64 bytes, 8 on Turin; empty in a VLEK.</param>
/// <param name="ProviderId">The cloud provider that a VLEK was given to; empty in a VCEK.</param>
internal sealed record SnpCertificate(SnpProduct Product, SnpTcb Tcb, ReadOnlyMemory<byte> HardwareId, string ProviderId)
{
    private const string Prefix = "1.3.6.1.4.1.3704.1";

    /// <summary>True for a key of a provider, not of one chip.</summary>
    internal bool IsVlek => HardwareId.Length == 0;

    /// <summary>Reads the extensions.</summary>
    /// <returns>Null when one that must be there is missing or malformed; <paramref name="fault"/> says which.</returns>
    internal static SnpCertificate? Read(DerCertificate certificate, out string fault)
    {
        try
        {
            var name = Required(certificate, "2", value => new AsnReader(value, AsnEncodingRules.DER).ReadCharacterString(UniversalTagNumber.IA5String));
            var product = ProductOf(name);
            if (product is SnpProduct.Unknown)
                throw new AsnContentException($"the product '{name}' is not known");
            var fmc = certificate.Extension(Prefix + ".3.9") is null ? (byte)0 : Svn(certificate, "3.9");
            var tcb = new SnpTcb(Svn(certificate, "3.1"), Svn(certificate, "3.2"), Svn(certificate, "3.3"), Svn(certificate, "3.8"), fmc);
            var provider = certificate.Extension(Prefix + ".5") is { } csp ? new AsnReader(csp, AsnEncodingRules.DER).ReadCharacterString(UniversalTagNumber.IA5String) : "";
            var hardware = certificate.Extension(Prefix + ".4") is { } id ? HardwareIdOf(id) : ReadOnlyMemory<byte>.Empty;
            fault = (certificate.CommonName, hardware.Length, provider.Length) switch
            {
                ("SEV-VCEK", 8 or 64, 0) or ("SEV-VLEK", 0, > 0) => "",
                ("SEV-VCEK", 0, _) => "a VCEK without the chip's id",
                ("SEV-VLEK", _, 0) => "a VLEK without the provider's id",
                _ => "neither a VCEK nor a VLEK by its name and extensions",
            };
            return fault.Length == 0 ? new(product, tcb, hardware, provider) : null;
        }
        catch (AsnContentException failure)
        {
            fault = failure.Message;
            return null;
        }
    }

    private static SnpProduct ProductOf(string name) => name.Split('-')[0] switch
    {
        "Milan" => SnpProduct.Milan,
        "Genoa" or "Bergamo" or "Siena" => SnpProduct.Genoa,
        "Turin" => SnpProduct.Turin,
        _ => SnpProduct.Unknown,
    };

    private static byte Svn(DerCertificate certificate, string part) => Required(certificate, part, value =>
        new AsnReader(value, AsnEncodingRules.DER).ReadInteger() is var number && number >= 0 && number <= 255 ? (byte)number : throw new AsnContentException($"extension .{part} is no byte"));

    /// <summary>AMD wrote the id without DER around it; an OCTET STRING is accepted too.</summary>
    private static ReadOnlyMemory<byte> HardwareIdOf(ReadOnlyMemory<byte> value) =>
        value.Length is 64 or 8 ? value : new AsnReader(value, AsnEncodingRules.DER).ReadOctetString();

    private static T Required<T>(DerCertificate certificate, string part, Func<ReadOnlyMemory<byte>, T> read) =>
        certificate.Extension($"{Prefix}.{part}") is { } value ? read(value) : throw new AsnContentException($"extension .{part} is missing");
}
