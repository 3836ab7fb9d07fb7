namespace Bulwark.Training;

/// <summary>Which operators of a network leave each row's gradient a function of that row alone, which clipping needs. Everything else is refused, with the reason where it is known.</summary>
/// <remarks>The private loop trains dense networks only, which hold the rule by construction; this judges networks that come from elsewhere.</remarks>
public static class PrivateLayers
{
    private static readonly HashSet<string> s_allowed = new(StringComparer.Ordinal)
    {
        // Row by row: dense layers, convolutions, pointwise functions, and norms within a row.
        "Gemm", "MatMul", "Add", "Sub", "Mul", "Div", "Relu", "LeakyRelu", "Elu", "Selu", "Gelu", "Sigmoid", "Tanh", "Softplus", "Softmax", "LogSoftmax", "Clip", "Identity", "Flatten",
        "Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "LayerNormalization", "GroupNormalization", "InstanceNormalization",
        // Preprocessing with declared constants.
        "Gather", "Concat", "Max", "Min", "Sign", "Abs", "Log", "IsNaN", "Where", "Cast", "Equal", "GreaterOrEqual", "Less", "And", "Not", "Floor", "Constant",
    };

    private static readonly Dictionary<string, string> s_reasons = new(StringComparer.Ordinal)
    {
        ["BatchNormalization"] = "its mean and variance join the rows of a batch, so one row moves every other row's gradient; its running figures would be unpaid releases. Use LayerNormalization or GroupNormalization.",
        ["Dropout"] = "a mask shared by the rows of a batch joins them; train without it: noise regularises already.",
        ["LSTM"] = "the same weights are used once a step of a sequence, and their per-row gradient is no outer product; it is not clipped here.",
        ["GRU"] = "the same weights are used once a step of a sequence, and their per-row gradient is no outer product; it is not clipped here.",
        ["RNN"] = "the same weights are used once a step of a sequence, and their per-row gradient is no outer product; it is not clipped here.",
        ["Attention"] = "attention may look across rows; only attention within a row is sound, and a graph does not say which it is.",
        ["TopK"] = "routing or choosing among rows joins them.",
        ["ReduceMean"] = "a mean may run over the batch, which joins the rows; use a norm within a row.",
        ["ReduceSum"] = "a sum may run over the batch, which joins the rows; use a norm within a row.",
        ["Loop"] = "what runs inside is not known before it runs.",
        ["If"] = "what runs inside is not known before it runs.",
        ["Scan"] = "what runs inside is not known before it runs.",
    };

    /// <summary>Each operator that forbids private training, once, with the reason; empty when there is none.</summary>
    /// <param name="operators">Operators as an ONNX graph names them.</param>
    public static IReadOnlyList<string> Refusals(IEnumerable<string> operators)
    {
        ArgumentNullException.ThrowIfNull(operators);
        return [.. operators.Distinct(StringComparer.Ordinal).Where(name => !s_allowed.Contains(name)).Select(name =>
            $"{name}: {s_reasons.GetValueOrDefault(name, "it is not known to treat each row by itself.")}")];
    }
}
