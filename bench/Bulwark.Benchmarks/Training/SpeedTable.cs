using System.Globalization;
using Bulwark.Networks;
using Bulwark.Privacy;
using Bulwark.Training;
using Bulwark.Training.Loop;

namespace Bulwark.Benchmarks.Training;

/// <summary>A private step beside a plain one, interleaved in one run; minima. The limits are ratios of the same run.</summary>
internal static class SpeedTable
{
    internal static int Run(string[] args)
    {
        var duration = TimeSpan.FromSeconds(args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 10);
        Contender[] contenders = [.. NetworkContenders.Steps().Where(contender => contender.Name.Contains("training step", StringComparison.Ordinal)), Noise(), LoopStep(1), LoopStep(2)];
        var minimum = InterleavedRun.MinimumMicroseconds(contenders, duration);
        var plain = minimum[0];
        Console.WriteLine($"network {NetworkContenders.Shape}, batch {NetworkContenders.Batch}; microseconds, minimum of interleaved calls; {Environment.ProcessorCount} cores");
        Console.WriteLine();
        Console.WriteLine("| work | microseconds | over a plain step | limit |");
        Console.WriteLine("| --- | ---: | ---: | --- |");
        for (var i = 0; i < contenders.Length; i++)
        {
            var limit = contenders[i].Name.StartsWith("private training step", StringComparison.Ordinal) ? minimum[i] <= 1.5 * plain ? "1.5, held" : "1.5, MISSED" : "";
            Console.WriteLine(FormattableString.Invariant($"| {contenders[i].Name} | {minimum[i]:F0} | {minimum[i] / plain:F2} | {limit} |"));
        }

        var (one, two) = (minimum[^2], minimum[^1]);
        Console.WriteLine();
        Console.WriteLine(FormattableString.Invariant($"Two threads over one, the whole private step: {one / two:F2} (limit 1.7, {(one / two >= 1.7 ? "held" : "MISSED")})."));
        Console.WriteLine(FormattableString.Invariant($"Float noise: {NoiseValues / minimum[3]:F0} million draws a second, one thread."));
        Console.WriteLine(FormattableString.Invariant($"Working memory of one thread's gradients: {Memory(512) / 1048576.0:F1} MiB at batch 512, {Memory(4096) / 1048576.0:F1} MiB at batch 4096 (the same slices); one gradient a row at 512 would take {512.0 * NetworkContenders.Shape.ParameterCount * 4 / 1048576:F0} MiB."));
        return 0;
    }

    private const int NoiseValues = 1 << 16;

    private static Contender Noise()
    {
        var (noise, values) = (new SecureNoise(), new double[NoiseValues]);
        return new($"noise alone, {NoiseValues} values", 0, () => noise.AddGaussian(values.AsSpan(), 1));
    }

    /// <summary>All of a step of the private loop: draw the batch, gather, clip, add noise, step.</summary>
    private static Contender LoopStep(int threads)
    {
        var random = new Random(3);
        var shape = new NetworkShape(30, [128, 128], 1);
        var rows = new EncodedDataset([.. Enumerable.Range(0, 8192 * 30).Select(_ => random.NextSingle())], 30, [.. Enumerable.Range(0, 8192).Select(_ => random.Next(2))]);
        var network = DenseNetwork<float>.Create(shape, 1);
        var options = new TrainingOptions { Hidden = [128, 128], Private = new PrivacyOptions() };
        var gradients = new ClippedGradients(network, options, null, threads, RowBlocks.Draw(rows.Rows, 512));
        var (parts, batches, batch, sum) = (new PrivateParts(threads), new PoissonBatches(512.0 / 8192), new List<int>(), new double[network.Parameters.Length]);
        var gradient = new float[sum.Length];
        var optimizer = new SgdOptimizer<float>(sum.Length, 0.9);
        return new($"the loop's step with Poisson draw and gathering, {threads} thread{(threads == 1 ? "" : "s")}", 0, () =>
        {
            parts.Draw(batches, rows.Rows, batch);
            Array.Clear(sum);
            parts.AddClipped(gradients, rows, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(batch), 1, sum);
            parts.AddNoise(sum, 4);
            System.Numerics.Tensors.TensorPrimitives.Divide(sum, 512, sum);
            System.Numerics.Tensors.TensorPrimitives.ConvertTruncating<double, float>(sum, gradient);
            optimizer.Step(network.Parameters, gradient, 1e-4f);
        });
    }

    /// <summary>Bytes that gradients of a batch of so many rows keep.</summary>
    private static long Memory(int batch)
    {
        var network = DenseNetwork<float>.Create(new NetworkShape(30, [128, 128], 1), 1);
        var rows = new EncodedDataset(new float[batch * 30], 30, new int[batch]);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var gradients = new ClippedGradients(network, new TrainingOptions { Private = new PrivacyOptions() }, null, 1, RowBlocks.Draw(batch, batch));
        gradients.Add(rows, [.. Enumerable.Range(0, batch)], 1, new double[network.Parameters.Length]);
        var after = GC.GetTotalMemory(forceFullCollection: true);
        GC.KeepAlive(gradients);
        return after - before;
    }
}
