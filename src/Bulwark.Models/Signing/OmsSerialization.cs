using Bulwark.Cryptography;

namespace Bulwark.Models.Signing;

/// <summary>How the files of a model became resources: the <c>serialization</c> of a signature.</summary>
internal sealed record OmsSerialization(ContentHashKind Hash, bool AllowLinks, IReadOnlyList<string> Ignored, long? ShardBytes)
{
    internal string HashName => NameOf(Hash);

    internal int HexDigits => Hash == ContentHashKind.Sha256 ? 64 : 128;

    /// <summary>The file that a resource is, or is a stretch of.</summary>
    internal string FileOf(string resource) => ShardBytes is null ? resource : resource[..resource.LastIndexOf(':', resource.LastIndexOf(':') - 1)];

    internal static string NameOf(ContentHashKind hash) => hash == ContentHashKind.Sha256 ? "sha256" : "blake2b";
}
