namespace Bulwark.Server;

/// <summary>What one tensor of a model must be.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">What its values are.</param>
/// <param name="Shape">Its dimensions; -1 for any of at least 1. The first counts rows.</param>
internal sealed record TensorSpec(string Name, TensorType Type, long[] Shape)
{
    /// <summary>True when <c>null</c> in JSON, or NaN in bytes, means a missing value that the model may know.</summary>
    internal bool AllowsMissing { get; init; }

    /// <summary>True when FP64 values are taken too and rounded.</summary>
    internal bool AllowsDouble { get; init; }

    internal bool Takes(TensorType type) => type == Type || (AllowsDouble && type is TensorType.Fp64);
}

/// <summary>What a model takes and gives, as the Open Inference Protocol names it.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Inputs">Each is needed, each once.</param>
/// <param name="Outputs">What it gives.</param>
/// <param name="MaximumRows">The largest first dimension.</param>
/// <param name="Platform">What runs it.</param>
internal sealed record ModelSignature(string Name, string Version, IReadOnlyList<TensorSpec> Inputs, IReadOnlyList<TensorSpec> Outputs, int MaximumRows, string Platform)
{
    internal const string InputName = "features";
    internal const string OutputName = "score";

    /// <summary>A model of rows: <c>features</c> in, <c>score</c> out.</summary>
    internal static ModelSignature OfRows(string name, string version, int width, int classes, int maximumRows) => new(
        name, version,
        [new(InputName, TensorType.Fp32, [-1, width]) { AllowsMissing = true, AllowsDouble = true }],
        [new(OutputName, TensorType.Fp32, [-1, classes])],
        maximumRows, "bulwark_onnx");
}
