namespace Bulwark.Training.Loop;

/// <summary>Encoded rows as the one column of each feature that is 1 in them, −1 for none.</summary>
internal sealed class BinnedRows
{
    private readonly int[] _columns;
    private readonly (int From, int To)[] _bins;

    /// <param name="data">Rows whose columns are 0 or 1, those of a feature side by side, at most one of them 1.</param>
    internal BinnedRows(EncodedDataset data)
    {
        _bins = [.. data.Sources.Index().GroupBy(pair => pair.Item).Select(group => (group.Min(pair => pair.Index), group.Max(pair => pair.Index) + 1)).Order()];
        Columns = data.Width;
        Labels = data.Labels;
        _columns = new int[data.Rows * _bins.Length];
        for (var row = 0; row < data.Rows; row++)
        {
            var values = data.Row(row);
            for (var feature = 0; feature < _bins.Length; feature++)
            {
                // A missing flag may stand beside the half that its value became: the flag is the one that is 1.
                var found = values[_bins[feature].From.._bins[feature].To].IndexOf(1f);
                _columns[(row * _bins.Length) + feature] = found < 0 ? -1 : _bins[feature].From + found;
            }
        }
    }

    internal int Rows => Labels.Length;

    internal int[] Labels { get; }

    internal int Columns { get; }

    internal int Features => _bins.Length;

    internal (int From, int To) Bins(int feature) => _bins[feature];

    internal ReadOnlySpan<int> Of(int row) => _columns.AsSpan(row * _bins.Length, _bins.Length);
}
