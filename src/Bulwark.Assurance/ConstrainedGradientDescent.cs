namespace Bulwark.Assurance;

/// <summary>Gradient attack on tabular data whose end points can be sent: climbs the loss less the violations of the constraints, repairs definitions at each step.</summary>
/// <remarks>
/// Source: Simonetto et al., "Constrained Adaptive Attack: Effective Adversarial Attack Against Deep Neural Networks for Tabular Data", NeurIPS 2024,
/// Algorithm 1 (CAPGD, arXiv:2406.00775). Beyond the paper every misclassified point on the way is decoded, checked and scored anew, and the first
/// that can be sent wins. Binary models. Deterministic. Immutable and thread-safe.
/// </remarks>
internal sealed record ConstrainedGradientDescent
{
    /// <summary>How distance is measured, in the encoded space.</summary>
    internal PerturbationNorm Norm { get; init; } = PerturbationNorm.L2;

    /// <summary>Largest distance.</summary>
    internal required double Epsilon { get; init; }

    /// <summary>Steps of each start.</summary>
    internal int Steps { get; init; } = 10;

    /// <summary>Starts: the row itself, then random points of the ball.</summary>
    internal int Restarts { get; init; } = 2;

    /// <summary>Share of the distance that is kept back for rounding.</summary>
    internal double Margin { get; init; } = 0.01;

    /// <summary>Names the random starts.</summary>
    internal ulong Seed { get; init; }

    /// <summary>Perturbs raw rows.</summary>
    /// <param name="model">The network on encoded rows, its decision at logit 0.</param>
    /// <param name="space">Encoding and constraints.</param>
    /// <param name="raw">Shape (rows, Width).</param>
    /// <param name="labels">Shape (rows).</param>
    /// <param name="adversarial">Shape (rows, Width); overwritten: a row that can be sent and is misclassified, or the original.</param>
    /// <returns>Which rows succeeded; a row that is misclassified as it is counts.</returns>
    internal bool[] Run(IDifferentiableModel<float> model, TabularSpace space, ReadOnlySpan<float> raw, ReadOnlySpan<int> labels, Span<float> adversarial)
    {
        var (width, encodedWidth) = (space.Encoder.Width, space.Encoder.EncodedWidth);
        if (raw.Length != labels.Length * width || adversarial.Length != raw.Length || model.Inputs != encodedWidth)
            throw new ArgumentException($"{raw.Length} values do not make {labels.Length} rows of {width}.", nameof(raw));
        raw.CopyTo(adversarial);
        var success = new bool[labels.Length];
        for (var start = 0; start < Restarts; start++)
        {
            var resisting = new List<int>();
            for (var row = 0; row < labels.Length; row++)
            {
                if (!success[row])
                    resisting.Add(row);
            }

            for (var at = 0; at < resisting.Count; at += model.MaxRows)
                RunBatch(model, space, raw, labels, resisting.GetRange(at, int.Min(model.MaxRows, resisting.Count - at)), start, adversarial, success);
        }

        return success;
    }

    private void RunBatch(
        IDifferentiableModel<float> model, TabularSpace space, ReadOnlySpan<float> raw, ReadOnlySpan<int> labels, List<int> rows, int start, Span<float> adversarial, bool[] success)
    {
        var width = space.Encoder.Width;
        var (originals, y) = (new float[rows.Count * width], new int[rows.Count]);
        for (var i = 0; i < rows.Count; i++)
        {
            raw.Slice(rows[i] * width, width).CopyTo(originals.AsSpan(i * width));
            y[i] = labels[rows[i]];
        }

        var encoded = space.Encoder.Encode(originals);
        var sendable = new SendableWay(space, new(Norm, Epsilon), originals, encoded, y, repairs: true);
        sendable.Judge = (candidates, count) =>
        {
            var logits = model.Forward(candidates.AsSpan(0, count * model.Inputs), count);
            var wrong = new bool[count];
            for (var i = 0; i < count; i++)
                wrong[i] = Networks.LossFunction.Predict(logits.Slice(i * model.Outputs, model.Outputs)) != sendable.LabelOfWaiting(i);
            return wrong;
        };
        var attack = new AutoProjectedGradientDescent { Norm = Norm, Epsilon = Epsilon * (1 - Margin), Steps = Steps, RandomStart = start > 0, Seed = Seed + ((ulong)start << 40) };
        new AutoStepState<float>(attack, model, encoded, y, [], space.MutableColumns.ToArray(), sendable).Run();
        for (var i = 0; i < rows.Count; i++)
        {
            if (!sendable.Found[i])
                continue;
            success[rows[i]] = true;
            sendable.Best.AsSpan(i * width, width).CopyTo(adversarial[(rows[i] * width)..]);
        }
    }
}

/// <summary>What happens to the points of an attack on their way: a penalty, a repair, and a look at those that are misclassified.</summary>
internal interface IPointRules<T>
{
    /// <summary>Takes from a row's loss and gradient what violations cost.</summary>
    void Penalise(int row, ReadOnlySpan<T> point, ref T loss, Span<T> gradient);

    /// <summary>Puts right what a step has broken.</summary>
    void Repair(int row, Span<T> point);

    /// <summary>A misclassified point.</summary>
    void Visit(int row, ReadOnlySpan<T> point);

    /// <summary>After a step: the visited points are judged; the model's own state is free. True when no row is left to attack.</summary>
    bool Settle();
}

/// <summary>Decodes misclassified points, keeps those that can be sent, and asks the model about the very rows.</summary>
internal sealed class SendableWay : IPointRules<float>
{
    private readonly TabularSpace _space;
    private readonly TabularReach _reach;
    private readonly float[] _originals;
    private readonly float[] _encoded;
    private readonly int[] _labels;
    private readonly bool _repairs;
    private readonly List<int> _waiting = [];
    private readonly float[] _candidates;
    private readonly float[] _candidatesEncoded;
    private readonly double[] _raw;
    private readonly double[] _slopes;
    private readonly double[] _gradient;

    internal SendableWay(TabularSpace space, TabularReach reach, float[] originals, float[] encoded, int[] labels, bool repairs)
    {
        (_space, _reach, _originals, _encoded, _labels, _repairs) = (space, reach, originals, encoded, labels, repairs);
        (_candidates, _candidatesEncoded) = (new float[originals.Length], new float[encoded.Length]);
        (_raw, _slopes, _gradient) = (new double[space.Encoder.Width], new double[space.Encoder.EncodedWidth], new double[space.Encoder.Width]);
        (Best, Found) = ([.. originals], new bool[labels.Length]);
    }

    internal float[] Best { get; }

    internal bool[] Found { get; }

    /// <summary>Asked about the decoded rows; by default the model under attack itself.</summary>
    internal Func<float[], int, bool[]>? Judge { get; set; }

    private int Width => _space.Encoder.Width;

    private int EncodedWidth => _space.Encoder.EncodedWidth;

    public void Penalise(int row, ReadOnlySpan<float> point, ref float loss, Span<float> gradient)
    {
        if (!_repairs || Found[row] || _space.Constraints.Relations.Count == 0)
            return;
        _space.ToRaw(point, _originals.AsSpan(row * Width, Width), _raw, _slopes);
        _gradient.AsSpan().Clear();
        var violation = _space.Constraints.Violation(_raw, 1, _gradient);
        if (!(violation > 0) || !double.IsFinite(violation))
            return;
        loss -= (float)violation;
        var columns = _space.Encoder.Columns;
        for (var column = 0; column < gradient.Length; column++)
        {
            if (_slopes[column] != 0 && double.IsFinite(_gradient[columns[column].Feature]))
                gradient[column] -= (float)(_gradient[columns[column].Feature] * _slopes[column]);
        }
    }

    public void Repair(int row, Span<float> point)
    {
        if (_repairs && !Found[row] && _space.Constraints.Definitions.Any())
            _space.Redefine(point, _originals.AsSpan(row * Width, Width), _raw, _slopes);
    }

    public void Visit(int row, ReadOnlySpan<float> point)
    {
        if (Found[row])
            return;
        var original = _originals.AsSpan(row * Width, Width);
        var (slot, encodedOriginal) = (_waiting.Count, _encoded.AsMemory(row * EncodedWidth, EncodedWidth));
        var candidate = _candidates.AsSpan(slot * Width, Width);
        var encoded = _candidatesEncoded.AsSpan(slot * EncodedWidth, EncodedWidth);
        _space.Decode(point, encodedOriginal.Span, original, candidate);
        _space.Encoder.Encode(candidate, 1, encoded);
        if (_reach.Reject(_space, candidate, original, encoded, encodedOriginal.Span) is null)
            _waiting.Add(row);
    }

    public bool Settle()
    {
        if (_waiting.Count == 0)
            return false;
        var wrong = Judge!(_candidatesEncoded, _waiting.Count);
        for (var i = 0; i < _waiting.Count; i++)
        {
            if (!wrong[i])
                continue;
            Found[_waiting[i]] = true;
            _candidates.AsSpan(i * Width, Width).CopyTo(Best.AsSpan(_waiting[i] * Width));
        }

        _waiting.Clear();
        return !Found.Contains(false);
    }

    /// <summary>Labels of the rows that wait, for a judge.</summary>
    internal int LabelOfWaiting(int index) => _labels[_waiting[index]];
}
