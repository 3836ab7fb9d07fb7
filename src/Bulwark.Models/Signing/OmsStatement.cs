using System.Text.Encodings.Web;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Models.Signing;

/// <summary>What a signature says: these resources, hashed so, are the model of this name.</summary>
/// <remarks>Source: OpenSSF Model Signing v1.0, statement and predicate schema. The root is SHA-256 of the raw digests in their order.</remarks>
internal sealed record OmsStatement(string Model, Digest Root, IReadOnlyList<OmsResource> Resources, OmsSerialization Serialization)
{
    internal const string PredicateType = "https://model_signing/signature/v1.0";
    private const string StatementType = "https://in-toto.io/Statement/v1";

    internal static OmsStatement Of(string model, IReadOnlyList<OmsResource> resources, OmsSerialization serialization) =>
        new(model, RootOf(resources), resources, serialization);

    internal static Digest RootOf(IEnumerable<OmsResource> resources)
    {
        using var hash = new ContentHash(ContentHashKind.Sha256);
        foreach (var resource in resources)
            hash.Append(Convert.FromHexString(resource.Digest));
        return new Digest(hash.Finish());
    }

    /// <summary>Reads the payload of an envelope.</summary>
    /// <exception cref="FormatException">It is no statement of this kind, or contradicts itself.</exception>
    /// <exception cref="NotSupportedException">It asks for a hash that is not here.</exception>
    internal static OmsStatement Parse(ReadOnlyMemory<byte> payload)
    {
        try
        {
            using var document = JsonDocument.Parse(payload, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 16 });
            return Read(document.RootElement);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)   // the latter for half a character
        {
            throw new FormatException($"The statement is no JSON of the wanted shape: {failure.Message}", failure);
        }
    }

    internal byte[] ToBytes()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            Write(json);
        return stream.ToArray();
    }

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("_type", StatementType);
        json.WriteStartArray("subject");
        json.WriteStartObject();
        json.WriteString("name", Model);
        json.WriteStartObject("digest");
        json.WriteString("sha256", Root.ToHex());
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteString("predicateType", PredicateType);
        json.WriteStartObject("predicate");
        json.WriteStartArray("resources");
        foreach (var resource in Resources)
        {
            json.WriteStartObject();
            json.WriteString("name", resource.Name);
            json.WriteString("digest", resource.Digest);
            json.WriteString("algorithm", resource.Algorithm);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("serialization");
        json.WriteString("method", Serialization.ShardBytes is null ? "files" : "shards");
        json.WriteString("hash_type", Serialization.HashName);
        json.WriteBoolean("allow_symlinks", Serialization.AllowLinks);
        if (Serialization.ShardBytes is { } shard)
            json.WriteNumber("shard_size", shard);
        json.WriteStartArray("ignore_paths");
        foreach (var path in Serialization.Ignored)
            json.WriteStringValue(path);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static OmsStatement Read(JsonElement root)
    {
        OnlyMembers(root, "statement", "_type", "subject", "predicateType", "predicate");
        if (Text(root, "_type") != StatementType)
            throw new FormatException($"The statement's type is '{Text(root, "_type")}', not {StatementType}.");
        if (Text(root, "predicateType") != PredicateType)
            throw new FormatException($"The statement is of the type '{Text(root, "predicateType")}', not {PredicateType}.");
        var subjects = Member(root, "subject", JsonValueKind.Array);
        if (subjects.GetArrayLength() != 1)
            throw new FormatException($"The statement has {subjects.GetArrayLength()} subjects; a model is one.");
        var name = Text(subjects[0], "name");
        if (!Digest.TryParse("sha256:" + Text(Member(subjects[0], "digest", JsonValueKind.Object), "sha256"), out var stated) || name.Length == 0)
            throw new FormatException("The statement's subject has no name or no sha256.");
        var predicate = Member(root, "predicate", JsonValueKind.Object);
        OnlyMembers(predicate, "predicate", "resources", "serialization");
        var serialization = ReadSerialization(Member(predicate, "serialization", JsonValueKind.Object));
        var resources = Member(predicate, "resources", JsonValueKind.Array).EnumerateArray().Select(resource => ReadResource(resource, serialization)).ToArray();
        if (resources.Length == 0)
            throw new FormatException("The statement lists no resource: it would fit every model.");
        if (resources.GroupBy(resource => resource.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new FormatException($"The statement lists '{twice.Key}' twice.");
        return RootOf(resources) == stated
            ? new OmsStatement(name, stated, resources, serialization)
            : throw new FormatException("The statement contradicts itself: its root is not that of its resources.");
    }

    private static OmsSerialization ReadSerialization(JsonElement json)
    {
        OnlyMembers(json, "serialization", "method", "hash_type", "allow_symlinks", "ignore_paths", "shard_size");
        var method = Text(json, "method");
        long? shard = json.TryGetProperty("shard_size", out var size)
            ? size.ValueKind == JsonValueKind.Number && size.TryGetInt64(out var value) && value > 0 ? value : throw new FormatException("The shard size is no whole number above 0.")
            : null;
        if ((method, shard) is not (("files", null) or ("shards", not null)))
            throw new FormatException($"The method '{method}' {(shard is null ? "without" : "with")} a shard size is none of this format.");
        var allow = json.TryGetProperty("allow_symlinks", out var links) && links.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? links.GetBoolean() : throw new FormatException("The serialization does not say whether links were followed.");
        var ignored = json.TryGetProperty("ignore_paths", out var paths) ? paths.ValueKind == JsonValueKind.Array
            ? paths.EnumerateArray().Select(path => path.ValueKind == JsonValueKind.String && path.GetString() is { Length: > 0 } text ? text : throw new FormatException("An ignored path is no text.")).ToArray()
            : throw new FormatException("The ignored paths are no list.") : [];
        return new OmsSerialization(HashOf(Text(json, "hash_type")), allow, ignored, shard);
    }

    private static OmsResource ReadResource(JsonElement json, OmsSerialization serialization)
    {
        var (name, digest) = (Text(json, "name"), Text(json, "digest"));
        if (HashOf(Text(json, "algorithm")) != serialization.Hash)
            throw new FormatException($"'{name}' is hashed by another algorithm than the serialization names.");
        if (digest.Length != serialization.HexDigits || !digest.All(char.IsAsciiHexDigitLower))
            throw new FormatException($"The digest of '{name}' is not {serialization.HexDigits} lower-case hex digits.");
        var path = serialization.ShardBytes is null ? name : PathOfShard(name);
        if (!IsRelative(path))
            throw new FormatException($"'{name}' is no path inside a model.");
        return new OmsResource(name, digest, serialization.HashName);
    }

    private static string PathOfShard(string name)
    {
        var end = name.LastIndexOf(':');
        var start = end > 0 ? name.LastIndexOf(':', end - 1) : -1;
        return start > 0 && long.TryParse(name.AsSpan(start + 1, end - start - 1), System.Globalization.NumberStyles.None, null, out var from)
            && long.TryParse(name.AsSpan(end + 1), System.Globalization.NumberStyles.None, null, out var to) && to >= from
            ? name[..start] : throw new FormatException($"'{name}' is no shard: path:start:end is wanted.");
    }

    /// <summary>Names stay inside the model; a lone dot is what old signatures call the one file.</summary>
    private static bool IsRelative(string path) => path == ModelTree.OldFileName
        || (!path.Contains('\0') && !path.Contains('\\') && path.Split('/').All(part => part is not ("" or "." or "..")));

    private static ContentHashKind HashOf(string name) => name switch
    {
        "sha256" => ContentHashKind.Sha256,
        "blake2b" => ContentHashKind.Blake2b,
        "blake3" => throw new NotSupportedException("The model is hashed with BLAKE3, which Bulwark does not have: sign it with sha256."),
        _ => throw new FormatException($"'{name}' is no hash of this format."),
    };

    private static void OnlyMembers(JsonElement json, string what, params ReadOnlySpan<string> allowed)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new FormatException($"The {what} is no object.");
        foreach (var member in json.EnumerateObject())
        {
            if (!allowed.Contains(member.Name))
                throw new FormatException($"The {what} has an unknown member '{member.Name}'.");
        }
    }

    private static JsonElement Member(JsonElement json, string name, JsonValueKind kind) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == kind ? value : throw new FormatException($"'{name}' is missing or of another kind.");

    private static string Text(JsonElement json, string name) => Member(json, name, JsonValueKind.String).GetString()!;
}
