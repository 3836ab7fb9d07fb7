namespace Bulwark.Server;

/// <summary>Whether a tensor is of the type and shape that its specification asks for; the same for JSON, raw bytes and messages.</summary>
internal static class TensorRules
{
    internal static Refusal? Check(TensorSpec spec, TensorType type, ReadOnlySpan<long> shape, int maximumRows)
    {
        if (!spec.Takes(type))
            return Refusal.WrongType($"The datatype of \"{spec.Name}\" must be {spec.Type.Word()}{(spec.AllowsDouble ? " or FP64" : "")}.");
        if (shape.Length != spec.Shape.Length)
            return WrongShape(spec);
        for (var i = 0; i < shape.Length; i++)
            if (shape[i] < 1 || (spec.Shape[i] >= 0 && shape[i] != spec.Shape[i]))
                return WrongShape(spec);
        return shape.Length > 0 && spec.Shape[0] < 0 && shape[0] > maximumRows ? TooManyRows(maximumRows) : null;
    }

    internal static Refusal TooManyRows(int maximumRows) => new(StatusCodes.Status413PayloadTooLarge, "too-many-rows", $"A request may have {maximumRows} rows.");

    private static Refusal WrongShape(TensorSpec spec) =>
        Refusal.WrongShape($"The shape of \"{spec.Name}\" must be [{string.Join(", ", spec.Shape.Select((size, i) => size >= 0 ? $"{size}" : i == 0 ? "rows" : "any"))}] with no dimension below 1.");
}
