namespace Bulwark.Models.Onnx;

/// <summary>Writes <see cref="FeatureEncoder"/> as ONNX nodes: raw rows in, encoded rows out, the same single-precision steps in the same order.</summary>
/// <remarks>Columns of one kind are computed together; a last Gather puts them into the encoder's order.</remarks>
internal sealed class EncodingGraph(GraphBuilder graph, string features)
{
    private readonly List<string> _parts = [];
    private readonly List<int> _order = [];

    internal string Write(FeatureEncoder encoder)
    {
        var columns = encoder.Columns.Index().ToList();
        Part(columns, "linear", column => column is { Role: EncodedRole.Value, Scaling: not Scaling.Log }, Values);
        Part(columns, "log", column => column is { Role: EncodedRole.Value, Scaling: Scaling.Log }, Values);
        Part(columns, "category", column => column.Role == EncodedRole.Category, Categories);
        Part(columns, "bin", column => column.Role == EncodedRole.Bin, Bins);
        Part(columns, "missing_number", column => column is { Role: EncodedRole.MissingIndicator, Kind: not FeatureKind.Categorical }, MissingNumbers);
        Part(columns, "missing_category", column => column is { Role: EncodedRole.MissingIndicator, Kind: FeatureKind.Categorical }, MissingCategories);
        var joined = _parts.Count == 1 ? _parts[0] : graph.Node("Concat", "parts", ("axis", 1), [.. _parts]);
        return InOrder(joined);
    }

    private void Part(
        List<(int Index, EncodedColumn Column)> columns, string name, Func<EncodedColumn, bool> belongs, Func<string, string, IReadOnlyList<EncodedColumn>, string> write)
    {
        var own = columns.Where(item => belongs(item.Column)).ToList();
        if (own.Count == 0)
            return;
        var sources = graph.Longs($"{name}.sources", [.. own.Select(item => (long)item.Column.Feature)], own.Count);
        var raw = graph.Node("Gather", $"{name}.raw", ("axis", 1), features, sources);
        _parts.Add(write(name, raw, [.. own.Select(item => item.Column)]));
        _order.AddRange(own.Select(item => item.Index));
    }

    /// <summary>clip(s(clip(x, low, high)) - offset) · scale, 0, 1), or 0.5 where x is NaN.</summary>
    private string Values(string name, string raw, IReadOnlyList<EncodedColumn> columns)
    {
        var low = Row($"{name}.low", columns, column => column.Low);
        var high = Row($"{name}.high", columns, column => column.High);
        var clipped = graph.Node("Min", $"{name}.clipped", graph.Node("Max", $"{name}.floored", raw, low), high);
        var curved = columns[0].Scaling == Scaling.Log ? Logarithm(name, clipped) : clipped;
        var shifted = graph.Node("Sub", $"{name}.shifted", curved, Row($"{name}.offset", columns, column => column.Offset));
        var scaled = graph.Node("Mul", $"{name}.scaled", shifted, Row($"{name}.scale", columns, column => column.Scale));
        var bounded = graph.Node("Clip", $"{name}.bounded", scaled, graph.Floats($"{name}.zero", [0]), graph.Floats($"{name}.one", [1]));
        var missing = graph.Node("IsNaN", $"{name}.missing", raw);
        return graph.Node("Where", $"{name}.values", missing, graph.Floats($"{name}.middle", [0.5f]), bounded);
    }

    private string Logarithm(string name, string clipped)
    {
        var size = graph.Node("Add", $"{name}.size", graph.Node("Abs", $"{name}.absolute", clipped), graph.Floats($"{name}.unit", [1]));
        return graph.Node("Mul", $"{name}.logarithm", graph.Node("Sign", $"{name}.sign", clipped), graph.Node("Log", $"{name}.log_size", size));
    }

    private string Categories(string name, string raw, IReadOnlyList<EncodedColumn> columns)
    {
        var same = graph.Node("Equal", $"{name}.same", raw, Row($"{name}.codes", columns, column => column.Category));
        return Number(name, same);
    }

    private string Bins(string name, string raw, IReadOnlyList<EncodedColumn> columns)
    {
        var above = graph.Node("GreaterOrEqual", $"{name}.above", raw, Row($"{name}.low", columns, column => column.Low));
        var beyond = graph.Node("GreaterOrEqual", $"{name}.beyond", raw, Row($"{name}.high", columns, column => column.High));
        return Number(name, graph.Node("And", $"{name}.inside", above, graph.Node("Not", $"{name}.short", beyond)));
    }

    private string MissingNumbers(string name, string raw, IReadOnlyList<EncodedColumn> columns) =>
        Number(name, graph.Node("IsNaN", $"{name}.nan", raw));

    private string MissingCategories(string name, string raw, IReadOnlyList<EncodedColumn> columns)
    {
        var floor = graph.Node("GreaterOrEqual", $"{name}.above", raw, graph.Floats($"{name}.zero", [0]));
        var ceiling = graph.Node("Less", $"{name}.below", raw, Row($"{name}.count", columns, column => column.Categories));
        var whole = graph.Node("Equal", $"{name}.whole", raw, graph.Node("Floor", $"{name}.floor", raw));
        var known = graph.Node("And", $"{name}.known", graph.Node("And", $"{name}.inside", floor, ceiling), whole);
        return Number(name, graph.Node("Not", $"{name}.unknown", known));
    }

    private string Number(string name, string condition) => graph.Node("Cast", $"{name}.values", ("to", GraphBuilder.FloatType), condition);

    private string Row(string name, IReadOnlyList<EncodedColumn> columns, Func<EncodedColumn, float> value) =>
        graph.Floats(name, [.. columns.Select(value)], columns.Count);

    private string InOrder(string joined)
    {
        if (_order.SequenceEqual(Enumerable.Range(0, _order.Count)))
            return joined;
        var places = new long[_order.Count];
        for (var place = 0; place < places.Length; place++)
            places[_order[place]] = place;
        return graph.Node("Gather", "encoded", ("axis", 1), joined, graph.Longs("encoded.order", places, places.Length));
    }
}
