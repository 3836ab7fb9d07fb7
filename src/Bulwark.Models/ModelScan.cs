using Bulwark.Models.Scanning;

namespace Bulwark.Models;

/// <summary>Says what a model file or folder holds besides numbers: code, paths that lead out of it, operators that no runtime brings along.</summary>
/// <remarks>Reads bytes only. What it accepts is short: ONNX, safetensors, text. A pickle is refused by rule, whatever is in it.</remarks>
public static class ModelScan
{
    private const int MostFiles = 10_000;

    /// <summary>Scans a file, or a folder with everything under it.</summary>
    /// <exception cref="FileNotFoundException">There is no such file or folder.</exception>
    /// <exception cref="InvalidDataException">The folder holds more than 10,000 files.</exception>
    public static ModelScanReport Scan(string path)
    {
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (File.Exists(path))
            return Scan(Path.GetDirectoryName(path)!, [new FileInfo(path)]);
        if (!Directory.Exists(path))
            throw new FileNotFoundException($"There is no model {path}.", path);
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = false };
        var files = new DirectoryInfo(path).EnumerateFileSystemInfos("*", options).Where(entry => entry.LinkTarget is not null || entry is FileInfo).Take(MostFiles + 1).ToList();
        if (files.Count > MostFiles)
            throw new InvalidDataException($"{path} holds more than {MostFiles} files; scan the model's own folder.");
        return Scan(path, files);
    }

    private static ModelScanReport Scan(string root, IReadOnlyList<FileSystemInfo> entries)
    {
        var files = new List<ScannedFile>();
        var findings = new List<ModelFinding>();
        var outside = OnnxScan.WeightFiles(entries.OfType<FileInfo>().Where(file => file.LinkTarget is null && file.Extension.Equals(".onnx", StringComparison.OrdinalIgnoreCase)));
        foreach (var entry in entries.OrderBy(entry => entry.FullName, StringComparer.Ordinal))
        {
            var name = Path.GetRelativePath(root, entry.FullName);
            if (entry.LinkTarget is { } target)
            {
                findings.Add(new("link", name, $"A link, to {target}: a model folder holds plain files only.", Refuses: true));
                continue;
            }

            using var stream = File.OpenRead(entry.FullName);
            var scan = new FileScan(name, _ => outside.Contains(entry.FullName));
            files.Add(new(name, scan.Look(stream), stream.Length));
            findings.AddRange(scan.Findings);
        }

        return new(files, [.. findings.OrderByDescending(finding => finding.Refuses)]);
    }
}
