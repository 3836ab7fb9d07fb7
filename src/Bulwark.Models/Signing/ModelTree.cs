using System.Text;

namespace Bulwark.Models.Signing;

/// <summary>One file of a model: its name in the signature and its place on the disk.</summary>
internal readonly record struct TreeFile(string Name, string Path, long Bytes);

/// <summary>The files of a model in the order of a signature: names with slashes, sorted by code point.</summary>
/// <remarks>A link, a pipe or a device in the model stops the work: a signature must say what it covers.</remarks>
internal static class ModelTree
{
    /// <summary>Never part of a model, as in the upstream tool: what git keeps at its top.</summary>
    internal static readonly string[] Git = [".git", ".gitattributes", ".github", ".gitignore"];

    /// <summary>Resource name of the one file of a model that is a file, in signatures before v1.1.</summary>
    internal const string OldFileName = ".";

    /// <exception cref="InvalidDataException">The model holds what cannot be signed.</exception>
    internal static List<TreeFile> Read(string model, IReadOnlyCollection<string> ignored, bool allowLinks)
    {
        if (File.Exists(model))
            return [Leaf(Path.GetFileName(model), model, allowLinks)];
        if (!Directory.Exists(model))
            throw new DirectoryNotFoundException($"There is no model {model}.");
        var files = new List<TreeFile>();
        Walk(new DirectoryInfo(model), "", [.. ignored], allowLinks, files);
        files.Sort((a, b) => CompareCodePoints(a.Name, b.Name));
        return files;
    }

    /// <summary>The path's name in the model, with slashes; null when it lies outside.</summary>
    internal static string? NameIn(string model, string path)
    {
        var relative = Path.GetRelativePath(Path.GetFullPath(model), Path.GetFullPath(path)).Replace(Path.DirectorySeparatorChar, '/');
        return relative == ".." || relative.StartsWith("../", StringComparison.Ordinal) || Path.IsPathRooted(relative) ? null : relative;
    }

    /// <summary>UTF-8 keeps the order of code points; UTF-16 does not.</summary>
    internal static int CompareCodePoints(string a, string b) => Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b));

    private static void Walk(DirectoryInfo folder, string prefix, HashSet<string> ignored, bool allowLinks, List<TreeFile> files)
    {
        foreach (var entry in folder.EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = 0 }))
        {
            var name = prefix + entry.Name;
            if (ignored.Contains(name))
                continue;
            if (entry.LinkTarget is null && entry is DirectoryInfo inner)
                Walk(inner, name + "/", ignored, allowLinks, files);
            else
                files.Add(Leaf(name, entry.FullName, allowLinks));
        }
    }

    private static TreeFile Leaf(string name, string path, bool allowLinks)
    {
        if (name.AsSpan().IndexOfAny('\0', '\n', '\uFFFD') >= 0)
            throw new InvalidDataException($"'{name}' cannot be signed: its name holds a line feed or bytes that are no UTF-8.");
        var link = new FileInfo(path).LinkTarget is not null;
        if (link && !allowLinks)
            throw new InvalidDataException($"'{name}' is a symbolic link; a model is signed without links, unless they are allowed.");
        var stat = FileStat.Of(path, follow: link);
        var kind = stat?.Kind ?? (Directory.Exists(path) ? FileKind.Folder : FileKind.File);
        return kind == FileKind.File
            ? new TreeFile(name, path, stat?.Bytes ?? new FileInfo(path).Length)
            : throw new InvalidDataException($"'{name}' is {(kind == FileKind.Folder ? "a link to a folder" : "no file: a pipe, a socket or a device")}; it cannot be signed.");
    }
}
