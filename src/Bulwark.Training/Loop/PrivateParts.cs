using Bulwark.Privacy;

namespace Bulwark.Training.Loop;

/// <summary>The steps of a private run that its guarantee rests on, one method each: production has this implementation only. Tests put defective ones in its place, which the audit must catch.</summary>
internal class PrivateParts : IDisposable
{
    private readonly SecureRandom _random = new();
    private readonly SecureNoise[] _noise;

    internal PrivateParts(int threads) => _noise = [.. Enumerable.Range(0, threads).Select(_ => new SecureNoise())];

    /// <summary>How many steps a booked part of the run takes.</summary>
    internal virtual long Steps(PlannedPhase phase) => phase.Steps;

    /// <summary>The rows of one step.</summary>
    internal virtual void Draw(PoissonBatches batches, int rows, List<int> batch) => batches.Draw(rows, _random, batch);

    /// <summary>Adds the batch's clipped gradients to a sum; returns how many rows kept their length.</summary>
    internal virtual int AddClipped(ClippedGradients gradients, EncodedDataset train, ReadOnlySpan<int> batch, float clipping, Span<double> sum) =>
        gradients.Add(train, batch, clipping, sum);

    /// <summary>Noise on a gradient's sum, by as many generators as there are threads.</summary>
    internal virtual void AddNoise(double[] sum, double deviation)
    {
        const int Worth = 4096;
        var threads = Math.Min(_noise.Length, 1 + (sum.Length / Worth));
        if (threads == 1)
        {
            _noise[0].AddGaussian(sum.AsSpan(), deviation);
            return;
        }

        Parallel.For(0, threads, thread =>
        {
            var (from, to) = ((int)((long)sum.Length * thread / threads), (int)((long)sum.Length * (thread + 1) / threads));
            _noise[thread].AddGaussian(sum.AsSpan(from, to - from), deviation);
        });
    }

    /// <summary>A noisy number.</summary>
    internal virtual double Noisy(double value, double deviation)
    {
        Span<double> one = [value];
        _noise[0].AddGaussian(one, deviation);
        return one[0];
    }

    /// <summary>What a noisy sum is divided by.</summary>
    internal virtual double Divisor(double expectedBatch, int batch) => expectedBatch;

    public void Dispose()
    {
        _random.Dispose();
        foreach (var noise in _noise)
            noise.Dispose();
    }
}

/// <summary>Looks on while a private run goes; the audit's eyes.</summary>
internal interface IPrivateObserver
{
    /// <summary>A batch was drawn.</summary>
    void Drawn(long step, ReadOnlySpan<int> batch);

    /// <summary>A step's noisy sum, not yet divided; <paramref name="network"/> is what it was computed at. What the observer changes in it, the run goes on with.</summary>
    void Released(long step, Bulwark.Networks.DenseNetwork<float> network, Span<double> noisySum, double clipping, double deviation, double divisor);
}
