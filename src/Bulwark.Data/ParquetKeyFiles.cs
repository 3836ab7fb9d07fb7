using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>Puts the wrapped keys that lie beside Parquet files under the newest version of their master keys. No data file is touched.</summary>
/// <remarks>
/// Both kinds: <c>_KEY_MATERIAL_FOR_<i>file</i>.json</c> of Parquet's key tools, and a protected folder's manifest, whose own key is wrapped in it.
/// Each file is replaced whole; what is wrapped by the newest version already is left alone, so an interrupted run is simply run again.
/// </remarks>
public sealed class ParquetKeyFiles
{
    private readonly IKeyProvider _keys;
    private readonly Dictionary<string, string> _known = new(StringComparer.Ordinal);

    /// <param name="keys">The stores of the master keys. Files of one dataset share their wrapped keys: each is asked for once.</param>
    public ParquetKeyFiles(IKeyProvider keys) => _keys = keys;

    /// <summary>True for the name of a file that holds wrapped keys.</summary>
    public static bool IsMatch(string path)
    {
        var name = Path.GetFileName(path);
        return name == DatasetManifest.FileName || (name.StartsWith(KeyMaterialFile.Prefix, StringComparison.Ordinal) && name.EndsWith(".json", StringComparison.Ordinal));
    }

    /// <summary>Rewraps one file's keys.</summary>
    /// <exception cref="IOException">The disk refused; the old file is untouched.</exception>
    public async Task<RewrapResult> RewrapAsync(string path, CancellationToken cancel = default)
    {
        try
        {
            return Path.GetFileName(path) == DatasetManifest.FileName ? await ManifestAsync(path, cancel) : await MaterialsAsync(path, cancel);
        }
        catch (Exception refusal) when (refusal is CryptographicException or FormatException or InvalidOperationException or InvalidDataException or KeyProviderException)
        {
            return new(path, RewrapOutcome.Failed, refusal.Message);
        }
    }

    private async Task<RewrapResult> MaterialsAsync(string path, CancellationToken cancel)
    {
        var old = KeyMaterialFile.Read(path);
        var footer = old.GetValueOrDefault(KeyMaterialFile.FooterReference) ?? throw new CryptographicException($"{Path.GetFileName(path)} has no footer's key.");
        var changed = new Dictionary<string, KeyMaterial>(StringComparer.Ordinal);
        var ours = 0;
        var file = DataFileOf(path);
        foreach (var (reference, material) in old)
        {
            var fresh = await FreshAsync(material, footer, file, cancel);
            ours += fresh is null ? 0 : 1;
            changed.Add(reference, fresh ?? material);
        }

        if (ours == 0)
            return new(path, RewrapOutcome.OfOthers, null);
        if (changed.All(pair => pair.Value == old[pair.Key]))
            return new(path, RewrapOutcome.Newest, null);
        AtomicFile.Write(path, KeyMaterialFile.Write(changed), ModeOf(path));
        return new(path, RewrapOutcome.Rewrapped, null);
    }

    private async Task<RewrapResult> ManifestAsync(string path, CancellationToken cancel)
    {
        var manifest = DatasetManifest.Read(Path.GetDirectoryName(path)!);
        var material = KeyMaterial.Parse(manifest.Key);
        if (await FreshAsync(material, material, $"{manifest.Dataset}/{manifest.Version} manifest", cancel) is not { } fresh)
            return new(path, RewrapOutcome.OfOthers, null);
        if (fresh == material)
            return new(path, RewrapOutcome.Newest, null);
        ProtectedDataset.Require(manifest, _keys)?.Dispose();   // its seal; a changed manifest is not written anew
        AtomicFile.Write(path, (manifest with { Key = fresh.ToJson(inFile: true) }).ToBytes(), ModeOf(path));
        return new(path, RewrapOutcome.Rewrapped, null);
    }

    /// <summary>The material under the newest version; null when its master key is in none of the stores.</summary>
    private async Task<KeyMaterial?> FreshAsync(KeyMaterial material, KeyMaterial footer, string item, CancellationToken cancel)
    {
        var wrapped = DataKeyReader.Wrapped(material, footer);
        if (!_keys.Holds(wrapped.Kek))
            return null;
        if (!_known.TryGetValue(material.Wrapped, out var fresh))
            _known.Add(material.Wrapped, fresh = MasterKeyText.Write(await _keys.RewrapAsync(wrapped, new KeyContext(default) { Item = item, MustAuthenticate = true }, cancel)));
        return fresh == material.Wrapped ? material : material.Rewrapped(fresh);
    }

    /// <summary>The file that the keys are of: as it names itself, or by its name.</summary>
    private static string DataFileOf(string path)
    {
        var name = Path.GetFileName(path)[KeyMaterialFile.Prefix.Length..^".json".Length];
        return CryptoMetadata.StatedPrefix(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, name)) ?? name;
    }

    private static UnixFileMode? ModeOf(string path) => OperatingSystem.IsWindows() ? null : File.GetUnixFileMode(path);
}
