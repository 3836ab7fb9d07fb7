using System.Numerics.Tensors;
using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Assurance;

/// <summary>What an inversion of one class came to. Distances are root mean squares over encoded values, which lie in [0, 1].</summary>
/// <param name="Label">The class.</param>
/// <param name="Confidence">The model's probability of the class at the reconstruction.</param>
/// <param name="Distance">From the reconstruction to the mean of the class's training rows.</param>
/// <param name="BaselineDistance">From the mean of the class's public rows to the same.</param>
/// <param name="Cosine">Of the reconstruction and the class's training mean, both seen from the mean of all public rows.</param>
/// <param name="BaselineCosine">Of the public class mean and the same.</param>
/// <param name="NearestMember">From the reconstruction to the nearest training row of the class.</param>
/// <param name="NearestToBaseline">From the public class mean to its nearest training row.</param>
public sealed record InversionReport(
    int Label, double Confidence, double Distance, double BaselineDistance, double Cosine, double BaselineCosine, double NearestMember, double NearestToBaseline)
{
    /// <summary>True when the model tells more of its training rows than the mean of public rows of the class does.</summary>
    public bool BeatsTheClassMean => Distance < BaselineDistance || NearestMember < NearestToBaseline;
}

/// <summary>Climbs to the input that a network finds most like a class, and compares it with its training rows beside the mean of the class in public rows.</summary>
/// <remarks>Source: Fredrikson, Jha, Ristenpart, "Model Inversion Attacks", CCS 2015, Algorithm 1. The baseline matters: a picture of the class is no leak when everybody has it.</remarks>
public static class ModelInversion
{
    private const int Steps = 300;
    private const float Rate = 0.02f;

    /// <summary>Inverts one class.</summary>
    /// <param name="network">The network; one logit.</param>
    /// <param name="members">Encoded training rows.</param>
    /// <param name="others">Encoded public rows of the same kind.</param>
    /// <param name="label">0 or 1.</param>
    /// <exception cref="ArgumentException">A class has no rows, or the network does not fit.</exception>
    public static InversionReport Run(DenseNetwork<float> network, EncodedDataset members, EncodedDataset others, int label)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(members);
        ArgumentNullException.ThrowIfNull(others);
        if (network.Shape.Outputs != 1 || network.Shape.Inputs != members.Width || others.Width != members.Width)
            throw new ArgumentException($"The network {network.Shape} does not fit rows of {members.Width} and a binary decision.", nameof(network));
        var everything = Mean(others, null);
        var (training, known) = (Mean(members, label), Mean(others, label));
        var (reconstruction, confidence) = Climb(network, everything, label);
        return new(
            label, confidence, Distance(reconstruction, training), Distance(known, training), Cosine(reconstruction, training, everything), Cosine(known, training, everything),
            Nearest(reconstruction, members, label), Nearest(known, members, label));
    }

    /// <summary>From the mean of public rows, by signs of slopes, within [0, 1].</summary>
    private static (float[] Place, double Confidence) Climb(DenseNetwork<float> network, float[] start, int label)
    {
        var gradients = new NetworkGradients<float>(network, 1);
        var (place, slopes, losses) = (start.ToArray(), new float[start.Length], new float[1]);
        for (var step = 0; step < Steps; step++)
        {
            gradients.InputGradient(place, [label], Loss.Logistic, slopes, losses);
            var rate = Rate * (1 - ((float)step / Steps));
            for (var i = 0; i < place.Length; i++)
                place[i] = Math.Clamp(place[i] - (rate * Math.Sign(slopes[i])), 0, 1);
        }

        gradients.InputGradient(place, [label], Loss.Logistic, slopes, losses);
        return (place, Math.Exp(-losses[0]));
    }

    private static float[] Mean(EncodedDataset rows, int? label)
    {
        var (sum, count) = (new double[rows.Width], 0);
        for (var row = 0; row < rows.Rows; row++)
        {
            if (label is not null && rows.Labels[row] != label)
                continue;
            count++;
            for (var i = 0; i < sum.Length; i++)
                sum[i] += rows.Row(row)[i];
        }

        return count == 0 ? throw new ArgumentException($"There are no rows of class {label}.", nameof(rows)) : [.. sum.Select(value => (float)(value / count))];
    }

    private static double Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => TensorPrimitives.Distance(a, b) / Math.Sqrt(a.Length);

    private static double Cosine(float[] a, float[] b, float[] origin)
    {
        var (first, second) = (new float[a.Length], new float[a.Length]);
        TensorPrimitives.Subtract(a, origin, first);
        TensorPrimitives.Subtract(b, origin, second);
        var lengths = (double)TensorPrimitives.Norm<float>(first) * TensorPrimitives.Norm<float>(second);
        return lengths == 0 ? 0 : TensorPrimitives.Dot<float>(first, second) / lengths;
    }

    private static double Nearest(float[] place, EncodedDataset rows, int label)
    {
        var nearest = double.PositiveInfinity;
        for (var row = 0; row < rows.Rows; row++)
        {
            if (rows.Labels[row] == label)
                nearest = Math.Min(nearest, Distance(place, rows.Row(row)));
        }

        return nearest;
    }
}
