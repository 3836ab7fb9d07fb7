namespace Bulwark.Training.Loop;

/// <summary>Of all points that an ascent visits, the one that costs the network most, row by row: where values jump by whole units, the last point need not be it.</summary>
internal sealed class WorstPoints(int width)
{
    private float[] _points = [];
    private float[] _losses = [];
    private bool _isEmpty = true;

    /// <summary>Begins anew.</summary>
    internal void Forget() => _isEmpty = true;

    /// <summary>Keeps each row that costs more there than at any point before.</summary>
    /// <param name="points">Shape (rows, width).</param>
    /// <param name="losses">Shape (rows).</param>
    internal void Keep(ReadOnlySpan<float> points, ReadOnlySpan<float> losses)
    {
        if (_points.Length < points.Length)
            (_points, _losses) = (new float[points.Length], new float[losses.Length]);
        for (var row = 0; row < losses.Length; row++)
        {
            if (!_isEmpty && !(losses[row] > _losses[row]))
                continue;
            _losses[row] = losses[row];
            points.Slice(row * width, width).CopyTo(_points.AsSpan(row * width, width));
        }

        _isEmpty = false;
    }

    /// <summary>The worst points, over <paramref name="points"/>.</summary>
    internal void Take(Span<float> points) => _points.AsSpan(0, points.Length).CopyTo(points);
}
