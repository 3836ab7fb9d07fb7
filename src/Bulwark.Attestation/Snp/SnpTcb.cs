using System.Globalization;
using System.Text.Json.Serialization;

namespace Bulwark.Attestation.Snp;

/// <summary>AMD's product lines, which order the bytes of a TCB version differently.</summary>
[JsonConverter(typeof(NamesOnlyConverter<SnpProduct>))]
public enum SnpProduct
{
    /// <summary>Not known to this version; refuses.</summary>
    [JsonStringEnumMemberName("unknown")] Unknown = 0,
    /// <summary>EPYC 7003, family 19h models 0h to Fh.</summary>
    [JsonStringEnumMemberName("milan")] Milan,
    /// <summary>EPYC 9004 and 8004, family 19h models 10h to 1Fh and A0h to AFh.</summary>
    [JsonStringEnumMemberName("genoa")] Genoa,
    /// <summary>EPYC 9005, family 1Ah.</summary>
    [JsonStringEnumMemberName("turin")] Turin,
}

/// <summary>Security version numbers of a platform's firmware (AMD 56860, TCB_VERSION).</summary>
/// <param name="BootLoader">Boot loader.</param>
/// <param name="Tee">Trusted execution environment.</param>
/// <param name="Snp">SNP firmware.</param>
/// <param name="Microcode">Microcode.</param>
/// <param name="Fmc">Firmware measurement component; Turin and later, else 0.</param>
public readonly record struct SnpTcb(byte BootLoader, byte Tee, byte Snp, byte Microcode, byte Fmc = 0)
{
    /// <summary>Reads the eight bytes in a product's order.</summary>
    /// <param name="bytes">8 bytes.</param>
    /// <param name="product">Whose order it is.</param>
    public static SnpTcb Read(ReadOnlySpan<byte> bytes, SnpProduct product) => product is SnpProduct.Turin
        ? new(bytes[1], bytes[2], bytes[3], bytes[7], bytes[0])
        : new(bytes[0], bytes[1], bytes[6], bytes[7]);

    /// <summary>True when no component is below the floor's.</summary>
    public bool IsAtLeast(SnpTcb floor) => BootLoader >= floor.BootLoader && Tee >= floor.Tee && Snp >= floor.Snp && Microcode >= floor.Microcode && Fmc >= floor.Fmc;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"bl {BootLoader}, tee {Tee}, snp {Snp}, ucode {Microcode}{(Fmc > 0 ? $", fmc {Fmc}" : "")}");
}
