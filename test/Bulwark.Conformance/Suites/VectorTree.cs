using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using SharpCompress.Compressors.Xz;

namespace Bulwark.Conformance.Suites;

/// <summary>The text files below a directory and inside its tar archives, by path.</summary>
internal sealed class VectorTree
{
    private readonly SortedDictionary<string, Func<string>> _files = new(StringComparer.Ordinal);

    internal VectorTree(DirectoryInfo root)
    {
        foreach (var file in root.EnumerateFiles("*", SearchOption.AllDirectories))
        {
            var path = Path.GetRelativePath(root.FullName, file.FullName).Replace('\\', '/');
            if (Open(file) is { } archive)
                Add(path, archive);
            else
                _files[path] = () => File.ReadAllText(file.FullName);
        }
    }

    internal IEnumerable<string> Paths => _files.Keys;

    internal string Read(string path) => _files[path]();

    /// <summary>The file that <paramref name="reference"/> means inside the file <paramref name="from"/>: relative to the nearest folder above where it exists.</summary>
    internal string? Resolve(string from, string reference)
    {
        for (var folder = from; folder.Length > 0;)
        {
            folder = folder.LastIndexOf('/') is > 0 and var slash ? folder[..slash] : "";
            var path = folder.Length == 0 ? reference : $"{folder}/{reference}";
            if (_files.ContainsKey(path))
                return path;
        }

        return null;
    }

    private static Stream? Open(FileInfo file) => file.Name switch
    {
        var name when name.EndsWith(".tar.xz", StringComparison.Ordinal) => new XZStream(file.OpenRead()),
        var name when name.EndsWith(".tar.gz", StringComparison.Ordinal) => new GZipStream(file.OpenRead(), CompressionMode.Decompress),
        var name when name.EndsWith(".tar", StringComparison.Ordinal) => file.OpenRead(),
        _ => null,
    };

    private void Add(string archivePath, Stream archive)
    {
        using (archive)
        using (var reader = new TarReader(archive))
            while (reader.GetNextEntry() is { } entry)
            {
                if (entry.DataStream is null)
                    continue;
                using var text = new StreamReader(entry.DataStream, Encoding.UTF8);
                var content = text.ReadToEnd();
                _files[$"{archivePath}/{entry.Name.TrimStart('.', '/')}"] = () => content;
            }
    }
}
