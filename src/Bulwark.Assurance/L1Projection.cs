using System.Numerics;

namespace Bulwark.Assurance;

/// <summary>The nearest point that lies both within an L1 distance and within [0, 1].</summary>
/// <remarks>
/// The change of each value is its wish shortened by one common amount, then cut to the room that the box leaves it (the optimality conditions of the
/// projection; Croce and Hein, "Mind the Box", ICML 2021, proposition 2.2, arXiv:2103.01208). The amount is found by bisection.
/// </remarks>
internal static class L1Projection
{
    private const int Halvings = 60;

    internal static void Project<T>(ReadOnlySpan<T> original, T epsilon, Span<T> point)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (sum, largest) = Changes(original, point, T.Zero);
        if (sum > epsilon)
        {
            var (low, high) = (T.Zero, largest);
            for (var i = 0; i < Halvings && low < high; i++)
            {
                var middle = (low + high) / T.CreateTruncating(2);
                if (middle <= low || middle >= high)
                    break;
                if (Changes(original, point, middle).Sum > epsilon)
                    low = middle;
                else
                    high = middle;
            }

            Shorten(original, point, high);
        }
        else
        {
            Shorten(original, point, T.Zero);
        }
    }

    private static (T Sum, T Largest) Changes<T>(ReadOnlySpan<T> original, ReadOnlySpan<T> point, T shortened)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (sum, largest) = (T.Zero, T.Zero);
        for (var j = 0; j < point.Length; j++)
        {
            var wish = point[j] - original[j];
            var length = T.Abs(wish);
            largest = T.Max(largest, length);
            sum += T.Min(T.Max(length - shortened, T.Zero), Room(original[j], wish));
        }

        return (sum, largest);
    }

    private static void Shorten<T>(ReadOnlySpan<T> original, Span<T> point, T shortened)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var j = 0; j < point.Length; j++)
        {
            var wish = point[j] - original[j];
            var length = T.Min(T.Max(T.Abs(wish) - shortened, T.Zero), Room(original[j], wish));
            point[j] = wish > T.Zero ? T.Min(original[j] + length, T.Max(original[j], T.One)) : T.Max(original[j] - length, T.Min(original[j], T.Zero));
        }
    }

    private static T Room<T>(T original, T wish)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        T.Max(T.Zero, wish > T.Zero ? T.One - original : original);
}
