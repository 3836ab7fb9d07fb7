using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bulwark.Cryptography;

namespace Bulwark.Models;

/// <summary>A package's data key under newer keys, in a file beside it (<c>NAME.bulwark.keys</c>): the package stays what was signed, byte for byte.</summary>
/// <remarks>
/// Nothing here is trusted: a data key that it gives opens the package only when the package's own header proves it. Without the file a package opens as it
/// was sealed, so it is moved with the package once the older key is to be destroyed.
/// </remarks>
public sealed class PackageKeys
{
    private const string Format = "package-keys/v1", Ending = ".keys";
    private const int LongestInBytes = 64 * 1024;
    private readonly PackageKeysDocument _document;

    private PackageKeys(PackageKeysDocument document) => _document = document;

    /// <summary>The keys that wrap the data key.</summary>
    public IEnumerable<KeyUri> Keks => _document.Keys.Select(wrapped => wrapped.Kek);

    /// <summary>The keys beside a package; null when there are none.</summary>
    /// <param name="package">The package's path.</param>
    /// <exception cref="InvalidDataException">The file beside it is no such file.</exception>
    public static PackageKeys? Beside(string package)
    {
        var file = new FileInfo(package + Ending);
        if (!file.Exists)
            return null;
        if (file.Length > LongestInBytes)
            throw new InvalidDataException($"{file.Name} is too long to be a package's keys.");
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file.FullName), ModelsJson.Default.PackageKeysDocument) is { Format: Format, FileId.Length: > 0, Keys.Count: >= 1 and <= 64 } document
                && document.Keys.All(wrapped => wrapped is { Kek: not null, Bytes.Length: > 0 })
                ? new(document) : throw new InvalidDataException($"{file.Name} is no file of a package's keys ({Format}).");
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"{file.Name} is no file of a package's keys: {fault.Message}", fault);
        }
    }

    /// <summary>Puts a package's data key under the newest version of each key that these stores hold of it; writes only the file beside it, at once or not at all.</summary>
    /// <param name="package">The package's path.</param>
    /// <param name="keys">The stores.</param>
    /// <param name="cancel">Stops before anything is written.</param>
    /// <returns>What became of it; a fault is a result, too.</returns>
    public static async Task<RewrapResult> RewrapAsync(string package, IKeyProvider keys, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(package);
        ArgumentNullException.ThrowIfNull(keys);
        try
        {
            await using var file = new FileStream(package, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var info = SealedModel.ReadPayloadInfo(file);
            var beside = Beside(package) is { } known && known._document.FileId == info.FileId ? known : null;
            var held = info.Slots.OfType<WrappedSlot>().Select(slot => slot.Wrapped.Kek).Concat(beside?.Keks ?? []).Where(keys.Holds).ToArray();
            if (held.Length == 0)
                return new(package, RewrapOutcome.OfOthers);
            var newest = new List<KeyUri>();
            foreach (var key in held.Select(kek => kek.Key).Distinct())
                newest.Add((await keys.DescribeAsync(key, cancel).ConfigureAwait(false)).Current?.Id ?? throw new InvalidOperationException($"no version of {key} may wrap"));
            var slots = info.Slots.OfType<WrappedSlot>().Select(slot => slot.Wrapped.Kek).ToHashSet();
            if (newest.All(held.Contains) && await OpensAsync(beside, file, [.. newest.Where(kek => !slots.Contains(kek))], keys, cancel).ConfigureAwait(false))
                return new(package, RewrapOutcome.Newest);
            using var dataKey = await DataKeyAsync(file, info.FileId, beside, keys, cancel).ConfigureAwait(false);
            var wrapped = new List<WrappedKey>();
            foreach (var kek in newest)
                wrapped.Add(await keys.WrapAsync(kek.Key, dataKey, ContextOf(info.FileId), cancel).ConfigureAwait(false));
            var others = beside?._document.Keys.Where(one => !keys.Holds(one.Kek)) ?? [];
            AtomicFile.Write(package + Ending, JsonSerializer.SerializeToUtf8Bytes(new PackageKeysDocument(Format, info.FileId, [.. wrapped, .. others]), ModelsJson.Indented.PackageKeysDocument));
            return new(package, RewrapOutcome.Rewrapped);
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException or InvalidOperationException or CryptographicException or UnauthorizedAccessException)
        {
            return new(package, RewrapOutcome.Failed, failure.Message);
        }
    }

    /// <summary>The data key of a payload, by the keys beside it or by its own slots; proved by the payload's header.</summary>
    /// <param name="payload">At the payload's first byte; left anywhere.</param>
    /// <param name="beside">The keys beside the package, or null.</param>
    /// <param name="keys">The stores.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="CryptographicException">Neither opens.</exception>
    internal static async Task<SecretBytes> UnwrapAsync(Stream payload, PackageKeys? beside, IKeyProvider keys, CancellationToken cancel)
    {
        var start = payload.Position;
        if (beside is not null && await beside.UnwrapAsync(payload, beside._document.Keys.Where(wrapped => keys.Holds(wrapped.Kek)), keys, cancel).ConfigureAwait(false) is { } renewed)
            return renewed;
        payload.Position = start;
        return await SealedFile.UnwrapDataKeyAsync(payload, [SealIdentity.Keys(keys)], cancel).ConfigureAwait(false);
    }

    /// <summary>Whether the keys beside the package do what their names say: whoever believes them destroys the older key.</summary>
    private static async Task<bool> OpensAsync(PackageKeys? beside, FileStream package, IReadOnlyList<KeyUri> keks, IKeyProvider keys, CancellationToken cancel)
    {
        foreach (var kek in keks)
        {
            package.Position = 0;
            if (beside is null || !SealedModel.SeekPayload(package))
                return false;
            using var dataKey = await beside.UnwrapAsync(package, beside._document.Keys.Where(wrapped => wrapped.Kek == kek), keys, cancel).ConfigureAwait(false);
            if (dataKey is null)
                return false;
        }

        return true;
    }

    private static async Task<SecretBytes> DataKeyAsync(FileStream package, string fileId, PackageKeys? beside, IKeyProvider keys, CancellationToken cancel)
    {
        package.Position = 0;
        return SealedModel.SeekPayload(package) ? await UnwrapAsync(package, beside, keys, cancel).ConfigureAwait(false) : throw new InvalidDataException($"The package of {fileId} has no payload.");
    }

    private async Task<SecretBytes?> UnwrapAsync(Stream payload, IEnumerable<WrappedKey> candidates, IKeyProvider keys, CancellationToken cancel)
    {
        var start = payload.Position;
        foreach (var wrapped in candidates)
        {
            SecretBytes? dataKey = null;
            try
            {
                dataKey = await keys.UnwrapAsync(wrapped, ContextOf(_document.FileId), cancel).ConfigureAwait(false);
                payload.Position = start;
                SealedFile.ExportPayloadKey(payload, dataKey.Span).Key.Dispose();   // refuses the key of another file
                return dataKey;
            }
            catch (Exception failure) when (failure is CryptographicException or InvalidOperationException or KeyProviderException)
            {
                dataKey?.Dispose();   // another may open, or the package's own
            }
        }

        return null;
    }

    private static KeyContext ContextOf(string fileId) => new(SHA256.HashData(Encoding.UTF8.GetBytes($"bulwark.dev/package-keys/v1\n{fileId}"))) { Item = fileId };
}

/// <summary>What stands in the file.</summary>
/// <param name="Format">Its version.</param>
/// <param name="FileId">Of the package's sealed payload.</param>
/// <param name="Keys">The data key, wrapped.</param>
internal sealed record PackageKeysDocument(string Format, string FileId, [property: JsonRequired] IReadOnlyList<WrappedKey> Keys);
