using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>What a folder of protected files says of itself, in <see cref="FileName"/>: every part, its size, digest and row groups.</summary>
/// <remarks>Authenticated by a key that only who may open the footers can unwrap, so a part cannot be exchanged, added or left out.</remarks>
public sealed record DatasetManifest
{
    /// <summary>The file's name in the folder; readers of Parquet folders pass over names that begin so.</summary>
    public const string FileName = "_bulwark.dataset.json";

    internal const string FormatName = "protected-dataset/v1";
    private const int LargestFile = 1 << 28;

    /// <summary>The format's name and version.</summary>
    public required string Format { get; init; }

    /// <summary>The dataset's name.</summary>
    public required string Dataset { get; init; }

    /// <summary>This writing of it: 32 hexadecimal digits, later ones greater.</summary>
    public required string Version { get; init; }

    /// <summary>Digest of the policy.</summary>
    public required Digest Policy { get; init; }

    /// <summary>The commitment to the rows before protection, in the source's order.</summary>
    public required Digest Commitment { get; init; }

    /// <summary>What blinds the commitment, sealed under the manifest's key; null where it is not kept, and the commitment cannot be computed anew.</summary>
    public string? Blinding { get; init; }

    /// <summary>Rows of all parts.</summary>
    public required long Rows { get; init; }

    /// <summary>True when the parts, read in order and turned back, are the committed rows cell for cell.</summary>
    public required bool Exact { get; init; }

    /// <summary>The column whose value each part's path names; null when there is none.</summary>
    public ColumnShape? PartitionBy { get; init; }

    /// <summary>Every column before protection.</summary>
    public required IReadOnlyList<ProtectedColumn> Columns { get; init; }

    /// <summary>The parts in order.</summary>
    public required IReadOnlyList<ProtectedPart> Parts { get; init; }

    /// <summary>Root of the <see cref="RowGroupTree"/>.</summary>
    public required Digest RowGroups { get; init; }

    /// <summary>How the authenticating key is wrapped (PKMT1); a rotation replaces it.</summary>
    public string Key { get; init; } = "";

    /// <summary>HMAC-SHA-256 over the RFC 8785 bytes of everything but this and <see cref="Key"/>.</summary>
    public byte[] Mac { get; init; } = [];

    /// <summary>Reads the manifest of a folder; nothing in it is to be believed before <c>DataProtection</c> has checked it with its key.</summary>
    /// <exception cref="CryptographicException">It is missing, too large or no manifest.</exception>
    public static DatasetManifest Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            if (new FileInfo(path).Length > LargestFile)
                throw new FormatException("it is too large");
            return Parse(File.ReadAllBytes(path));
        }
        catch (Exception fault) when (fault is FormatException or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CryptographicException($"{Path.GetFileName(Path.GetFullPath(folder))} is no protected dataset: {FileName} {(fault is FormatException ? "is broken: " + fault.Message : "is missing; plain files are named one by one")}.", fault);
        }
    }

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static DatasetManifest Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize<DatasetManifest>(json, ProtectionManifest.Strict);
            if (manifest?.Format != FormatName)
                throw new FormatException($"it is not {FormatName}");
            if (manifest.Parts.FirstOrDefault(part => !IsInside(part.Path)) is { } outside)
                throw new FormatException($"the part '{outside.Path}' is outside the folder");
            return manifest;
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException or InvalidOperationException)
        {
            throw new FormatException(fault.Message, fault);
        }
    }

    internal byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, ProtectionManifest.Strict);

    internal DatasetManifest Sealed(SecretBytes key, KeyMaterial material, DatasetBlinding blinding)
    {
        var whole = this with { Blinding = blinding.Seal(key.Span, $"{Dataset}/{Version}") };
        return whole with { Key = material.ToJson(inFile: true), Mac = whole.MacOf(key) };
    }

    /// <summary>What blinds the commitment, by the manifest's key, which <see cref="Require"/> accepted.</summary>
    internal DatasetBlinding? OpenBlinding(SecretBytes key) => Blinding is { } text ? DatasetBlinding.Open(text, key.Span, $"{Dataset}/{Version}") : null;

    /// <exception cref="CryptographicException">The manifest was changed.</exception>
    internal void Require(SecretBytes key)
    {
        if (!CryptographicOperations.FixedTimeEquals(MacOf(key), Mac))
            throw new CryptographicException($"{FileName} was changed.");
    }

    private byte[] MacOf(SecretBytes key)
    {
        var body = CanonicalJson.Canonicalize(JsonSerializer.SerializeToElement(this with { Key = "", Mac = [] }, ProtectionManifest.Strict));
        return HMACSHA256.HashData(key.Span, [.. "bulwark.dev/protected-dataset/v1\n"u8, .. body]);
    }

    /// <summary>True for a relative path of plain names with forward slashes.</summary>
    private static bool IsInside(string path) => path.Length > 0 && path.Split('/').All(name => name is not ("" or "." or "..") && !name.Contains('\\', StringComparison.Ordinal) && !name.Contains('\0', StringComparison.Ordinal));
}
