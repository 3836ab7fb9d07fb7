using System.Formats.Asn1;
using System.Security.Cryptography;

namespace Bulwark.Attestation.Certificates;

/// <summary>What the platform throws at a key or a signature that cannot be read, or of a curve that it does not know: an answer, since hostile bytes are expected.</summary>
internal static class KeyRefusal
{
    internal static bool Is(Exception failure) => failure is CryptographicException or AsnContentException or PlatformNotSupportedException or ArgumentException;
}
