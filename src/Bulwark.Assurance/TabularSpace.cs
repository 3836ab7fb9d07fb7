using Bulwark.Models;

namespace Bulwark.Assurance;

/// <summary>Raw rows that can be sent and the encoded space that distance is measured in, joined.</summary>
/// <remarks>Immutable and thread-safe.</remarks>
internal sealed class TabularSpace
{
    private readonly bool[] _mutable;
    private readonly double[] _offsets;
    private readonly double[] _spans;
    private readonly bool[] _logarithmic;

    internal TabularSpace(FeatureEncoder encoder, CompiledConstraints constraints)
    {
        if (encoder.Width != constraints.Width)
            throw new ArgumentException($"The constraints are of {constraints.Width} features, the schema has {encoder.Width}.", nameof(constraints));
        (Encoder, Constraints) = (encoder, constraints);
        var columns = encoder.Columns;
        _mutable = [.. columns.Select(column => column.Role is EncodedRole.Value or EncodedRole.Category && constraints.Mutable[column.Feature])];
        (_offsets, _spans, _logarithmic) = (new double[columns.Count], new double[columns.Count], new bool[columns.Count]);
        for (var column = 0; column < columns.Count; column++)
        {
            var feature = encoder.Schema.Features[columns[column].Feature];
            _logarithmic[column] = feature.Scaling == Scaling.Log;
            var (low, high) = feature.Scaling == Scaling.None ? (0, 1) : (feature.Minimum ?? 0, feature.Maximum ?? 1);
            (_offsets[column], _spans[column]) = _logarithmic[column] ? (SignedLogOf(low), SignedLogOf(high) - SignedLogOf(low)) : (low, high - low);
        }
    }

    internal FeatureEncoder Encoder { get; }

    internal CompiledConstraints Constraints { get; }

    /// <summary>Shape (EncodedWidth): columns that an attack can move.</summary>
    internal ReadOnlySpan<bool> MutableColumns => _mutable;

    /// <summary>The raw row of an encoded one without rounding, and how fast each raw value grows with its column.</summary>
    internal void ToRaw(ReadOnlySpan<float> encoded, ReadOnlySpan<float> original, Span<double> raw, Span<double> slopes)
    {
        for (var j = 0; j < raw.Length; j++)
            raw[j] = original[j];
        slopes.Clear();
        var columns = Encoder.Columns;
        for (var column = 0; column < encoded.Length; column++)
        {
            var feature = columns[column].Feature;
            if (columns[column].Role != EncodedRole.Value || !_mutable[column] || float.IsNaN(original[feature]))
                continue;
            var scaled = _offsets[column] + (encoded[column] * _spans[column]);
            (raw[feature], slopes[column]) = _logarithmic[column]
                ? (Math.Sign(scaled) * (Math.Exp(Math.Abs(scaled)) - 1), Math.Exp(Math.Abs(scaled)) * _spans[column])
                : (scaled, _spans[column]);
        }
    }

    /// <summary>A raw row that types, bounds and definitions allow; what no column moved keeps its exact original.</summary>
    internal void Decode(ReadOnlySpan<float> encoded, ReadOnlySpan<float> encodedOriginal, ReadOnlySpan<float> original, Span<float> raw)
    {
        original.CopyTo(raw);
        var columns = Encoder.Columns;
        for (var column = 0; column < encoded.Length; column++)
        {
            var feature = columns[column].Feature;
            if (!_mutable[column] || encoded[column] == encodedOriginal[column] || float.IsNaN(original[feature]))
                continue;
            if (columns[column].Role == EncodedRole.Value)
                raw[feature] = (float)RawOf(column, encoded[column]);
            else if (IsLargest(column, encoded))
                raw[feature] = columns[column].Category;
        }

        Constraints.Repair(raw, original);
    }

    /// <summary>Writes a repaired raw row's definitions back into the encoded row, so that the next step starts where equalities hold.</summary>
    internal void Redefine(Span<float> encoded, ReadOnlySpan<float> original, Span<double> raw, Span<double> slopes)
    {
        ToRaw(encoded, original, raw, slopes);
        foreach (var (feature, right) in Constraints.Definitions)
        {
            var value = right.Value((ReadOnlySpan<double>)raw);
            if (!double.IsFinite(value))
                continue;
            raw[feature] = Math.Clamp(value, Constraints.Lowest(feature), Constraints.Highest(feature));
            for (var column = 0; column < encoded.Length; column++)
            {
                if (Encoder.Columns[column].Feature == feature && Encoder.Columns[column].Role == EncodedRole.Value && _mutable[column])
                    encoded[column] = (float)Math.Clamp(((_logarithmic[column] ? SignedLogOf(raw[feature]) : raw[feature]) - _offsets[column]) / _spans[column], 0, 1);
            }
        }
    }

    internal double RawOf(int column, double encoded)
    {
        var scaled = _offsets[column] + (encoded * _spans[column]);
        return _logarithmic[column] ? Math.Sign(scaled) * (Math.Exp(Math.Abs(scaled)) - 1) : scaled;
    }

    private bool IsLargest(int column, ReadOnlySpan<float> encoded)
    {
        var feature = Encoder.Columns[column].Feature;
        for (var other = 0; other < encoded.Length; other++)
        {
            if (other != column && Encoder.Columns[other].Feature == feature && Encoder.Columns[other].Role == EncodedRole.Category
                && (encoded[other] > encoded[column] || (encoded[other] == encoded[column] && other < column)))
                return false;
        }

        return true;
    }

    private static double SignedLogOf(double value) => Math.Sign(value) * Math.Log(1 + Math.Abs(value));
}

/// <summary>How far a row may go: a distance in the encoded space, a budget in the units of the prices, or both.</summary>
internal sealed record TabularReach(PerturbationNorm Norm, double Epsilon, double Budget = double.PositiveInfinity)
{
    /// <summary>Room for single-precision rounding between a raw value and its encoding.</summary>
    internal const float Tolerance = 1e-5f;

    /// <summary>Null when the row can be sent and lies in reach; else why not.</summary>
    internal string? Reject(TabularSpace space, ReadOnlySpan<float> row, ReadOnlySpan<float> original, ReadOnlySpan<float> encoded, ReadOnlySpan<float> encodedOriginal)
    {
        var distance = PerturbationBall<float>.Distance(Norm, encoded, encodedOriginal);
        if (!(distance <= Epsilon + Tolerance))
            return $"{Norm} distance {distance} is above {Epsilon}";
        if (!double.IsPositiveInfinity(Budget) && !(space.Constraints.Cost(row, original) <= Budget))
            return $"the cost is above {Budget}";
        return space.Constraints.Reject(row, original);
    }
}
