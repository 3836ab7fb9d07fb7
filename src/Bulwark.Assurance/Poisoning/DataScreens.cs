using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>What one screen says of training rows.</summary>
/// <param name="Screen">Its name.</param>
/// <param name="Suspicious">Whether the rows as a whole look poisoned to it.</param>
/// <param name="Finding">Why, or why not.</param>
/// <param name="Flagged">Rows that it would take out, ascending.</param>
internal sealed record DataFinding(string Screen, bool Suspicious, string Finding, IReadOnlyList<int> Flagged);

/// <summary>Rows in a network's space: points, classes, and what the network makes of each.</summary>
internal sealed record ScreenedRows(float[] Points, int[] Labels, double[] Representations)
{
    internal int Rows => Labels.Length;

    internal int Width => Representations.Length / int.Max(1, Rows);

    internal double[] Of(int[] rows) => [.. rows.SelectMany(row => Representations[(row * Width)..((row + 1) * Width)])];

    internal int[] OfClass(int label) => [.. Enumerable.Range(0, Rows).Where(row => Labels[row] == label)];

    internal static ScreenedRows Of(DenseNetwork<float> network, float[] points, int[] labels) => new(points, labels, Representation.Of(network, points));
}

/// <summary>What the last hidden layer holds.</summary>
internal static class Representation
{
    /// <summary>Shape (rows, last hidden width); the points themselves where there is no hidden layer.</summary>
    internal static double[] Of(DenseNetwork<float> network, float[] points)
    {
        var shape = network.Shape;
        if (shape.Hidden.Count == 0)
            return [.. points.Select(value => (double)value)];
        var rows = points.Length / shape.Inputs;
        // The parameters of all layers but the last come first.
        var front = new DenseNetwork<float>(shape with { Hidden = [.. shape.Hidden.SkipLast(1)], Outputs = shape.Hidden[^1] });
        network.Parameters[..front.Parameters.Length].CopyTo(front.Parameters);
        var hidden = new float[rows * shape.Hidden[^1]];
        front.Forward(points, rows, hidden);
        return [.. hidden.Select(value => (double)float.Max(value, 0))];
    }
}

/// <summary>Looks for planted rows: each screen compares the training rows with rows that are trusted, and says how it would decide.</summary>
/// <remarks>
/// Screens are evidence, not proof: an attacker who knows them passes (Tan and Shokri 2020; Qi et al. 2023). Thresholds are set on the trusted rows, so that about 1 % of clean rows are flagged; the whole is
/// suspicious when the flagged share is, with 95 % confidence, above 3 %.
/// </remarks>
internal static class DataScreens
{
    private const double Nominal = 0.01;
    private const double Suspect = 0.03;
    private const int FewestTrusted = 40;
    private const int ClusterRows = 1500;
    private const int Neighbours = 10;

    /// <summary>Spectral signatures, activation clustering and the influence on trusted rows.</summary>
    /// <param name="train">Seen by a network trained on them.</param>
    /// <param name="trusted">Seen by the same network.</param>
    /// <param name="apart">The training rows and the trusted ones, seen by a network trained on trusted rows alone.</param>
    /// <param name="classes">How many.</param>
    internal static IReadOnlyList<DataFinding> Run(ScreenedRows train, ScreenedRows trusted, (ScreenedRows Train, ScreenedRows Trusted) apart, int classes) =>
        [Spectral(train, trusted, classes), Clustering(train, trusted, classes), Influence(apart.Train, apart.Trusted)];

    /// <summary>Projections on the direction in which a class varies most beyond what trusted rows do, further out than theirs.</summary>
    internal static DataFinding Spectral(ScreenedRows train, ScreenedRows trusted, int classes)
    {
        var (flagged, worst) = (new List<int>(), (Class: -1, Share: RowShare.From(0, 0)));
        for (var label = 0; label < classes; label++)
        {
            var (own, clean) = (train.OfClass(label), trusted.OfClass(label));
            if (own.Length == 0 || clean.Length < FewestTrusted)
                continue;
            var whitening = new Whitening(trusted.Of(clean), train.Width);
            var (scores, judges) = BackdoorScores.SpectralBeside(whitening.Apply(train.Of(own)), whitening.Apply(trusted.Of(clean)), train.Width);
            Array.Sort(judges);
            var limit = judges[int.Min(judges.Length - 1, (int)Math.Ceiling((1 - Nominal) * judges.Length))];
            int[] beyond = [.. own.Where((_, i) => scores[i] > limit)];
            flagged.AddRange(beyond);
            worst = Worse(worst, label, RowShare.From(beyond.Length, own.Length));
        }

        return Finding("spectral signatures", worst, flagged, "rows lie further out along the first direction than 99 % of trusted rows");
    }

    /// <summary>Two groups in each class; the smaller is suspect when trusted rows hardly fall into it.</summary>
    internal static DataFinding Clustering(ScreenedRows train, ScreenedRows trusted, int classes)
    {
        var (flagged, finding, suspicious) = (new List<int>(), "in no class is there a group that trusted rows do not share", false);
        for (var label = 0; label < classes; label++)
        {
            var (own, clean) = (train.OfClass(label), trusted.OfClass(label));
            if (own.Length < FewestTrusted || clean.Length < FewestTrusted)
                continue;
            // Grouped together, so that both are measured by the same means.
            int[] sample = [.. own.Where((_, i) => own.Length <= ClusterRows || (long)i * ClusterRows / own.Length != (long)(i - 1) * ClusterRows / own.Length)];
            double[] together = [.. train.Of(sample), .. trusted.Of(clean)];
            foreach (var directions in (int[])[2, 10])
            {
                var groups = BackdoorScores.TwoGroups(together, train.Width, directions);
                var (planted, natural) = (RowShare.From(groups.Take(sample.Length).Count(group => group == 1), sample.Length), RowShare.From(groups.Skip(sample.Length).Count(group => group == 1), clean.Length));
                if (planted.Rate >= 0.35 || planted.Lower <= natural.Upper + Nominal)
                    continue;
                suspicious = true;
                finding = $"class {label}: {planted.Rate:P1} of its rows form a group that holds {natural.Rate:P1} of trusted rows";
                flagged.AddRange(sample.Where((_, i) => groups[i] == 1));
                break;
            }
        }

        return new("activation clustering", suspicious, finding, [.. flagged.Distinct().Order()]);
    }

    /// <summary>What each row is worth to neighbours' votes on trusted rows; rows that do harm beyond 99 % of trusted rows.</summary>
    /// <remarks>Source: Jia et al., "Efficient Task-Specific Data Valuation for Nearest Neighbor Algorithms", VLDB 2019, Theorem 1 (arXiv:1908.08619): exact Shapley values. Half of the trusted rows judge, the others stand among the training rows and set the limit.</remarks>
    internal static DataFinding Influence(ScreenedRows train, ScreenedRows trusted)
    {
        int[] judges = [.. Enumerable.Range(0, trusted.Rows).Where(row => row % 2 == 0)], standards = [.. Enumerable.Range(0, trusted.Rows).Where(row => row % 2 == 1)];
        if (standards.Length < FewestTrusted)
            return new("holdout influence", false, $"not asked: {trusted.Rows} trusted rows are too few", []);
        double[] rows = [.. train.Representations, .. trusted.Of(standards)];
        int[] labels = [.. train.Labels, .. standards.Select(row => trusted.Labels[row])];
        var worth = NeighbourShapley.Values(rows, labels, trusted.Of(judges), [.. judges.Select(row => trusted.Labels[row])], Neighbours);
        double[] limits = [.. worth[train.Rows..].Order()];
        var limit = limits[(int)(Nominal * limits.Length)];
        int[] flagged = [.. Enumerable.Range(0, train.Rows).Where(row => worth[row] < Math.Min(limit, 0))];
        return Finding("holdout influence", (-1, RowShare.From(flagged.Length, train.Rows)), flagged, "rows do more harm to decisions on trusted rows than 99 % of trusted rows");
    }

    private static (int Class, RowShare Share) Worse((int Class, RowShare Share) one, int label, RowShare share) => one.Class < 0 || share.Lower > one.Share.Lower ? (label, share) : one;

    private static DataFinding Finding(string screen, (int Class, RowShare Share) worst, IEnumerable<int> flagged, string what) =>
        new(screen, worst.Share.Lower > Suspect, $"{(worst.Class < 0 ? "" : $"class {worst.Class}: ")}{worst.Share.Count} of {worst.Share.Of} ({worst.Share.Rate:P1}) {what}", [.. flagged.Order()]);
}
