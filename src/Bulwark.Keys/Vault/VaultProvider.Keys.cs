using System.Globalization;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Keys;

public sealed partial class VaultProvider
{
    /// <inheritdoc/>
    public async ValueTask<KeyDescription> DescribeAsync(KeyUri kek, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(kek);
        using var reply = await AskAsync(HttpMethod.Get, $"keys/{Name(kek)}", null, kek, opening: false, repeatable: true, cancel).ConfigureAwait(false);
        var data = reply.Json.Member("data");
        var (opensFrom, wrapsFrom) = (data.Number("min_decryption_version", 1), data.Number("min_encryption_version", 0));
        var versions = data.Member("keys").EnumerateObject()
            .Select(member => (Number: int.TryParse(member.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw StoreReply.Malformed(), Created: Created(member.Value)))
            .OrderBy(version => version.Number)
            .Select(version => new KeyVersion(
                kek.Key.WithVersion(version.Number.ToString(CultureInfo.InvariantCulture)), version.Number >= Math.Max(opensFrom, wrapsFrom) ? KeyState.Enabled : KeyState.DecryptOnly, version.Created)
            {
                Note = version.Number < opensFrom ? "archived: opens nothing unless min_decryption_version is lowered" : null,
            });
        var exportable = data.Optional("exportable") is { ValueKind: JsonValueKind.True } || data.Optional("allow_plaintext_backup") is { ValueKind: JsonValueKind.True };
        var type = data.Text("type");
        return new(kek.Key, type, type.StartsWith("aes128", StringComparison.Ordinal) ? 128 : 256, $"Vault {_server.Authority}/{_mount}", exportable, [.. versions]);
    }

    /// <inheritdoc/>
    public async ValueTask<KeyDescription> RotateAsync(KeyUri kek, CancellationToken cancel = default)
    {
        await DescribeAsync(kek, cancel).ConfigureAwait(false);   // the server would make a key that is not there
        using (await AskAsync(HttpMethod.Post, $"keys/{Name(kek)}/rotate", "{}"u8.ToArray(), kek, opening: false, repeatable: false, cancel).ConfigureAwait(false))
            return await DescribeAsync(kek, cancel).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<KeyDescription> CreateAsync(KeyUri kek, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(kek);
        if (await ExistsAsync(kek, cancel).ConfigureAwait(false))
            throw new InvalidOperationException($"There is a key {kek.Key} already: rotate it.");
        var body = StoreJson.Body(writer => writer.WriteString("type", "aes256-gcm96"));
        using (await AskAsync(HttpMethod.Post, $"keys/{Name(kek)}", body, kek, opening: false, repeatable: false, cancel).ConfigureAwait(false))
            return await DescribeAsync(kek, cancel).ConfigureAwait(false);
    }

    /// <summary>From now on this version and all older ones only open (<c>min_encryption_version</c>).</summary>
    /// <inheritdoc/>
    public async ValueTask<KeyDescription> RetireAsync(KeyUri version, CancellationToken cancel = default)
    {
        var (known, number) = await KnownAsync(version, cancel).ConfigureAwait(false);
        if (known.Versions[^1].Id == version)
            throw new InvalidOperationException($"{version} is the newest version: rotate first, then retire it.");
        await ConfigureAsync(version, "min_encryption_version", number + 1, cancel).ConfigureAwait(false);
        return await DescribeAsync(version, cancel).ConfigureAwait(false);
    }

    /// <summary>Erases the oldest version from the server's archive (<c>trim</c>); a newer one only after those before it.</summary>
    /// <inheritdoc/>
    public async ValueTask<KeyDescription> DestroyAsync(KeyUri version, CancellationToken cancel = default)
    {
        var (known, number) = await KnownAsync(version, cancel).ConfigureAwait(false);
        if (known.Versions[0].Id != version || known.Versions.Count == 1)
            throw new InvalidOperationException($"Vault destroys the oldest version first, and never the last: that is {known.Versions[0].Id} of {known.Versions.Count}.");
        await ConfigureAsync(version, "min_encryption_version", number + 1, cancel).ConfigureAwait(false);
        await ConfigureAsync(version, "min_decryption_version", number + 1, cancel).ConfigureAwait(false);
        var body = StoreJson.Body(writer => writer.WriteNumber("min_available_version", number + 1));
        using (await AskAsync(HttpMethod.Post, $"keys/{Name(version)}/trim", body, version, opening: false, repeatable: true, cancel).ConfigureAwait(false))
            return await DescribeAsync(version, cancel).ConfigureAwait(false);
    }

    private async Task ConfigureAsync(KeyUri key, string setting, int value, CancellationToken cancel)
    {
        var body = StoreJson.Body(writer => writer.WriteNumber(setting, value));
        (await AskAsync(HttpMethod.Post, $"keys/{Name(key)}/config", body, key, opening: false, repeatable: true, cancel).ConfigureAwait(false)).Dispose();
    }

    private async Task<(KeyDescription Known, int Number)> KnownAsync(KeyUri version, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(version);
        var known = await DescribeAsync(version, cancel).ConfigureAwait(false);
        return known.Versions.Any(candidate => candidate.Id == version)
            ? (known, int.Parse(version.Version!, CultureInfo.InvariantCulture))
            : throw new InvalidOperationException($"Vault at {_server.Authority} has no {version}.");
    }

    private async Task<bool> ExistsAsync(KeyUri kek, CancellationToken cancel)
    {
        try
        {
            await DescribeAsync(kek, cancel).ConfigureAwait(false);
            return true;
        }
        catch (InvalidOperationException) when (Holds(kek))
        {
            return false;
        }
    }

    /// <summary>Symmetric versions are a number of seconds, asymmetric ones an object with a time.</summary>
    private static DateTimeOffset? Created(JsonElement version) => version.ValueKind switch
    {
        JsonValueKind.Number when version.TryGetInt64(out var seconds) && seconds is > 0 and < 253_402_300_800 => DateTimeOffset.FromUnixTimeSeconds(seconds),
        JsonValueKind.Object when version.Optional("creation_time") is { ValueKind: JsonValueKind.String } time && time.TryGetDateTimeOffset(out var at) => at.ToUniversalTime(),
        _ => null,
    };
}
