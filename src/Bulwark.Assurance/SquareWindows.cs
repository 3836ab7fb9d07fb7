namespace Bulwark.Assurance;

/// <summary>The L2 proposals of <see cref="SquareAttack"/>: change is taken from one window and spent, in two cones, on another.</summary>
/// <remarks>Source: Andriushchenko et al., ECCV 2020, section 3.4, equation 2 and Algorithm 3 (arXiv:1912.00049).</remarks>
internal static class SquareWindows
{
    private const int Grid = 5;

    /// <summary>The first change: cones on a grid, each up or down, of the whole length.</summary>
    internal static void Begin(SquareAttack attack, SeededDraws draws, ReadOnlySpan<float> original, Span<float> candidate)
    {
        var change = new double[original.Length];
        var side = int.Max(1, int.Min(attack.Height, attack.Width) / Grid);
        var cones = Cones(side, transposed: false);
        for (var channel = 0; channel < attack.Channels; channel++)
        {
            for (var top = 0; top + side <= attack.Height; top += side)
            {
                for (var left = 0; left + side <= attack.Width; left += side)
                {
                    var sign = draws.Uniform() < 0.5 ? 1 : -1;
                    foreach (var (at, i) in Window(attack, channel, top, left, side))
                        change[at] = sign * cones[i];
                }
            }
        }

        Apply(original, change, attack.Epsilon / Length(change), candidate);
    }

    /// <summary>The next change of a point.</summary>
    internal static void Move(SquareAttack attack, SeededDraws draws, int side, ReadOnlySpan<float> original, Span<float> candidate)
    {
        var change = new double[original.Length];
        for (var i = 0; i < change.Length; i++)
            change[i] = (double)candidate[i] - original[i];
        side = int.Max(side, 2);
        var (top, left, from, fromLeft) = (draws.Below(attack.Height - side + 1), draws.Below(attack.Width - side + 1), draws.Below(attack.Height - side + 1), draws.Below(attack.Width - side + 1));
        var cones = Cones(side, draws.Uniform() < 0.5);
        var unit = Length(cones);
        var unused = Math.Max(0, (attack.Epsilon * attack.Epsilon) - change.Sum(value => value * value));
        for (var channel = 0; channel < attack.Channels; channel++)
        {
            var (here, there) = (Window(attack, channel, top, left, side), Window(attack, channel, from, fromLeft, side));
            var own = Math.Sqrt(here.Sum(place => change[place.At] * change[place.At]));
            var both = here.Select(place => place.At).Union(there.Select(place => place.At)).Sum(at => change[at] * change[at]);
            var sign = draws.Uniform() < 0.5 ? 1 : -1;
            double[] direction = [.. here.Select(place => (sign * cones[place.Index] / unit) + (own > 0 ? change[place.At] / own : 0))];
            foreach (var (at, _) in there)
                change[at] = 0;
            var scale = Math.Sqrt(both + (unused / attack.Channels)) / Math.Max(Length(direction), 1e-12);
            foreach (var (at, i) in here)
                change[at] = direction[i] * scale;
        }

        Apply(original, change, Math.Min(1, attack.Epsilon / Math.Max(Length(change), 1e-12)), candidate);
    }

    /// <summary>A cone in one half of the window and its opposite in the other.</summary>
    private static double[] Cones(int side, bool transposed)
    {
        var half = side / 2;
        var cones = new double[side * side];
        for (var row = 0; row < side; row++)
        {
            for (var column = 0; column < side; column++)
            {
                var value = column < half ? Cone(row, column, side, half) : -Cone(row, column - half, side, side - half);
                cones[transposed ? (column * side) + row : (row * side) + column] = value;
            }
        }

        return cones;
    }

    /// <summary>Equation 2: layers around the middle, each weighing the inverse square of its distance from it.</summary>
    private static double Cone(int row, int column, int height, int width)
    {
        var n = height / 2;
        var layers = n - int.Max(int.Abs(row - (height / 2)), int.Abs(column - (width / 2)));
        var value = 0.0;
        for (var k = 0; k <= layers; k++)
            value += 1.0 / ((n + 1 - k) * (n + 1 - k));
        return value;
    }

    private static List<(int At, int Index)> Window(SquareAttack attack, int channel, int top, int left, int side)
    {
        var places = new List<(int, int)>(side * side);
        for (var i = 0; i < side * side; i++)
            places.Add(((channel * attack.Height * attack.Width) + ((top + (i / side)) * attack.Width) + left + (i % side), i));
        return places;
    }

    private static double Length(double[] values) => Math.Sqrt(values.Sum(value => value * value));

    private static void Apply(ReadOnlySpan<float> original, double[] change, double factor, Span<float> candidate)
    {
        for (var i = 0; i < change.Length; i++)
            candidate[i] = float.Clamp((float)(original[i] + (change[i] * factor)), 0, 1);
    }
}
