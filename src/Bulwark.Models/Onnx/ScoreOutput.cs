namespace Bulwark.Models.Onnx;

/// <summary>The output of a model that is its score, and whether it holds probabilities or logits.</summary>
internal sealed class ScoreOutput
{
    /// <summary>How far rounding may push a probability out of [0, 1].</summary>
    private const float Slack = 1e-5f;

    private static readonly string[] ShapeOnly = ["Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten"];
    private static readonly string[] Affine = ["Gemm", "MatMul", "Add"];

    private ScoreOutput(string name, bool logits)
    {
        Name = name;
        Logits = logits;
    }

    internal string Name { get; }

    internal bool Logits { get; }

    internal static ScoreOutput Find(GraphProto graph)
    {
        if (graph.Output.Any(output => output.Type?.SequenceType is not null || output.Type?.MapType is not null))
            throw new NotSupportedException("The model gives its probabilities as a list of dictionaries (ZipMap); export it with zipmap switched off, so that they are a matrix.");
        var floats = graph.Output.Where(IsScore).ToList();
        var named = floats.Where(output => IsNamedAsScore(output.Name)).ToList();
        var chosen = floats.Count == 1 ? floats : named;
        if (chosen.Count != 1)
            throw new NotSupportedException($"The model has {floats.Count} float outputs of which {named.Count} is called score or probability; it must have one score.");
        return new ScoreOutput(chosen[0].Name, HoldsLogits(graph, chosen[0].Name));
    }

    internal void ToProbabilities(ReadOnlySpan<float> outputs, int columns, Span<float> probabilities)
    {
        var rows = probabilities.Length / (columns == 2 ? 1 : columns);
        if (outputs.Length != (long)rows * columns)
            throw new InvalidDataException($"Output '{Name}' has {outputs.Length} numbers for {rows} rows of {columns}.");
        if (Logits)
        {
            Probability.FromLogits(outputs, columns, probabilities);
            return;
        }

        var step = columns == 2 ? 2 : 1;
        for (var place = 0; place < probabilities.Length; place++)
        {
            var value = outputs[(place * step) + step - 1];
            if (!(value >= -Slack && value <= 1 + Slack))
                throw new InvalidDataException($"Output '{Name}' is {value}, which is no probability; add a Sigmoid or Softmax to the model.");
            probabilities[place] = Math.Clamp(value, 0, 1);
        }
    }

    private static bool IsScore(ValueInfoProto output) => output.Type?.TensorType is { ElemType: GraphBuilder.FloatType };

    private static bool IsNamedAsScore(string name) =>
        name.Equals(OnnxModel.OutputName, StringComparison.OrdinalIgnoreCase) || name.Contains("prob", StringComparison.OrdinalIgnoreCase);

    /// <summary>True when the value comes, but for reshaping, straight from an affine layer.</summary>
    private static bool HoldsLogits(GraphProto graph, string name)
    {
        for (var steps = 0; steps < graph.Node.Count; steps++)
        {
            var maker = graph.Node.FirstOrDefault(node => node.Output.Contains(name));
            if (maker is null || maker.Input.Count == 0 || !ShapeOnly.Contains(maker.OpType))
                return maker is not null && Affine.Contains(maker.OpType);
            name = maker.Input[0];
        }

        return false;
    }
}
