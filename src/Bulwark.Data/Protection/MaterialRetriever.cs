using System.Security.Cryptography;
using ParquetSharp;

namespace Bulwark.Data;

/// <summary>Gives ParquetSharp the data keys that the key store opens, and remembers why one could not be given.</summary>
/// <param name="keys">Opens them.</param>
/// <param name="path">The Parquet file.</param>
/// <param name="canonical">True when key metadata must be spelt as it is written here, so that no bit of it can change unseen.</param>
internal sealed class MaterialRetriever(DataKeyReader keys, string path, bool canonical) : DecryptionKeyRetriever
{
    private byte[] _footerKey = [];
    private Dictionary<string, KeyMaterial>? _outside;
    private KeyMaterial? _footer;

    /// <summary>What the next key is for, to begin a sentence.</summary>
    internal string Needs { get; set; } = "The file";

    /// <summary>Why the last key could not be given; null when it was.</summary>
    internal Exception? Failure { get; private set; }

    /// <summary>The footer's data key, once it was asked for; empty before.</summary>
    internal ReadOnlySpan<byte> FooterKey => _footerKey;

    internal void Wipe() => CryptographicOperations.ZeroMemory(_footerKey);

    public override byte[] GetKey(string keyMetadata)
    {
        Failure = null;
        try
        {
            var material = Material(keyMetadata);
            using var secret = keys.Open(material, _footer!, Needs);
            if (material.IsFooter && _footerKey.Length == 0)
                _footerKey = secret.Span.ToArray();
            return secret.Span.ToArray();
        }
        catch (Exception failure)
        {
            Failure = failure;
            throw;
        }
    }

    private KeyMaterial Material(string metadata)
    {
        KeyMaterial material;
        if (KeyMaterialFile.ReferenceIn(metadata) is { } reference)
        {
            _outside ??= KeyMaterialFile.Read(KeyMaterialFile.PathFor(path));
            material = !canonical || KeyMaterialFile.Reference(reference) == metadata ? _outside.GetValueOrDefault(reference)! : null!;
        }
        else
        {
            material = KeyMaterial.Parse(metadata);
            if (canonical && material.ToJson(inFile: true) != metadata)
                material = null!;
        }

        if (material is null)
            throw new CryptographicException("The file's key metadata was changed.");
        if (material.IsFooter)
            _footer ??= material;
        return _footer is not null ? material : throw new CryptographicException("The file's key metadata was changed: the footer's key says that it is a column's.");
    }
}
