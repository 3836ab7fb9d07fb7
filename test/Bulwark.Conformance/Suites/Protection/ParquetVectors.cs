using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Bulwark.Cryptography;
using Bulwark.Data;

namespace Bulwark.Conformance.Suites.Protection;

/// <summary>Encrypted Parquet files of other writers: every column's values, and what must not open.</summary>
internal static partial class ParquetVectors
{
    private const string Extension = ".parquet.encrypted";
    private const int Flips = 48;

    internal static IEnumerable<CaseResult> Cases(DirectoryInfo directory) => directory.EnumerateFiles("KEYS.md", SearchOption.AllDirectories).OrderBy(file => file.FullName, StringComparer.Ordinal)
        .SelectMany(keys =>
        {
            var sets = KeySets(File.ReadAllText(keys.FullName));
            return keys.Directory!.EnumerateFiles($"*{Extension}").OrderBy(file => file.Name, StringComparer.Ordinal)
                .SelectMany(file => Of(Path.GetRelativePath(directory.FullName, file.FullName), file.FullName, sets));
        });

    private static IEnumerable<CaseResult> Of(string id, string path, IReadOnlyList<Dictionary<string, string>> sets)
    {
        var (keys, prefix) = Opening(path, sets);
        if (keys is null)
        {
            yield return CaseResult.Fail(id, "no published key opens it");
            yield break;
        }

        using (var file = new EncryptedParquetFile(path, Keys(path, keys), prefix))
        {
            for (var column = 0; column < file.Columns.Count; column++)
                yield return Column(id, file, column);
        }

        yield return MustFail($"{id}!another-key", () => Open(path, keys.ToDictionary(key => key.Key, key => Reversed(key.Value)), prefix));
        yield return MustFail($"{id}!no-footer-key", () => Open(path, keys.Where(key => key.Key != "kf").ToDictionary(), prefix));
        foreach (var name in keys.Keys.Where(name => name != "kf"))
            yield return OneColumnShut($"{id}!no-{name}", path, keys, prefix, name);
        yield return MustFail($"{id}!another-prefix", () => Open(path, keys, "someone else"));
        if (prefix is not null && Opens(path, keys, null) is false)
            yield return CaseResult.Pass($"{id}!no-prefix");
        foreach (var cut in new[] { 1, 8, 200 })
            yield return MustFail($"{id}!cut-{cut}", () => Changed(path, bytes => bytes[..^cut], changed => Open(changed, keys, prefix)));
        if (!path.Contains("_ctr.", StringComparison.Ordinal))
            yield return Flipped($"{id}!flipped", path, keys, prefix);
    }

    /// <summary>The published key set that opens the file, with the prefix "tester" where it needs one.</summary>
    private static (Dictionary<string, string>? Keys, string? Prefix) Opening(string path, IReadOnlyList<Dictionary<string, string>> sets)
    {
        foreach (var prefix in new[] { null, "tester" })
        {
            if (sets.FirstOrDefault(keys => Opens(path, keys, prefix)) is { } found)
                return (found, prefix);
        }

        return (null, null);
    }

    private static bool Opens(string path, Dictionary<string, string> keys, string? prefix)
    {
        try
        {
            Open(path, keys, prefix);
            return true;
        }
        catch (Exception refusal) when (refusal is CryptographicException or InvalidOperationException)
        {
            return false;
        }
    }

    private static void Open(string path, Dictionary<string, string> keys, string? prefix)
    {
        using var file = new EncryptedParquetFile(path, Keys(path, keys), prefix);
        for (var column = 0; column < file.Columns.Count; column++)
            file.Read(column);
    }

    private static CaseResult Column(string id, EncryptedParquetFile file, int number)
    {
        var (name, read) = (file.Columns[number], file.Read(number));
        return CaseResult.Of($"{id}#{name}", ParquetExpectations.Hold(name, (int)file.Rows, read.Values), $"no rule of its writer gives these values: {ParquetExpectations.Show(read.Values)}");
    }

    /// <summary>Without one column's key exactly the columns that need it stay shut.</summary>
    private static CaseResult OneColumnShut(string id, string path, Dictionary<string, string> keys, string? prefix, string missing)
    {
        var shut = new List<string>();
        using var file = new EncryptedParquetFile(path, Keys(path, keys.Where(key => key.Key != missing).ToDictionary()), prefix);
        for (var column = 0; column < file.Columns.Count; column++)
        {
            try
            {
                file.Read(column);
            }
            catch (InvalidOperationException refusal) when (refusal.Message.Contains($"column '{file.Columns[column]}'", StringComparison.Ordinal))
            {
                shut.Add(file.Columns[column]);
            }
        }

        return CaseResult.Of(id, shut.Count <= 1, $"{string.Join(", ", shut)} stayed shut");
    }

    /// <summary>A flipped bit is refused, or lies in a page that this file does not encrypt; an encrypted column never gives another value.</summary>
    private static CaseResult Flipped(string id, string path, Dictionary<string, string> keys, string? prefix)
    {
        var bytes = File.ReadAllBytes(path);
        for (var flip = 0; flip < Flips; flip++)
        {
            var at = (int)((long)flip * (bytes.Length - 1) / (Flips - 1));
            var wrong = Changed(path, whole => { whole[at] ^= (byte)(1 << (flip % 8)); return whole; }, changed => WrongColumn(changed, keys, prefix));
            if (wrong is not null)
                return CaseResult.Fail(id, $"bit {flip % 8} of byte {at}: column '{wrong}' gave other values");
        }

        return CaseResult.Pass(id);
    }

    private static string? WrongColumn(string path, Dictionary<string, string> keys, string? prefix)
    {
        try
        {
            using var file = new EncryptedParquetFile(path, Keys(path, keys), prefix);
            for (var column = 0; column < file.Columns.Count; column++)
            {
                if (file.Columns[column] is "double_field" or "float_field" && Read(file, column) is { } read && !ParquetExpectations.Hold(file.Columns[column], (int)file.Rows, read))
                    return file.Columns[column];
            }
        }
        catch (Exception refusal) when (refusal is CryptographicException or InvalidOperationException)
        {
        }

        return null;
    }

    private static Array? Read(EncryptedParquetFile file, int column)
    {
        try
        {
            return file.Read(column).Values;
        }
        catch (Exception refusal) when (refusal is CryptographicException or InvalidOperationException)
        {
            return null;
        }
    }

    private static T Changed<T>(string path, Func<byte[], byte[]> change, Func<string, T> use)
    {
        var folder = Directory.CreateTempSubdirectory("parquet-vectors");
        try
        {
            var copy = Path.Combine(folder.FullName, Path.GetFileName(path));
            File.WriteAllBytes(copy, change(File.ReadAllBytes(path)));
            foreach (var beside in Directory.EnumerateFiles(Path.GetDirectoryName(path)!, $"*{Path.GetFileName(path)}.json"))
                File.Copy(beside, Path.Combine(folder.FullName, Path.GetFileName(beside)));
            return use(copy);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Changed(string path, Func<byte[], byte[]> change, Action<string> use) => Changed(path, change, changed =>
    {
        use(changed);
        return true;
    });

    private static CaseResult MustFail(string id, Action open)
    {
        try
        {
            open();
            return CaseResult.Fail(id, "it opened");
        }
        catch (Exception refusal) when (refusal is CryptographicException or InvalidOperationException)
        {
            return CaseResult.Pass(id);
        }
    }

    /// <summary>Direct keys by their names; by key tools where the material is beside the file, with parquet-java's in-memory key store.</summary>
    private static ParquetKeys Keys(string path, Dictionary<string, string> keys) =>
        File.Exists(Path.Combine(Path.GetDirectoryName(path)!, $"_KEY_MATERIAL_FOR_{Path.GetFileName(path)}.json"))
            ? ParquetKeys.ByKeyTools((wrapped, master) => InMemoryUnwrap(Convert.FromBase64String(wrapped), master, Key(keys, master)))
            : ParquetKeys.ByMetadata(name => SecretBytes.CopyOf(Key(keys, name)));

    private static byte[] Key(Dictionary<string, string> keys, string name) =>
        Encoding.ASCII.GetBytes(keys.GetValueOrDefault(name) ?? throw new InvalidOperationException($"there is no key {name}"));

    private static SecretBytes InMemoryUnwrap(byte[] wrapped, string master, byte[] key)
    {
        var plain = new byte[wrapped.Length - 28];
        using var aes = new AesGcm(key, 16);
        aes.Decrypt(wrapped.AsSpan(0, 12), wrapped.AsSpan(12, plain.Length), wrapped.AsSpan(12 + plain.Length), plain, Encoding.UTF8.GetBytes(master));
        return SecretBytes.CopyOf(plain);
    }

    /// <summary>The 128-bit set as it is listed, then the 256-bit set, whose column keys are stated by a rule.</summary>
    private static List<Dictionary<string, string>> KeySets(string text)
    {
        var stated = Stated().Matches(text).Select(match => (Name: match.Groups[1].Value, Key: match.Groups[2].Value)).ToArray();
        var small = stated.Where(key => key.Key.Length == 16).GroupBy(key => key.Name).ToDictionary(group => group.Key, group => group.First().Key);
        var large = stated.Where(key => key.Key.Length == 32).GroupBy(key => key.Name).ToDictionary(group => group.Key, group => group.First().Key);
        if (ByRule().Match(text) is { Success: true } rule)
        {
            foreach (var name in small.Keys.Where(name => name != "kf"))
                large[name] = $"{rule.Groups[1].Value}{int.Parse(name[2..], System.Globalization.CultureInfo.InvariantCulture) + 1}";
        }

        return [small, large];
    }

    private static string Reversed(string key) => string.Concat(key.Reverse());

    [GeneratedRegex("(k[a-z]\\d?)(?:\\([a-z_]+\\))?=\"(\\d+)\"")]
    private static partial Regex Stated();

    [GeneratedRegex("kcN = \"(\\d+)\"\\+digit")]
    private static partial Regex ByRule();
}
