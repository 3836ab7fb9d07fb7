namespace Bulwark.Models.Onnx;

/// <summary>What a scorer asks of a model's input: a float matrix (rows, features) with a fixed number of features.</summary>
internal static class ScoreInput
{
    internal static int WidthOf(ValueInfoProto input)
    {
        if (input.Type?.TensorType is not { ElemType: GraphBuilder.FloatType, Shape.Dim: [var rows, var features] })
            throw new NotSupportedException($"Input '{input.Name}' must be a float matrix (rows, features).");
        if (features.DimValue is < 1 or > FeatureSchema.MostFeatures)
            throw new NotSupportedException($"Input '{input.Name}' must say how many features it takes, 1 to {FeatureSchema.MostFeatures}; export the model with that dimension fixed.");
        return rows.DimValue is 0 or 1
            ? (int)features.DimValue
            : throw new NotSupportedException($"Input '{input.Name}' takes exactly {rows.DimValue} rows; export the model with that dimension free.");
    }

    internal static bool TakesOneRow(ValueInfoProto input) => input.Type.TensorType.Shape.Dim[0].DimValue == 1;
}
