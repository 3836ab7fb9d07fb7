using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bulwark.Data;

/// <summary>How one data key of a Parquet file is wrapped: the JSON of Parquet's key tools ("PKMT1"), which PyArrow and Spark read.</summary>
/// <remarks>
/// Source: org.apache.parquet.crypto.keytools.KeyMaterial (parquet-java) and key_material.cc (Apache Arrow). The data key is wrapped
/// by a key-encryption key with AES-GCM (nonce 12 | ciphertext | tag 16, the KEK's id as additional data), that one by the master key;
/// with single wrapping the master key wraps the data key itself.
/// </remarks>
internal sealed record KeyMaterial
{
    internal const string TypeName = "PKMT1";
    internal const string NoInstance = "DEFAULT";
    private const int LongestText = 1 << 16;

    /// <summary>No escapes where JSON needs none: the text is for programs, not for web pages.</summary>
    internal static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>True for the footer's key, which alone names the key store.</summary>
    internal bool IsFooter { get; init; }

    /// <summary>The key store's id and address, for the footer's key.</summary>
    internal string? InstanceId { get; init; }

    internal string? InstanceUrl { get; init; }

    /// <summary>The master key in the words of its store.</summary>
    internal required string MasterKey { get; init; }

    /// <summary>The data key, wrapped by the KEK (base64) or by the master key (the store's words).</summary>
    internal required string WrappedDek { get; init; }

    /// <summary>The KEK's id and the KEK wrapped by the master key; null with single wrapping.</summary>
    internal byte[]? KekId { get; init; }

    internal string? WrappedKek { get; init; }

    /// <summary>What the master key wrapped.</summary>
    internal string Wrapped => WrappedKek ?? WrappedDek;

    /// <summary>The same with what the master key wrapped replaced: all that a rotation changes.</summary>
    internal KeyMaterial Rewrapped(string wrapped) => WrappedKek is null ? this with { WrappedDek = wrapped } : this with { WrappedKek = wrapped };

    /// <param name="inFile">True when the JSON is the key metadata inside the Parquet file, false in a file of its own.</param>
    internal string ToJson(bool inFile)
    {
        var json = new JsonObject { ["keyMaterialType"] = TypeName };
        if (inFile)
            json["internalStorage"] = true;
        json["isFooterKey"] = IsFooter;
        if (IsFooter)
            (json["kmsInstanceID"], json["kmsInstanceURL"]) = (InstanceId, InstanceUrl);
        json["masterKeyID"] = MasterKey;
        json["wrappedDEK"] = WrappedDek;
        json["doubleWrapping"] = WrappedKek is not null;
        if (WrappedKek is not null)
            (json["keyEncryptionKeyID"], json["wrappedKEK"]) = (Convert.ToBase64String(KekId!), WrappedKek);
        return json.ToJsonString(Plain);
    }

    /// <exception cref="CryptographicException">It is not PKMT1.</exception>
    internal static KeyMaterial Parse(string json)
    {
        try
        {
            if (json.Length > LongestText)
                throw new FormatException("it is too long");
            using var document = JsonDocument.Parse(json, new() { AllowDuplicateProperties = false, MaxDepth = 4 });
            return Parse(document.RootElement);
        }
        catch (Exception fault) when (fault is JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            throw new CryptographicException("The file's key metadata was changed, or is not that of Parquet's key tools.", fault);
        }
    }

    private static KeyMaterial Parse(JsonElement root)
    {
        if (Text(root, "keyMaterialType") != TypeName)
            throw new FormatException($"it is not {TypeName}");
        var (footer, twice) = (root.GetProperty("isFooterKey").GetBoolean(), root.GetProperty("doubleWrapping").GetBoolean());
        return new()
        {
            IsFooter = footer,
            InstanceId = footer ? Text(root, "kmsInstanceID") : null,
            InstanceUrl = footer ? Text(root, "kmsInstanceURL") : null,
            MasterKey = Text(root, "masterKeyID"),
            WrappedDek = Text(root, "wrappedDEK"),
            KekId = twice ? Convert.FromBase64String(Text(root, "keyEncryptionKeyID")) : null,
            WrappedKek = twice ? Text(root, "wrappedKEK") : null,
        };
    }

    private static string Text(JsonElement root, string name) => root.GetProperty(name).GetString() is { Length: > 0 } text ? text : throw new FormatException($"{name} is empty");
}
