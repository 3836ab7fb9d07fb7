using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Monitor;

/// <summary>The URL data as searches meet it: rows to train on, ordinary rows to fit monitors to, and traffic, whose refused rows are attacked.</summary>
internal sealed class SearchScene
{
    private readonly EncodedDataset _training;

    internal SearchScene(string path)
    {
        Data = DatasetFile.ReadAsync(path, new(), new SchemaOptions { Label = "status", Positive = ["phishing"] }).GetAwaiter().GetResult().Encode();
        var order = Enumerable.Range(0, Data.Rows).ToArray();
        new Random(1).Shuffle(order);
        (Learnt, Traffic) = (order[..4000], order[8000..]);
        _training = new EncodedDataset(Rows(Learnt), Data.Width, [.. Learnt.Select(row => Data.Labels[row])]);
        Ordinary = Rows(order[4000..8000]);
        Pool = Rows(Traffic.Where(row => Data.Labels[row] == 0));
        Quantities = [.. Enumerable.Range(0, Data.Width).Where(column => order.Take(2000).Select(row => Data.Row(row)[column]).Distinct().Count() > 20)];
    }

    internal EncodedDataset Data { get; }

    internal int[] Learnt { get; }

    internal float[] Ordinary { get; }

    internal int[] Traffic { get; }

    /// <summary>Rows that pass, row-major.</summary>
    internal float[] Pool { get; }

    /// <summary>Columns that hold no flag.</summary>
    internal int[] Quantities { get; }

    internal static (string Name, RobustOptions? Robust)[] Networks { get; } = [("plain network", null), ("robustly trained network", new RobustOptions())];

    internal float[] Rows(IEnumerable<int> rows) => [.. rows.SelectMany(row => Data.Row(row).ToArray())];

    internal DenseNetwork<float> Train(RobustOptions? robust) => Trainer.Train(_training, null, new TrainingOptions { Robust = robust }).Network;

    internal int[] Refused(DenseNetwork<float> network, int most) => [.. Traffic.Where(row => Data.Labels[row] == 1 && Logit(network, Data.Row(row)) > 0).Take(most)];

    /// <summary>Traffic without one row, in an order of its own.</summary>
    internal int[] Others(int row)
    {
        var others = Traffic.Where(other => other != row).ToArray();
        new Random(row).Shuffle(others);
        return others;
    }

    private static float Logit(DenseNetwork<float> network, ReadOnlySpan<float> row)
    {
        Span<float> logit = stackalloc float[1];
        network.Forward(row, 1, logit);
        return logit[0];
    }
}
