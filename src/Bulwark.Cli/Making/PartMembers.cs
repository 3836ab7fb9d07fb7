using Bulwark.Assurance;
using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Cli.Making;

/// <summary>A model from each of many disjoint parts of the rows, and how they vote: what certificates against poisoned rows are about.</summary>
internal static class PartMembers
{
    internal const int MostParts = 10_000;

    /// <summary>One network a part. Each follows from its part's rows alone, their order left out.</summary>
    internal static IReadOnlyList<DenseNetwork<float>> Train(EncodedDataset train, int parts, TrainingOptions options, IProgress<double> progress, CancellationToken cancel)
    {
        var rows = PartitionVote.Parts(train.Features, train.Width, train.Labels, parts);
        var members = new List<DenseNetwork<float>>(parts);
        foreach (var part in rows)
        {
            members.Add(part.Length == 0 ? Negative(train.Width) : Trainer.Train(Rows(train, part), null, options, cancel: cancel).Network);
            progress.Report((double)members.Count / parts);
        }

        return members;
    }

    /// <summary>Votes of each test row, for negative and for positive.</summary>
    internal static int[][] Votes(IReadOnlyList<DenseNetwork<float>> members, EncodedDataset test)
    {
        var votes = Enumerable.Range(0, test.Rows).Select(_ => new int[2]).ToArray();
        foreach (var member in members)
        {
            var scores = Trainer.Score(member, test);
            for (var row = 0; row < test.Rows; row++)
                votes[row][scores[row] >= 0.5f ? 1 : 0]++;
        }

        return votes;
    }

    /// <summary>Shares of rows that are right and stay so whatever so many poisoned rows were, with their intervals.</summary>
    internal static IReadOnlyList<PoisonedShare> Certified(int[][] votes, IReadOnlyList<int> labels, int parts)
    {
        var verdicts = votes.Select(vote => PartitionVote.Certify(vote)).ToArray();
        int[] withstood = [0, 1, 2, 5, 10, 20, 50, 100];
        return [.. withstood.Where(rows => rows <= parts / 2).Select(rows => new PoisonedShare(
            rows, RowShare.From(Enumerable.Range(0, labels.Count).Count(row => verdicts[row].Class == labels[row] && verdicts[row].PoisonedRows >= rows), labels.Count)))];
    }

    /// <summary>A part without rows votes for 0, whatever the others hold: it follows from its rows all the same.</summary>
    private static DenseNetwork<float> Negative(int width)
    {
        var network = new DenseNetwork<float>(new(width, [], 1));
        network.Biases(0)[0] = -1;
        return network;
    }

    private static EncodedDataset Rows(EncodedDataset all, int[] rows)
    {
        var features = new float[rows.Length * all.Width];
        for (var i = 0; i < rows.Length; i++)
            all.Row(rows[i]).CopyTo(features.AsSpan(i * all.Width));
        return new(features, all.Width, [.. rows.Select(row => all.Labels[row])], all.Quantities, all.Sources);
    }
}

/// <summary>Rows that are right and certified against so many poisoned training rows.</summary>
internal sealed record PoisonedShare(int PoisonedRows, RowShare Rows);
