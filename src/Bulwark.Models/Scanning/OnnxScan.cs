using Bulwark.Models.Onnx;
using Google.Protobuf;

namespace Bulwark.Models.Scanning;

/// <summary>What an ONNX file asks for beyond the standard's operators and its own bytes.</summary>
internal static class OnnxScan
{
    /// <summary>What a protobuf message, and an array, can hold.</summary>
    internal const int LongestFile = 0x7FFFFFC7;

    private static readonly string[] s_standardDomains = ["", "ai.onnx", "ai.onnx.ml"];

    internal static IEnumerable<ModelFinding> Findings(string name, byte[] bytes)
    {
        var model = Parse(bytes);
        foreach (var function in model.Functions.Where(function => s_standardDomains.Contains(function.Domain)))
            yield return new("shadowed-operator", name, $"The function '{function.Name}' of the file takes the place of a standard operator.", Refuses: true);
        var own = model.Functions.Select(function => (function.Domain, function.Name)).ToHashSet();
        foreach (var (domain, operation) in Nodes(model).Select(node => (node.Domain, node.OpType)).Distinct())
        {
            if (!s_standardDomains.Contains(domain) && !own.Contains((domain, operation)))
                yield return Foreign(name, domain, operation);
        }

        foreach (var location in Tensors(model).Select(Location).OfType<string>().Distinct(StringComparer.Ordinal))
        {
            yield return Escapes(location)
                ? new("external-data", name, $"It keeps weights in '{location}', which leads out of the model's folder.", Refuses: true)
                : new("external-data", name, $"It keeps weights in '{location}'; bulwark model import takes them in.", Refuses: false);
        }
    }

    /// <summary>Full names of the files in which ONNX models keep weights, of those that stay in their folder.</summary>
    internal static HashSet<string> WeightFiles(IEnumerable<FileInfo> models)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in models.Where(file => file.Length <= LongestFile))
        {
            try
            {
                foreach (var location in Tensors(Parse(File.ReadAllBytes(file.FullName))).Select(Location).OfType<string>().Where(location => !Escapes(location)))
                    names.Add(Path.GetFullPath(Path.Combine(file.DirectoryName!, location)));
            }
            catch (InvalidDataException)
            {
                // The scan of the file itself says so.
            }
        }

        return names;
    }

    /// <summary>True for a location that is absolute, or climbs, or is of another system's writing.</summary>
    internal static bool Escapes(string location) =>
        location.Length == 0 || Path.IsPathRooted(location) || location.Contains('\\') || location.Contains(':') || location.Contains('\0')
        || location.Split('/').Any(part => part is ".." or "");

    /// <summary>Where a tensor's values are when they are not in the file; null when they are.</summary>
    internal static string? Location(TensorProto tensor) => tensor.DataLocation == OnnxFile.ExternalData || tensor.ExternalData.Count > 0
        ? tensor.ExternalData.LastOrDefault(entry => entry.Key == "location")?.Value ?? "" : null;

    internal static IEnumerable<TensorProto> Tensors(ModelProto model) => TensorsOf(model.Graph).Concat(model.Functions.SelectMany(function => function.Node).SelectMany(TensorsOf));

    internal static ModelProto Parse(byte[] bytes)
    {
        try
        {
            var model = ModelProto.Parser.ParseFrom(bytes);
            return model.Graph is null ? throw new InvalidDataException("The file is no ONNX model: it has no graph.") : model;
        }
        catch (InvalidProtocolBufferException fault)
        {
            throw new InvalidDataException($"The file is no ONNX model: {fault.Message}", fault);
        }
    }

    private static ModelFinding Foreign(string name, string domain, string operation)
    {
        var python = operation.Contains("Py", StringComparison.Ordinal) || domain.Contains("python", StringComparison.OrdinalIgnoreCase);
        return domain.StartsWith("com.microsoft", StringComparison.Ordinal) && !domain.Contains("extensions", StringComparison.Ordinal) && !python
            ? new("runtime-operator", name, $"Operator {domain}.{operation} belongs to ONNX Runtime, not to the standard.", Refuses: false)
            : new("foreign-operator", name, $"Operator {domain}.{operation} needs {(python ? "Python" : "a native library")} beside the model.", Refuses: true);
    }

    private static IEnumerable<NodeProto> Nodes(ModelProto model) => model.Graph.Node.Concat(model.Functions.SelectMany(function => function.Node)).SelectMany(WithInner);

    private static IEnumerable<NodeProto> WithInner(NodeProto node) =>
        Graphs(node).SelectMany(graph => graph.Node).SelectMany(WithInner).Prepend(node);

    private static IEnumerable<GraphProto> Graphs(NodeProto node) => node.Attribute.SelectMany(attribute => attribute.G is { } graph ? attribute.Graphs.Append(graph) : attribute.Graphs);

    private static IEnumerable<TensorProto> TensorsOf(GraphProto graph) => graph.Initializer
        .Concat(graph.SparseInitializer.SelectMany(Parts))
        .Concat(graph.Node.SelectMany(TensorsOf));

    private static IEnumerable<TensorProto> TensorsOf(NodeProto node) => node.Attribute.SelectMany(attribute =>
        attribute.Tensors.Concat(attribute.T is { } tensor ? [tensor] : []).Concat(attribute.SparseTensors.Concat(attribute.SparseTensor is { } sparse ? [sparse] : []).SelectMany(Parts)))
        .Concat(Graphs(node).SelectMany(TensorsOf));

    private static IEnumerable<TensorProto> Parts(SparseTensorProto sparse) => ((TensorProto?[])[sparse.Values, sparse.Indices]).OfType<TensorProto>();
}
