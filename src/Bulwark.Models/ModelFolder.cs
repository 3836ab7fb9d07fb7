using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Models;

/// <summary>A trained model as plain files in one folder: <c>model.onnx</c>, <c>manifest.json</c>, and whatever else belongs to it, for example <c>screen.json</c>.</summary>
/// <remarks>What training writes and sealing reads. The files stand in the folder itself; links and folders within it are refused.</remarks>
public sealed class ModelFolder
{
    /// <summary>The model.</summary>
    public const string OnnxName = "model.onnx";

    /// <summary>The manifest, without files.</summary>
    public const string ManifestName = "manifest.json";

    /// <summary>The weights that the model keeps outside of itself, where it does: any length, never read into an array.</summary>
    public const string WeightsName = "model.onnx.data";

    /// <summary>The input screen, where there is one.</summary>
    public const string ScreenName = "screen.json";

    /// <param name="manifest">What is known of the model.</param>
    /// <param name="files">The files by name, <see cref="OnnxName"/> among them, <see cref="ManifestName"/> not.</param>
    /// <param name="weights">Path of the file that becomes <see cref="WeightsName"/>; null when the model holds all its weights.</param>
    /// <exception cref="ArgumentException">The manifest has faults, a name is not allowed, or the model is absent.</exception>
    public ModelFolder(ModelManifest manifest, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, string? weights = null)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(files);
        var faults = manifest.Faults().ToList();
        if (!files.ContainsKey(OnnxName))
            faults.Add($"A model folder needs {OnnxName}.");
        if (files.ContainsKey(ManifestName))
            faults.Add($"{ManifestName} is written from the manifest.");
        if (files.ContainsKey(WeightsName))
            faults.Add($"{WeightsName} is given as a path.");
        if (files.Count > ModelManifest.MostFiles)
            faults.Add($"A model folder has at most {ModelManifest.MostFiles} files.");
        faults.AddRange(files.Keys.Where(name => !ModelManifest.IsName(name)).Select(name => $"'{name}' is no file name for a model folder."));
        if (faults.Count > 0)
            throw new ArgumentException(string.Join(" ", faults));
        Manifest = manifest;
        Weights = weights;
        Files = new SortedDictionary<string, ReadOnlyMemory<byte>>(files.ToDictionary(), StringComparer.Ordinal);
    }

    /// <summary>What is known of the model.</summary>
    public ModelManifest Manifest { get; }

    /// <summary>Where <see cref="WeightsName"/> is; null when the model holds all its weights.</summary>
    public string? Weights { get; }

    /// <summary>Every file but the manifest and the weights, in ordinal order of the names.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Files { get; }

    /// <summary>The ONNX model.</summary>
    public ReadOnlyMemory<byte> Onnx => Files[OnnxName];

    /// <summary>The schema inside the model, or null where it has none.</summary>
    /// <exception cref="InvalidDataException">The model or its schema is not valid.</exception>
    public FeatureSchema? Schema() => OnnxModel.SchemaOf(Onnx.Span);

    /// <summary>A text file of the folder, or null where it is absent.</summary>
    public string? Text(string name) => Files.TryGetValue(name, out var bytes) ? Encoding.UTF8.GetString(bytes.Span) : null;

    /// <summary>Reads a folder.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">The folder is no model folder; the message says what is missing or too much.</exception>
    public static ModelFolder Load(string path)
    {
        var folder = new DirectoryInfo(path);
        if (!folder.Exists)
            throw new DirectoryNotFoundException($"There is no model folder {path}.");
        ModelManifest? manifest = null;
        string? weights = null;
        var files = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        foreach (var entry in folder.EnumerateFileSystemInfos().Where(entry => !entry.Name.StartsWith('.')))
        {
            if (entry is not FileInfo file || entry.LinkTarget is not null)
                throw new InvalidDataException($"{path} is no model folder: '{entry.Name}' is no plain file.");
            if (file.Name == WeightsName)
            {
                weights = file.FullName;
                continue;
            }

            var bytes = File.ReadAllBytes(file.FullName);
            if (file.Name == ManifestName)
                manifest = ModelManifest.Parse(Encoding.UTF8.GetString(bytes));
            else
                files.Add(file.Name, bytes);
        }

        try
        {
            return new ModelFolder(manifest ?? throw new InvalidDataException($"{path} is no model folder: it has no {ManifestName}."), files, weights);
        }
        catch (ArgumentException fault)
        {
            throw new InvalidDataException($"{path} is no model folder: {fault.Message}", fault);
        }
    }

    /// <summary>Writes the folder: all of it appears, or nothing. An earlier model folder of that path is replaced.</summary>
    /// <exception cref="IOException">The path holds something else than a model folder, which is left alone; or the disk refused.</exception>
    public void Save(string path)
    {
        var target = Path.GetFullPath(path).TrimEnd(Path.DirectorySeparatorChar);
        RequireReplaceable(target);
        var parent = Path.GetDirectoryName(target) ?? throw new IOException($"{path} cannot be a model folder.");
        Directory.CreateDirectory(parent);
        var fresh = Path.Combine(parent, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}.tmp");
        Directory.CreateDirectory(fresh);
        try
        {
            foreach (var (name, bytes) in Files)
                AtomicFile.Write(Path.Combine(fresh, name), bytes.Span);
            if (Weights is not null)
                File.Copy(Weights, Path.Combine(fresh, WeightsName));
            AtomicFile.Write(Path.Combine(fresh, ManifestName), Encoding.UTF8.GetBytes(Manifest.ToJson()));
            Swap(fresh, target);
        }
        finally
        {
            if (Directory.Exists(fresh))
                Directory.Delete(fresh, recursive: true);
        }
    }

    private static void RequireReplaceable(string target)
    {
        if (File.Exists(target))
            throw new IOException($"{target} is a file; name a folder.");
        if (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any() && !IsModelFolder(target))
            throw new IOException($"{target} is no model folder and is not empty; it is left alone. Name another folder.");
    }

    /// <summary>True when everything in the folder is a plain file that a model folder holds: such a folder may be replaced, any other may not.</summary>
    private static bool IsModelFolder(string target)
    {
        if (new DirectoryInfo(target).EnumerateFileSystemInfos().Any(entry => entry is DirectoryInfo || entry.LinkTarget is not null || entry.Name.StartsWith('.')))
            return false;
        try
        {
            Load(target);
            return true;
        }
        catch (Exception failure) when (failure is InvalidDataException or FileNotFoundException or FormatException)
        {
            return false;
        }
    }

    private static void Swap(string fresh, string target)
    {
        if (!Directory.Exists(target))
        {
            Directory.Move(fresh, target);
            return;
        }

        var old = fresh + ".old";
        Directory.Move(target, old);
        Directory.Move(fresh, target);
        Directory.Delete(old, recursive: true);
    }
}
