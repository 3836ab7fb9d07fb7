using System.Numerics.Tensors;
using Bulwark.Networks.Kernels;

namespace Bulwark.Networks;

public sealed unsafe partial class NetworkGradients<T>
{
    /// <summary>γ of automatic clipping, as its authors chose it.</summary>
    private const double AutomaticStability = 0.01;

    /// <summary>Each row's gradient norm, exactly, without building any row's gradient.</summary>
    /// <remarks>
    /// A dense layer's per-row gradient is an outer product, so its squared norm is (|activation|² + 1)·|delta|², the 1 for the bias.
    /// Source: Goodfellow, "Efficient Per-Example Gradient Computations", 2015 (arXiv:1510.01799).
    /// </remarks>
    /// <param name="inputs">Shape (rows, Inputs).</param>
    /// <param name="labels">Shape (rows), at most <see cref="MaxRows"/>.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="norms">Shape (rows): L2 norm of the row's gradient by all parameters; overwritten.</param>
    /// <param name="rowWeights">Shape (rows): what each row's loss counts; empty for 1.</param>
    /// <exception cref="NotSupportedException">The network has convolutions.</exception>
    public void RowNorms(ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, Loss loss, Span<T> norms, ReadOnlySpan<T> rowWeights = default)
    {
        RefuseConvolutions();
        Fits.Length(norms.Length, labels.Length, nameof(norms));
        CheckBatch(inputs, labels, rowWeights);
        LoadWeights();
        for (var at = 0; at < labels.Length; at += SliceRows)
        {
            var slice = Slice(inputs, labels, rowWeights, at);
            WeightedLoss(slice, loss, T.One);
            BackwardToHidden(slice.Labels.Length);
            Norms(norms.Slice(at, slice.Labels.Length));
        }
    }

    /// <summary>Adds every row's gradient, shortened to at most <paramref name="clippingNorm"/>, to a sum: one row moves the sum by no more than that.</summary>
    /// <remarks>
    /// Sources: Abadi et al., "Deep Learning with Differential Privacy", CCS 2016, Algorithm 1 (arXiv:1607.00133);
    /// the book-keeping algorithm of Bu et al., ICML 2023 (arXiv:2210.00038): one backward pass, norms, then one weighted product.
    /// A row whose norm is not finite adds nothing. A shortened row stays below the norm by 64 units of the last place, which covers the rounding.
    /// </remarks>
    /// <param name="inputs">Shape (rows, Inputs).</param>
    /// <param name="labels">Shape (rows), at most <see cref="MaxRows"/>; may be empty.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="clippingNorm">L2 norm; finite and above 0.</param>
    /// <param name="gradientSum">As <see cref="DenseNetwork{T}.Parameters"/>; added to, not cleared.</param>
    /// <param name="norms">Shape (rows): norms before clipping; or empty when not wanted.</param>
    /// <param name="rowWeights">Shape (rows): what each row's loss counts before clipping; empty for 1.</param>
    /// <param name="style">How a row is shortened; in every style it moves the sum by at most <paramref name="clippingNorm"/>.</param>
    /// <exception cref="NotSupportedException">The network has convolutions: a row uses their weights many times, and its gradient is no outer product.</exception>
    /// <returns>The sum of weighted losses, and how many rows were shortened or dropped. Neither is private.</returns>
    public ClippingCount ClippedSum(
        ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, Loss loss, T clippingNorm, Span<T> gradientSum, Span<T> norms = default, ReadOnlySpan<T> rowWeights = default,
        ClippingStyle style = ClippingStyle.Flat)
    {
        if (!(clippingNorm > T.Zero) || !T.IsFinite(clippingNorm))
            throw new ArgumentOutOfRangeException(nameof(clippingNorm), clippingNorm, "The clipping norm must be finite and above 0.");
        RefuseConvolutions();
        Fits.Length(gradientSum.Length, _network.Parameters.Length, nameof(gradientSum));
        if (!norms.IsEmpty)
            Fits.Length(norms.Length, labels.Length, nameof(norms));
        CheckBatch(inputs, labels, rowWeights);
        if (labels.IsEmpty)
            return default;
        LoadWeights();
        var safe = clippingNorm * (T.One - (T.CreateTruncating(64) * (T.BitIncrement(T.One) - T.One)));
        var count = default(ClippingCount);
        for (var at = 0; at < labels.Length; at += SliceRows)
        {
            var slice = Slice(inputs, labels, rowWeights, at);
            var rows = slice.Labels.Length;
            var total = WeightedLoss(slice, loss, T.One);
            BackwardToHidden(rows);
            var sliceNorms = norms.IsEmpty ? _norms.AsSpan(0, rows) : norms.Slice(at, rows);
            Norms(sliceNorms);
            count = new(count.TotalLoss + double.CreateTruncating(total), count.ClippedRows + Shorten(sliceNorms, safe, style));
            ParameterProducts(rows, at == 0);
        }

        AddProducts(gradientSum);
        return count;
    }

    private void RefuseConvolutions()
    {
        if (_shape.Convolutions is not null)
            throw new NotSupportedException("Gradients of single rows through convolutions are not clipped: train privately with dense layers.");
    }

    private void Norms(Span<T> norms)
    {
        norms.Clear();
        for (var layer = 0; layer < _shape.Layers; layer++)
        {
            for (var row = 0; row < norms.Length; row++)
            {
                var activation = TensorPrimitives.SumOfSquares<T>(_pass.Activations[layer].Row(row));
                norms[row] += (activation + T.One) * TensorPrimitives.SumOfSquares<T>(_deltas[layer].Row(row));
            }
        }

        TensorPrimitives.Sqrt(norms, norms);
    }

    /// <summary>Multiplies each row's deltas by its clip factor; the products then sum clipped gradients.</summary>
    private int Shorten(ReadOnlySpan<T> norms, T safe, ClippingStyle style)
    {
        var clipped = 0;
        for (var row = 0; row < norms.Length; row++)
        {
            if (!T.IsFinite(norms[row]))
                Drop(row);
            else if (style == ClippingStyle.Automatic)
                Scale(row, safe / (norms[row] + T.CreateTruncating(AutomaticStability)));
            else if (norms[row] <= safe && (style == ClippingStyle.Flat || norms[row] * norms[row] * T.CreateTruncating(_shape.Layers) <= safe * safe))
                continue;
            else if (style == ClippingStyle.Flat)
                Scale(row, safe / norms[row]);
            else
                ShortenByLayer(row, safe / T.Sqrt(T.CreateTruncating(_shape.Layers)));
            clipped++;
        }

        return clipped;
    }

    private void Scale(int row, T factor)
    {
        foreach (var delta in _deltas)
            TensorPrimitives.Multiply(delta.Row(row), factor, delta.Row(row));
    }

    private void ShortenByLayer(int row, T share)
    {
        for (var layer = 0; layer < _shape.Layers; layer++)
        {
            var delta = _deltas[layer].Row(row);
            var activation = TensorPrimitives.SumOfSquares<T>(_pass.Activations[layer].Row(row));
            var norm = T.Sqrt((activation + T.One) * TensorPrimitives.SumOfSquares<T>(delta));
            if (norm > share)
                TensorPrimitives.Multiply(delta, share / norm, delta);
        }
    }

    private void Drop(int row)
    {
        foreach (var delta in _deltas)
            delta.Row(row).Clear();
        ClearActivations(row);
    }

    /// <summary>Zero times infinity is not a number: a dropped row's activations must go too, and the column of ones must be ones again.</summary>
    private void ClearActivations(int row)
    {
        for (var layer = 0; layer < _shape.Layers; layer++)
        {
            _pass.Activations[layer].Row(row).Clear();
            _pass.Activations[layer].RowPointer(row)[_shape.LayerInputs(layer)] = T.One;
        }
    }
}
