using System.Buffers;
using System.Numerics.Tensors;

namespace Bulwark.Monitoring;

/// <summary>What can be said of one input before it is scored: its width, its types, its bounds, the relations between its values, and whether it lies near the training data at all.</summary>
/// <remarks>
/// The contract and the relations look at the raw row, the distance at the encoded one (values in [0, 1], as the model's encoder makes them), so that no unit outweighs another.
/// Distance: Mahalanobis, "On the generalised distance in statistics", 1936: d(x) = |W(x - mean)| with W the inverse of the covariance's Cholesky factor.
/// Immutable and thread-safe; checking allocates nothing for encoded rows of up to 512 values.
/// </remarks>
public sealed partial class InputScreen
{
    private const int StackWidth = 512;

    private readonly ScreenField[] _fields;
    private readonly float[] _mean;
    private readonly float[] _whitening;   // lower triangular, rows packed: row i has i + 1 values
    private readonly RelationSet _relations;

    private InputScreen(ScreenField[] fields, float[] mean, float[] whitening, double ridge, float threshold, ScreenCalibration? calibration, RelationSet? relations = null)
    {
        _relations = relations ?? RelationSet.None;
        _fields = fields;
        _mean = mean;
        _whitening = whitening;
        Ridge = ridge;
        Threshold = threshold;
        Calibration = calibration;
    }

    /// <summary>What each raw column must be, in order.</summary>
    public IReadOnlyList<ScreenField> Fields => _fields;

    /// <summary>How many values a raw row has.</summary>
    public int Width => _fields.Length;

    /// <summary>How many values an encoded row has; 0 when this screen knows the contract only and measures no distance.</summary>
    public int EncodedWidth => _mean.Length;

    /// <summary>True when rows are also measured against the training data.</summary>
    public bool MeasuresDistance => _mean.Length > 0;

    /// <summary>The largest distance that is let through. 0, which refuses all, until it is calibrated or given.</summary>
    public float Threshold { get; }

    /// <summary>What was added to the covariance's diagonal to make it invertible, in squared encoded units.</summary>
    public double Ridge { get; }

    /// <summary>What the threshold was calibrated on; null when it was given.</summary>
    public ScreenCalibration? Calibration { get; }

    /// <summary>What every row keeps between its values, declared or learnt.</summary>
    public IReadOnlyList<ScreenRelation> Relations => _relations.Relations;

    /// <summary>How many untouched rows the learnt relations were checked on, and how many broke one; null when none was learnt.</summary>
    public RelationCheck? RelationCheck => _relations.Check;

    /// <summary>The most relations that a screen holds.</summary>
    public const int MostRelations = RelationSet.MostRelations;

    /// <summary>The most operations that its relations may have together.</summary>
    public const int MostRelationOperations = RelationSet.MostOperations;

    /// <summary>How many operations the relations have together: what they cost a row.</summary>
    public int RelationOperations => _relations.Operations;

    /// <summary>A screen of the contract alone: width, types, bounds, categories. It measures no distance.</summary>
    /// <exception cref="ArgumentException">A field is unsound.</exception>
    public static InputScreen OfContract(IReadOnlyList<ScreenField> fields) => new(Sound(fields), [], [], 0, 0, null);

    /// <summary>Checks one row: first each value against its field, then the relations, then the whole against the training data.</summary>
    /// <param name="raw">The row as the caller sent it, <see cref="Width"/> values; any other width is refused.</param>
    /// <param name="encoded">The same row encoded, <see cref="EncodedWidth"/> values; ignored when this screen measures no distance.</param>
    /// <exception cref="ArgumentException"><paramref name="encoded"/> has another width: the encoder is not this screen's.</exception>
    public ScreenVerdict Check(ReadOnlySpan<float> raw, ReadOnlySpan<float> encoded)
    {
        var verdict = CheckContract(raw);
        return verdict.IsAccepted && MeasuresDistance ? CheckDistance(encoded) : verdict;
    }

    /// <summary>Checks the distance alone: for a row that passed <see cref="CheckContract"/> and was encoded then.</summary>
    /// <param name="encoded">One row, <see cref="EncodedWidth"/> values.</param>
    /// <exception cref="ArgumentException">The row has another width.</exception>
    public ScreenVerdict CheckDistance(ReadOnlySpan<float> encoded)
    {
        var distance = Distance(encoded);
        return new(distance <= Threshold ? ScreenOutcome.Accepted : ScreenOutcome.Outlier, -1, distance);   // NaN refuses
    }

    /// <summary>Checks one raw row against the contract and the relations only, in one pass. A row must pass this before it is encoded.</summary>
    public ScreenVerdict CheckContract(ReadOnlySpan<float> raw)
    {
        if (raw.Length != _fields.Length)
            return new(ScreenOutcome.WrongWidth);
        for (var i = 0; i < raw.Length; i++)
            if (CheckValue(_fields[i], raw[i]) is var outcome and not ScreenOutcome.Accepted)
                return new(outcome, i);
        return _relations.FirstBroken(raw) is >= 0 and var broken ? new(ScreenOutcome.RelationBroken, Relation: broken) : new(ScreenOutcome.Accepted);
    }

    /// <summary>The feature or the relation that a verdict is about, such as <c>feature amount</c>; empty when it is about the whole row. Never a value.</summary>
    public string NameOf(ScreenVerdict verdict) => verdict switch
    {
        { Field: >= 0 } when verdict.Field < Width => $"feature {_fields[verdict.Field].Name}",
        { Outcome: ScreenOutcome.RelationBroken, Relation: >= 0 } when verdict.Relation < Relations.Count => $"relation {Relations[verdict.Relation].Name}",
        _ => "",
    };

    /// <summary>The same screen with these relations in place of its own.</summary>
    /// <param name="relations">Rules over the fields' names, in the language of docs/formats/constraints.md; at most <see cref="MostRelations"/>.</param>
    /// <param name="check">What the learnt ones among them were checked on; null when none was.</param>
    /// <exception cref="ArgumentException">A relation is not well formed; the message lists every fault.</exception>
    public InputScreen WithRelations(IReadOnlyList<ScreenRelation> relations, RelationCheck? check = null)
    {
        ArgumentNullException.ThrowIfNull(relations);
        var set = RelationSet.Of(_fields, relations, check, out var faults);
        return faults.Count == 0 ? new(_fields, _mean, _whitening, Ridge, Threshold, Calibration, set) : throw new ArgumentException(string.Join(" ", faults), nameof(relations));
    }

    /// <summary>How far an encoded row lies from the training data's mean, in standard deviations along the data's own axes.</summary>
    /// <param name="encoded">One row, <see cref="EncodedWidth"/> values.</param>
    /// <exception cref="ArgumentException">The row has another width.</exception>
    public float Distance(ReadOnlySpan<float> encoded)
    {
        if (encoded.Length != _mean.Length)
            throw new ArgumentException($"The encoded row has {encoded.Length} values; this screen measures {_mean.Length}.", nameof(encoded));
        float[]? rented = null;
        var centred = encoded.Length <= StackWidth ? stackalloc float[encoded.Length] : (rented = ArrayPool<float>.Shared.Rent(encoded.Length)).AsSpan(0, encoded.Length);
        TensorPrimitives.Subtract(encoded, _mean, centred);
        var squared = 0f;
        for (int i = 0, start = 0; i < centred.Length; start += ++i)
        {
            var coordinate = TensorPrimitives.Dot<float>(_whitening.AsSpan(start, i + 1), centred[..(i + 1)]);
            squared += coordinate * coordinate;
        }

        if (rented is not null)
        {
            centred.Clear();
            ArrayPool<float>.Shared.Return(rented);
        }

        return float.Sqrt(squared);
    }

    private static ScreenOutcome CheckValue(ScreenField field, float value)
    {
        if (float.IsNaN(value))
            return field.AllowMissing ? ScreenOutcome.Accepted : ScreenOutcome.NotFinite;
        if (float.IsInfinity(value))
            return ScreenOutcome.NotFinite;
        return field.Kind switch
        {
            ScreenFieldKind.Categorical when value == -1 => field.AllowMissing ? ScreenOutcome.Accepted : ScreenOutcome.UnknownCategory,
            ScreenFieldKind.Categorical => float.IsInteger(value) && value >= 0 && value < field.Categories ? ScreenOutcome.Accepted : ScreenOutcome.UnknownCategory,
            ScreenFieldKind.Binary => value is 0 or 1 ? ScreenOutcome.Accepted : ScreenOutcome.NotInteger,
            ScreenFieldKind.Integer when !float.IsInteger(value) => ScreenOutcome.NotInteger,
            _ => value < (float?)field.Minimum || value > (float?)field.Maximum ? ScreenOutcome.OutOfBounds : ScreenOutcome.Accepted,
        };
    }

    private static ScreenField[] Sound(IReadOnlyList<ScreenField> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        var faults = fields.SelectMany(f => f.Faults()).ToList();
        if (fields.Count == 0) faults.Add("A contract needs at least one field.");
        faults.AddRange(fields.GroupBy(f => f.Name).Where(g => g.Count() > 1).Select(g => $"Field {g.Key} is there {g.Count()} times."));
        return faults.Count == 0 ? [.. fields] : throw new ArgumentException(string.Join(" ", faults), nameof(fields));
    }
}
