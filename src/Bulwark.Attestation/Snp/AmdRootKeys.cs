using Bulwark.Cryptography;

namespace Bulwark.Attestation.Snp;

/// <summary>AMD's root keys, pinned: SHA-256 of the SubjectPublicKeyInfo of each product line's ARK (kdsintf.amd.com, cert_chain).</summary>
internal static class AmdRootKeys
{
    internal static Digest Milan { get; } = Digest.Parse("sha256:9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9");
    internal static Digest Genoa { get; } = Digest.Parse("sha256:429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831");
    internal static Digest Turin { get; } = Digest.Parse("sha256:4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08");
}
