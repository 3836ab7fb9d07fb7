using System.Globalization;

namespace Bulwark.Models.Onnx;

/// <summary>New names for every value of a graph and its inner graphs but those by which it is called.</summary>
/// <remarks>One name has one new name wherever it stands, so that what an inner graph reads from an outer one stays the same value.</remarks>
internal sealed class ValueNames(GraphProto graph)
{
    private readonly HashSet<string> _kept = [.. graph.Input.Concat(graph.Output).Select(value => value.Name), ""];
    private readonly Dictionary<string, string> _new = new(StringComparer.Ordinal);
    private int _skipped;

    internal int Count => _new.Count;

    /// <summary>Descriptions and recorded shapes that were dropped.</summary>
    internal int Removed { get; private set; }

    internal void Rename(GraphProto graph)
    {
        Removed += graph.ValueInfo.Count + (graph.DocString.Length > 0 ? 1 : 0);
        graph.ValueInfo.Clear();
        graph.DocString = "";
        foreach (var value in graph.Input.Concat(graph.Output))
            value.Name = Of(value.Name);
        foreach (var tensor in graph.Initializer)
            tensor.Name = Of(tensor.Name);
        foreach (var sparse in graph.SparseInitializer.Where(sparse => sparse.Values is not null))
            sparse.Values.Name = Of(sparse.Values.Name);
        foreach (var node in graph.Node)
            Rename(node);
    }

    private void Rename(NodeProto node)
    {
        Removed += node.DocString.Length > 0 ? 1 : 0;
        (node.Name, node.DocString) = ("", "");
        for (var i = 0; i < node.Input.Count; i++)
            node.Input[i] = Of(node.Input[i]);
        for (var i = 0; i < node.Output.Count; i++)
            node.Output[i] = Of(node.Output[i]);
        foreach (var inner in node.Attribute.SelectMany(attribute => attribute.G is { } own ? attribute.Graphs.Append(own) : attribute.Graphs))
            Rename(inner);
    }

    private string Of(string name)
    {
        if (_kept.Contains(name))
            return name;
        if (_new.TryGetValue(name, out var known))
            return known;
        string fresh;
        do
            fresh = string.Create(CultureInfo.InvariantCulture, $"v{_new.Count + _skipped}");
        while (_kept.Contains(fresh) && ++_skipped > 0);
        return _new[name] = fresh;
    }
}
