using Bulwark.Cryptography;
using Bulwark.Models;

namespace Bulwark.Training;

/// <summary>Raw rows under a schema, a label each, and a digest that binds later claims to exactly these rows.</summary>
public sealed class Dataset
{
    internal Dataset(FeatureSchema schema, float[] raw, int[] labels, IReadOnlyDictionary<string, int> unknownCategories, Digest commitment)
    {
        Schema = schema;
        Raw = raw;
        Labels = labels;
        UnknownCategories = unknownCategories;
        Commitment = commitment;
    }

    /// <summary>What the rows hold.</summary>
    public FeatureSchema Schema { get; }

    /// <summary>Shape (<see cref="Rows"/>, <see cref="Width"/>), row-major: quantities as they are, categories as their index, -1 for an unknown one, NaN for missing.</summary>
    public float[] Raw { get; }

    /// <summary>Shape (<see cref="Rows"/>): 1 positive, 0 negative.</summary>
    public int[] Labels { get; }

    /// <summary>How many rows.</summary>
    public int Rows => Labels.Length;

    /// <summary>Numbers in a raw row.</summary>
    public int Width => Schema.Width;

    /// <summary>How many rows are positive.</summary>
    public int Positives => Labels.Count(label => label == 1);

    /// <summary>Per categorical feature, how many rows hold a text that is none of its categories; features without such rows are absent.</summary>
    public IReadOnlyDictionary<string, int> UnknownCategories { get; }

    /// <summary>Root of the <see cref="Data.DatasetCommitment"/> of the table that the rows come from, with all its columns and, after a split, all its rows.</summary>
    public Digest Commitment { get; }

    /// <summary>One raw row.</summary>
    public ReadOnlySpan<float> Row(int row) => Raw.AsSpan(row * Width, Width);

    /// <summary>The rows as a network learns from them.</summary>
    /// <param name="encoder">The encoder of <see cref="Schema"/>; null makes one.</param>
    /// <exception cref="ArgumentException">The encoder takes rows of another width.</exception>
    public EncodedDataset Encode(FeatureEncoder? encoder = null)
    {
        encoder ??= new FeatureEncoder(Schema);
        return new EncodedDataset(encoder.Encode(Raw), encoder.EncodedWidth, Labels, [.. encoder.Columns.Select(column => column.Role == EncodedRole.Value && Schema.Features[column.Feature].Kind != FeatureKind.Binary)], [.. encoder.Columns.Select(column => column.Feature)]);
    }

    /// <summary>The same rows under another schema of the same columns: other bounds, the same categories.</summary>
    /// <exception cref="ArgumentException">The names or categories differ.</exception>
    public Dataset WithSchema(FeatureSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        if (!schema.Features.Select(feature => (feature.Name, string.Join('\n', feature.Categories))).SequenceEqual(Schema.Features.Select(feature => (feature.Name, string.Join('\n', feature.Categories)))))
            throw new ArgumentException("The schema has other features or categories.", nameof(schema));
        return new Dataset(schema, Raw, Labels, UnknownCategories, Commitment);
    }

    /// <summary>The first <paramref name="rows"/> rows at most, for a quick look or a sample of an ordered-by-chance set; keeps <see cref="Commitment"/>.</summary>
    public Dataset Head(int rows)
    {
        var kept = Math.Clamp(rows, 0, Rows);
        return new Dataset(Schema, Raw[..(kept * Width)], Labels[..kept], UnknownCategories, Commitment);
    }

    /// <summary>As many rows as asked, evenly over the whole: the head of a table may be its oldest days.</summary>
    /// <param name="rows">At most so many.</param>
    public Dataset Every(int rows)
    {
        var kept = Math.Clamp(rows, 0, Rows);
        int[] chosen = [.. Enumerable.Range(0, kept).Select(i => (int)((long)i * Rows / kept))];
        var raw = new float[(long)kept * Width];
        for (var i = 0; i < kept; i++)
            Row(chosen[i]).CopyTo(raw.AsSpan(i * Width));
        return new Dataset(Schema, raw, [.. chosen.Select(row => Labels[row])], UnknownCategories, Commitment);
    }
}
