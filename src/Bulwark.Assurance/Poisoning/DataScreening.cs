using Bulwark.Models;
using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Assurance;

/// <summary>Raw rows and their classes.</summary>
internal sealed record LabelledRows(float[] Rows, int[] Labels);

/// <summary>What screens say of training rows, and of a model where one is given.</summary>
/// <param name="Data">By screen.</param>
/// <param name="Triggers">By target class; empty where the classes are not two.</param>
internal sealed record ScreeningReport(IReadOnlyList<DataFinding> Data, IReadOnlyList<TriggerFinding> Triggers)
{
    /// <summary>Whether anything is suspicious.</summary>
    internal bool Suspicious => Data.Any(finding => finding.Suspicious) || Triggers.Any(finding => finding.Suspicious);
}

/// <summary>Trains what screens need, and runs them all on tabular rows of two classes.</summary>
internal sealed class DataScreening
{
    private readonly FeatureEncoder _encoder;
    private readonly EncodedDataset _kind;
    private readonly TrainingOptions _recipe;
    private readonly LabelledRows _trusted;
    private readonly DenseNetwork<float> _reference;

    /// <param name="schema">The features.</param>
    /// <param name="kind">Any encoded rows of the schema: which columns are numbers, and of which feature.</param>
    /// <param name="trusted">Rows that are known to be clean, of the same kind; 200 at least.</param>
    /// <param name="recipe">How networks are trained.</param>
    /// <param name="cancel">Stops.</param>
    internal DataScreening(FeatureSchema schema, EncodedDataset kind, LabelledRows trusted, TrainingOptions recipe, CancellationToken cancel = default)
    {
        if (trusted.Labels.Length < 200 || trusted.Labels.Distinct().Count() != 2)
            throw new ArgumentException($"{trusted.Labels.Length} trusted rows are too few, or not of two classes: at least 200.", nameof(trusted));
        (_encoder, _kind, _trusted, _recipe) = (new(schema), kind, trusted, recipe);
        _reference = Train(trusted, 11, cancel);
    }

    internal DenseNetwork<float> Train(LabelledRows rows, ulong seed, CancellationToken cancel) =>
        RecipeRun.Train(new EncodedDataset(_encoder.Encode(rows.Rows), _encoder.EncodedWidth, rows.Labels, _kind.Quantities, _kind.Sources), _recipe, seed, cancel);

    internal IScorer Scorer(DenseNetwork<float> network) => new NetworkScorer(_encoder.Schema, network);

    /// <param name="rows">The training rows in question.</param>
    /// <param name="network">A network trained on them.</param>
    /// <param name="model">The model in which triggers are searched; null for that network.</param>
    /// <param name="triggerSize">Most features of a trigger; 0 searches none.</param>
    internal ScreeningReport Run(LabelledRows rows, DenseNetwork<float> network, IScorer? model, int triggerSize)
    {
        var (points, trusted) = (_encoder.Encode(rows.Rows), _encoder.Encode(_trusted.Rows));
        var data = DataScreens.Run(
            ScreenedRows.Of(network, points, rows.Labels), ScreenedRows.Of(network, trusted, _trusted.Labels),
            (ScreenedRows.Of(_reference, points, rows.Labels), ScreenedRows.Of(_reference, trusted, _trusted.Labels)), 2);
        if (triggerSize == 0)
            return new(data, []);
        return new(data, TriggerSearch.Run(model ?? Scorer(network), Scorer(_reference), rows, _trusted, triggerSize));
    }
}
