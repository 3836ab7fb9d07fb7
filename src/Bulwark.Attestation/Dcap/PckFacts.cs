using System.Formats.Asn1;
using Bulwark.Attestation.Certificates;

namespace Bulwark.Attestation.Dcap;

/// <summary>What Intel's extension 1.2.840.113741.1.13.1 says in a PCK certificate.</summary>
/// <param name="Fmspc">Family, model, stepping, platform type: 6 bytes, which TCB information applies.</param>
/// <param name="PceId">Provisioning certification enclave, 2 bytes.</param>
/// <param name="Components">16 security version numbers of the platform.</param>
/// <param name="PceSvn">Security version number of the provisioning certification enclave.</param>
/// <param name="PlatformInstanceId">16 bytes that name the platform; empty on one-package platforms, which then go by <paramref name="Ppid"/>.</param>
/// <param name="Ppid">16 bytes that name the processor.</param>
internal sealed record PckFacts(ReadOnlyMemory<byte> Fmspc, ReadOnlyMemory<byte> PceId, IReadOnlyList<int> Components, int PceSvn, ReadOnlyMemory<byte> PlatformInstanceId, ReadOnlyMemory<byte> Ppid)
{
    internal const string Extension = "1.2.840.113741.1.13.1";
    private const int ComponentCount = 16;

    /// <summary>Hexadecimal id of the platform.</summary>
    internal string PlatformId => Convert.ToHexStringLower((PlatformInstanceId.Length > 0 ? PlatformInstanceId : Ppid).Span);

    /// <summary>Reads the extension; null when it is missing or malformed.</summary>
    internal static PckFacts? Read(DerCertificate certificate)
    {
        if (certificate.Extension(Extension) is not { } value)
            return null;
        try
        {
            var members = Members(new AsnReader(value, AsnEncodingRules.DER).ReadSequence(), Extension);
            var tcb = Members(new AsnReader(members["2"], AsnEncodingRules.DER).ReadSequence(), Extension + ".2");
            var components = Enumerable.Range(1, ComponentCount).Select(index => Integer(tcb[$"{index}"])).ToList();
            var facts = new PckFacts(Octets(members["4"]), Octets(members["3"]), components, Integer(tcb["17"]),
                members.TryGetValue("6", out var instance) ? Octets(instance) : ReadOnlyMemory<byte>.Empty, Octets(members["1"]));
            return facts.Fmspc.Length == 6 && facts.PceId.Length == 2 ? facts : null;
        }
        catch (Exception failure) when (failure is AsnContentException or KeyNotFoundException or OverflowException)
        {
            return null;   // the answer, not a failure: hostile bytes are expected here
        }
    }

    private static Dictionary<string, ReadOnlyMemory<byte>> Members(AsnReader sequence, string prefix)
    {
        var members = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        while (sequence.HasData)
        {
            var member = sequence.ReadSequence();
            var identifier = member.ReadObjectIdentifier();
            if (!identifier.StartsWith(prefix + ".", StringComparison.Ordinal) || !members.TryAdd(identifier[(prefix.Length + 1)..], member.ReadEncodedValue()))
                throw new AsnContentException("a member is foreign or doubled");
        }

        return members;
    }

    private static int Integer(ReadOnlyMemory<byte> value) => (int)new AsnReader(value, AsnEncodingRules.DER).ReadInteger();
    private static ReadOnlyMemory<byte> Octets(ReadOnlyMemory<byte> value) => new AsnReader(value, AsnEncodingRules.DER).ReadOctetString();
}
