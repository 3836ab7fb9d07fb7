using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Bulwark.Cryptography;

/// <summary>The address of a key-encryption key, or of one version of it, in whichever store holds it.</summary>
/// <remarks>
/// <list type="table">
/// <item><term>file:</term><description><c>file:sealing</c>, <c>file:sealing@3</c>: a keyring; a bare <c>sealing</c> means the same.</description></item>
/// <item><term>pkcs11:</term><description>RFC 7512: <c>pkcs11:token=prod;object=kek</c>; <c>id=%03</c> names a version. <c>pin-value</c> is refused: an address is no place for a secret.</description></item>
/// <item><term>vault:</term><description><c>vault:https://host:8200/transit/kek</c>, <c>…/kek@3</c>: mount and key of a Vault or OpenBao transit engine. <c>http</c> only to this machine.</description></item>
/// <item><term>aws-kms:</term><description><c>aws-kms:arn:aws:kms:eu-central-1:123456789012:key/…</c>, or an alias's ARN.</description></item>
/// <item><term>gcp-kms:</term><description><c>gcp-kms:projects/p/locations/l/keyRings/r/cryptoKeys/k</c>, with <c>/cryptoKeyVersions/3</c>.</description></item>
/// <item><term>azure-kv:</term><description><c>azure-kv:https://name.vault.azure.net/keys/kek</c>, with <c>/version</c>.</description></item>
/// </list>
/// Equal addresses have equal text. Holds no secret, so it may be stored, printed and logged.
/// </remarks>
[JsonConverter(typeof(KeyUriJsonConverter))]
public sealed partial record KeyUri
{
    /// <summary>Scheme of keys in a keyring file.</summary>
    public const string FileScheme = "file";

    private const int MaximumLength = 1024;
    private readonly string _text;

    private KeyUri(string scheme, string path, string? version, string query = "")
    {
        (Scheme, Path, Version, Query) = (scheme, path, version, query);
        _text = $"{scheme}:{Join(scheme, path, version)}{(query.Length == 0 ? "" : "?" + query)}";
    }

    /// <summary>Which kind of store: <c>file</c>, <c>pkcs11</c>, <c>vault</c>, <c>aws-kms</c>, <c>gcp-kms</c> or <c>azure-kv</c>.</summary>
    public string Scheme { get; }

    /// <summary>Which key, in the store's own terms, without its version.</summary>
    public string Path { get; }

    /// <summary>Which version, in the store's own terms; null means the newest that may wrap.</summary>
    public string? Version { get; }

    /// <summary>How to reach the store from this machine (<c>module-path</c>, <c>pin-source</c>); PKCS#11 only, otherwise empty. Never kept beside a wrapped key.</summary>
    public string Query { get; }

    /// <summary>The key without version or query: what two versions of it share.</summary>
    public KeyUri Key => Version is null && Query.Length == 0 ? this : new KeyUri(Scheme, Path, null);

    /// <summary>One version of this key, without query.</summary>
    /// <exception cref="FormatException">The store has no such form of version.</exception>
    public KeyUri WithVersion(string version)
    {
        ArgumentException.ThrowIfNullOrEmpty(version);
        return Parse($"{Scheme}:{Join(Scheme, Path, version)}");
    }

    /// <summary>The address of a keyring's key version.</summary>
    public static KeyUri Of(KeyId id) => new(FileScheme, id.Name, id.Version.ToString(CultureInfo.InvariantCulture));

    /// <inheritdoc cref="Of"/>
    public static implicit operator KeyUri(KeyId id) => Of(id);

    /// <summary>The keyring's key version that this names; false for another store's key and without a version.</summary>
    public bool TryGetKeyId(out KeyId id)
    {
        id = default;
        return Scheme == FileScheme && KeyId.TryParse($"{Path}@{Version}", out id);
    }

    /// <summary>Reads an address.</summary>
    /// <exception cref="FormatException">It is none: the message says what one looks like.</exception>
    public static KeyUri Parse(string text)
    {
        if (string.IsNullOrEmpty(text) || text.Length > MaximumLength || !text.All(char.IsAscii) || text.Any(letter => char.IsControl(letter) || letter == ' '))
            throw new FormatException($"A key's address has 1 to {MaximumLength} printable ASCII characters without spaces.");
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var (scheme, rest) = colon < 0 ? (FileScheme, text) : (text[..colon], text[(colon + 1)..]);
        return scheme switch
        {
            FileScheme => File(rest),
            "pkcs11" => Pkcs11(rest),
            "vault" => Vault(rest),
            "aws-kms" => Plain(scheme, rest, AwsPattern(), "aws-kms:arn:aws:kms:REGION:ACCOUNT:key/ID"),
            "gcp-kms" => Plain(scheme, rest, GcpPattern(), "gcp-kms:projects/P/locations/L/keyRings/R/cryptoKeys/K"),
            "azure-kv" => Plain(scheme, rest, AzurePattern(), "azure-kv:https://NAME.vault.azure.net/keys/KEY"),
            _ => throw new FormatException($"'{scheme}:' is no kind of key store; known: file:, pkcs11:, vault:, aws-kms:, gcp-kms:, azure-kv:."),
        };
    }

    /// <summary>Reads an address; false on anything else.</summary>
    public static bool TryParse(string? text, out KeyUri? uri)
    {
        try
        {
            uri = text is null ? null : Parse(text);
        }
        catch (FormatException)
        {
            uri = null;
        }

        return uri is not null;
    }

    /// <summary>The address; parses back to an equal one.</summary>
    public override string ToString() => _text;

    /// <inheritdoc/>
    public bool Equals(KeyUri? other) => other is not null && other._text == _text;

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    private static KeyUri File(string rest)
    {
        if (KeyId.TryParse(rest, out var id))
            return Of(id);
        return KeyId.IsName(rest) ? new KeyUri(FileScheme, rest, null) : throw new FormatException($"'{rest}' is no keyring key: expected file:NAME or file:NAME@VERSION.");
    }

    private static KeyUri Vault(string rest)
    {
        var match = VaultPattern().Match(rest);
        if (!match.Success || !Uri.TryCreate(match.Groups["server"].Value, UriKind.Absolute, out var server))
            throw new FormatException("Expected vault:https://HOST[:PORT]/MOUNT/KEY[@VERSION], without user name or password.");
        if (server.Scheme != Uri.UriSchemeHttps && !server.IsLoopback)
            throw new FormatException("A Vault server is reached by https; http is for this machine only.");
        return new KeyUri("vault", $"{server.GetLeftPart(UriPartial.Authority)}/{match.Groups["path"].Value}", VersionOf(match));
    }

    private static KeyUri Plain(string scheme, string rest, Regex pattern, string form)
    {
        var match = pattern.Match(rest);
        return match.Success ? new KeyUri(scheme, match.Groups["path"].Value, VersionOf(match)) : throw new FormatException($"'{scheme}:{rest}' is no key's address: expected {form}.");
    }

    private static string? VersionOf(Match match) => match.Groups["version"] is { Success: true } version ? version.Value : null;

    private static string Join(string scheme, string path, string? version) => (scheme, version) switch
    {
        (_, null) => path,
        (FileScheme or "vault", _) => $"{path}@{version}",
        ("pkcs11", _) => $"{path};id={version}",
        ("gcp-kms", _) => $"{path}/cryptoKeyVersions/{version}",
        ("azure-kv", _) => $"{path}/{version}",
        _ => throw new FormatException($"The store {scheme}: names no versions."),
    };

    [GeneratedRegex(@"\A(?<server>https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?|https?://\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?)/(?<path>[A-Za-z0-9][A-Za-z0-9._\-]*(/[A-Za-z0-9][A-Za-z0-9._\-]*)+)(@(?<version>[1-9][0-9]{0,8}))?\z")]
    private static partial Regex VaultPattern();

    [GeneratedRegex(@"\A(?<path>arn:aws[a-z\-]*:kms:[a-z0-9\-]+:[0-9]{12}:(key|alias)/[A-Za-z0-9/_\-]{1,256})\z")]
    private static partial Regex AwsPattern();

    [GeneratedRegex(@"\A(?<path>projects/[A-Za-z0-9:.\-]+/locations/[A-Za-z0-9\-]+/keyRings/[A-Za-z0-9_\-]+/cryptoKeys/[A-Za-z0-9_\-]+)(/cryptoKeyVersions/(?<version>[1-9][0-9]{0,8}))?\z")]
    private static partial Regex GcpPattern();

    [GeneratedRegex(@"\A(?<path>https://[a-z0-9\-]{1,63}\.(vault\.azure\.net|vault\.azure\.cn|vault\.usgovcloudapi\.net|managedhsm\.azure\.net|managedhsm\.azure\.cn|managedhsm\.usgovcloudapi\.net)/keys/[A-Za-z0-9\-]{1,127})(/(?<version>[A-Za-z0-9]{1,64}))?\z")]
    private static partial Regex AzurePattern();
}

/// <summary>A <see cref="KeyUri"/> in JSON is its string.</summary>
/// <remarks>Public so that source-generated contexts of other rooms can name it.</remarks>
public sealed class KeyUriJsonConverter : JsonConverter<KeyUri>
{
    /// <inheritdoc/>
    public override KeyUri Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        KeyUri.TryParse(reader.TokenType == JsonTokenType.String ? reader.GetString() : null, out var uri)
            ? uri!
            : throw new JsonException("Expected a key's address.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, KeyUri value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(value);
        writer.WriteStringValue(value.ToString());
    }
}
