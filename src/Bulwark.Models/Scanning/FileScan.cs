using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Bulwark.Models.Scanning;

/// <summary>Looks at a file by its bytes; nothing of it is ever loaded or run.</summary>
internal sealed partial class FileScan(string name, Func<string, bool> isWeightFile)
{
    private const int LargestEntry = 64 << 20, LargestText = 64 << 20;
    private static readonly string[] s_code = [".py", ".pyc", ".so", ".dll", ".dylib", ".sh", ".exe", ".js", ".jar", ".class", ".wasm"];
    private static readonly string[] s_text = [".json", ".txt", ".md", ".yaml", ".yml", ".csv", ".toml", ".cfg"];
    private static readonly string[] s_pickles = [".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt", ".dill"];

    internal List<ModelFinding> Findings { get; } = [];

    internal ModelFileKind Look(Stream stream)
    {
        var head = new byte[Math.Min(16, stream.Length)];
        stream.ReadExactly(head);
        stream.Position = 0;
        if (head.AsSpan().StartsWith("PK\u0003\u0004"u8))
            return LookIntoArchive(stream);
        if (head.AsSpan().StartsWith("\u0089HDF\r\n\u001a\n"u8[1..]) || head.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x89, .. "HDF"u8]))
            return Refuse(ModelFileKind.Hdf5, "hdf5", "HDF5 as Keras writes it can hold Lambda layers, which are code. Export the model as ONNX.");
        if (head.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x93, .. "NUMPY"u8]))
            return LookIntoNumpy(stream);
        if (head.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x7F, .. "ELF"u8]) || head.AsSpan().StartsWith("MZ"u8) || Is(s_code))
            return Refuse(ModelFileKind.Code, "code", "Source code or a native library is no part of a model.");
        if (head is [0x80, >= 2 and <= 5, ..] || Is(s_pickles))
            return LookIntoPickle(stream, name);
        if (Is([".onnx"]))
            return LookIntoOnnx(stream);
        if (Is([".safetensors"]))
            return LookIntoSafetensors(stream);
        if (isWeightFile(name))
            return CallsSomething(stream) ? LookIntoPickle(stream, name) : ModelFileKind.ExternalData;
        return Is(s_text) ? LookIntoText(stream) : LookIntoUnknown(stream);
    }

    private ModelFileKind LookIntoUnknown(Stream stream)
    {
        if (CallsSomething(stream))
            return LookIntoPickle(stream, name);
        Findings.Add(new("unknown", name, "The format is not known here; the file was not looked into.", Refuses: false));
        return ModelFileKind.Unknown;
    }

    private ModelFileKind LookIntoPickle(Stream stream, string where)
    {
        var trace = PickleTrace.Read(stream);
        var run = trace.Calls.Count == 0 ? "It was not possible to say what it would run" : $"Loading it would run: {string.Join("; ", trace.Calls.Take(12))}{(trace.Calls.Count > 12 ? $"; and {trace.Calls.Count - 12} more" : "")}";
        Findings.Add(new("pickle", where, $"A pickle is a program. {run}. Export the model as ONNX or safetensors.", Refuses: true));
        return ModelFileKind.Pickle;
    }

    private ModelFileKind LookIntoArchive(Stream stream)
    {
        var kind = ModelFileKind.Archive;
        try
        {
            using var archive = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
            foreach (var entry in archive.Entries)
            {
                if (entry.FullName.Contains("..", StringComparison.Ordinal) || Path.IsPathRooted(entry.FullName))
                    Findings.Add(new("path", $"{name}!{entry.FullName}", "An archive's entry that leaves the archive's folder.", Refuses: true));
                if (!s_pickles.Contains(Path.GetExtension(entry.Name).ToLowerInvariant()))
                    continue;
                kind = ModelFileKind.Pickle;
                using var opened = entry.Open();
                var bytes = new MemoryStream();
                opened.CopyAtMost(bytes, LargestEntry);
                bytes.Position = 0;
                LookIntoPickle(bytes, $"{name}!{entry.FullName}");
            }
        }
        catch (InvalidDataException fault)
        {
            return Refuse(ModelFileKind.Archive, "damaged", $"The archive is damaged: {fault.Message}");
        }

        if (kind == ModelFileKind.Archive)
            Refuse(kind, "archive", "An archive is no model: unpack it, and scan what was in it.");
        return kind;
    }

    private ModelFileKind LookIntoNumpy(Stream stream)
    {
        var head = new byte[Math.Min(4096, stream.Length)];
        stream.ReadExactly(head);
        return !NumericArray().IsMatch(Encoding.Latin1.GetString(head))
            ? Refuse(ModelFileKind.Pickle, "pickle", "A NumPy array of anything but plain numbers can hold a pickle. Save numbers only.")
            : ModelFileKind.Unknown;
    }

    private ModelFileKind LookIntoText(Stream stream)
    {
        if (!Is([".json"]))
            return CallsSomething(stream) ? LookIntoPickle(stream, name) : ModelFileKind.Text;
        if (stream.Length > LargestText)
            return Refuse(ModelFileKind.Text, "damaged", $"It is called JSON and has {stream.Length} bytes; more than {LargestText} are not looked into.");
        try
        {
            using var json = JsonDocument.Parse(stream);
            if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("auto_map", out var map))
                Refuse(ModelFileKind.Text, "auto-map", $"'auto_map' makes loaders run Python from the model's folder: {map.GetRawText()}");
        }
        catch (JsonException fault)
        {
            Findings.Add(new("damaged", name, $"It is called JSON and is none: {fault.Message}", Refuses: false));
        }

        return ModelFileKind.Text;
    }

    /// <summary>A protocol-0 pickle has no mark of its own; one that was cut calls all the same before it ends.</summary>
    private static bool CallsSomething(Stream stream)
    {
        stream.Position = 0;
        var calls = PickleTrace.Read(stream).Calls;
        stream.Position = 0;
        return calls.Count >= PickleTrace.MostCalls || calls.Any(call => !call.StartsWith("import ", StringComparison.Ordinal));
    }

    /// <summary>The description of an array of numbers, at the head's beginning, where NumPy writes it.</summary>
    [GeneratedRegex(@"^.{8,12}\{'descr': '[<>|=]?[bBiufc?][0-9]{0,2}', ", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex NumericArray();

    private ModelFileKind LookIntoSafetensors(Stream stream)
    {
        try
        {
            Safetensors.ReadHeader(stream);
            return ModelFileKind.Safetensors;
        }
        catch (InvalidDataException fault)
        {
            return Refuse(ModelFileKind.Safetensors, "damaged", fault.Message);
        }
    }

    private ModelFileKind LookIntoOnnx(Stream stream)
    {
        if (stream.Length > OnnxScan.LongestFile)
            return Refuse(ModelFileKind.Onnx, "damaged", $"An ONNX file holds at most 2 GiB, this one {stream.Length} bytes. Larger models keep weights in files beside it.");
        try
        {
            Findings.AddRange(OnnxScan.Findings(name, ReadAll(stream)));
        }
        catch (InvalidDataException fault)
        {
            return Refuse(ModelFileKind.Onnx, "damaged", fault.Message);
        }

        return ModelFileKind.Onnx;
    }

    private ModelFileKind Refuse(ModelFileKind kind, string rule, string detail)
    {
        Findings.Add(new(rule, name, detail, Refuses: true));
        return kind;
    }

    private bool Is(string[] extensions) => extensions.Contains(Path.GetExtension(name).ToLowerInvariant());

    private static byte[] ReadAll(Stream stream)
    {
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
