namespace Bulwark.Models;

/// <summary>Turns raw rows into the rows that a network learns from, every value in [0, 1], and back.</summary>
/// <remarks>
/// Columns follow the schema's order. A number gives one column, or one per bin where it has bins, a category one per category (one-hot); a feature with
/// <see cref="MissingPolicy.Indicator"/> gives one more. Values outside the bounds are clipped to them, infinities too.
/// All arithmetic is single precision, as in the exported graph. Immutable and thread-safe; allocates nothing per row.
/// </remarks>
public sealed class FeatureEncoder
{
    private readonly EncodedColumn[] _columns;
    private readonly bool[] _mutable;

    /// <param name="schema">A schema without faults.</param>
    /// <exception cref="ArgumentException"><see cref="FeatureSchema.Faults"/> is not empty.</exception>
    public FeatureEncoder(FeatureSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        var faults = schema.Faults().ToList();
        if (faults.Count > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(schema));
        Schema = schema;
        _columns = [.. schema.Features.SelectMany(EncodedColumn.Of)];
        _mutable = [.. _columns.Select(column => column.Role == EncodedRole.Value && schema.Features[column.Feature].Mutable)];
        EncodedNames = [.. _columns.Select(column => column.Name)];
    }

    /// <summary>The schema that the rows follow.</summary>
    public FeatureSchema Schema { get; }

    /// <summary>Numbers in a raw row.</summary>
    public int Width => Schema.Width;

    /// <summary>Numbers in an encoded row.</summary>
    public int EncodedWidth => _columns.Length;

    /// <summary>What each encoded column holds, for example <c>amount</c>, <c>country=DE</c>, <c>age missing</c>.</summary>
    public IReadOnlyList<string> EncodedNames { get; }

    /// <summary>The encoded columns, in order.</summary>
    public IReadOnlyList<EncodedColumn> Columns => _columns;

    /// <summary>Shape (<see cref="EncodedWidth"/>): true where an attacker may move the value, that is the quantity of a mutable feature.</summary>
    public ReadOnlySpan<bool> MutableMask => _mutable;

    /// <summary>Encodes <paramref name="rows"/> raw rows.</summary>
    /// <param name="raw">Shape (rows, <see cref="Width"/>), row-major.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="encoded">Shape (rows, <see cref="EncodedWidth"/>), row-major; overwritten with values in [0, 1].</param>
    /// <exception cref="ArgumentException">A span is too short or of the wrong length for <paramref name="rows"/>.</exception>
    public void Encode(ReadOnlySpan<float> raw, int rows, Span<float> encoded)
    {
        RowShape.Require(raw.Length, rows, Width, nameof(raw));
        RowShape.Require(encoded.Length, rows, EncodedWidth, nameof(encoded));
        for (var row = 0; row < rows; row++)
        {
            var source = raw.Slice(row * Width, Width);
            var target = encoded.Slice(row * EncodedWidth, EncodedWidth);
            for (var column = 0; column < target.Length; column++)
                target[column] = _columns[column].Encode(source[_columns[column].Feature]);
        }
    }

    /// <summary>Encodes all of <paramref name="raw"/> into a new array.</summary>
    /// <exception cref="ArgumentException">The length of <paramref name="raw"/> is no multiple of <see cref="Width"/>.</exception>
    public float[] Encode(ReadOnlySpan<float> raw)
    {
        var (rows, rest) = Math.DivRem(raw.Length, Width);
        if (rest != 0)
            throw new ArgumentException($"{raw.Length} values do not make rows of {Width}.", nameof(raw));
        var encoded = new float[checked(rows * EncodedWidth)];
        Encode(raw, rows, encoded);
        return encoded;
    }

    /// <summary>
    /// The raw rows that an attacker could really send for perturbed encoded rows: a moved quantity of a mutable feature comes back within its bounds,
    /// whole where the feature is whole; everything else, and every missing value, is copied from <paramref name="originalRaw"/>.
    /// </summary>
    /// <param name="encoded">Shape (rows, <see cref="EncodedWidth"/>), row-major; what lies outside [0, 1] is clipped.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="originalRaw">Shape (rows, <see cref="Width"/>): the rows before the perturbation.</param>
    /// <param name="raw">Shape (rows, <see cref="Width"/>); overwritten.</param>
    /// <exception cref="ArgumentException">A span is of the wrong length for <paramref name="rows"/>.</exception>
    public void Decode(ReadOnlySpan<float> encoded, int rows, ReadOnlySpan<float> originalRaw, Span<float> raw)
    {
        RowShape.Require(encoded.Length, rows, EncodedWidth, nameof(encoded));
        RowShape.Require(originalRaw.Length, rows, Width, nameof(originalRaw));
        RowShape.Require(raw.Length, rows, Width, nameof(raw));
        originalRaw.CopyTo(raw);
        for (var row = 0; row < rows; row++)
        {
            var source = encoded.Slice(row * EncodedWidth, EncodedWidth);
            var target = raw.Slice(row * Width, Width);
            for (var column = 0; column < source.Length; column++)
            {
                if (!_mutable[column])
                    continue;
                ref var value = ref target[_columns[column].Feature];
                // A value that was not moved keeps its exact original, even one that encoding clips or rounds.
                if (!float.IsNaN(value) && !float.IsNaN(source[column]) && source[column] != _columns[column].Encode(value))
                    value = _columns[column].Decode(source[column]);
            }
        }
    }
}
