namespace Bulwark.Data;

/// <summary>Who pays and where: the customers' homes and habits, the terminals' places, and which terminals are near whom.</summary>
internal sealed class World
{
    private const double Side = 100;

    private readonly (double X, double Y)[] _terminals;
    private readonly List<int>[] _cells;
    private readonly int _cellsPerSide;

    internal World(SimulationOptions options)
    {
        _terminals = new (double, double)[options.Terminals];
        for (var i = 0; i < _terminals.Length; i++)
        {
            var random = new RandomStream(options.Seed, 1, i);
            _terminals[i] = (random.Uniform(0, Side), random.Uniform(0, Side));
        }

        _cellsPerSide = Math.Clamp((int)(Side / options.Radius), 1, 200);
        _cells = [.. Enumerable.Range(0, _cellsPerSide * _cellsPerSide).Select(_ => new List<int>())];
        for (var i = 0; i < _terminals.Length; i++)
            _cells[Cell(_terminals[i].Y) * _cellsPerSide + Cell(_terminals[i].X)].Add(i);
    }

    /// <summary>The terminals within <paramref name="radius"/> of a home, by number; the nearest one when there is none.</summary>
    internal int[] Near(double x, double y, double radius)
    {
        var near = new List<int>();
        for (var row = Cell(y - radius); row <= Cell(y + radius); row++)
        {
            for (var column = Cell(x - radius); column <= Cell(x + radius); column++)
                near.AddRange(_cells[row * _cellsPerSide + column].Where(terminal => Squared(terminal, x, y) < radius * radius));
        }

        if (near.Count == 0)
            near.Add(Enumerable.Range(0, _terminals.Length).MinBy(terminal => Squared(terminal, x, y)));
        near.Sort();
        return [.. near];
    }

    private int Cell(double coordinate) => Math.Clamp((int)(coordinate / Side * _cellsPerSide), 0, _cellsPerSide - 1);

    private double Squared(int terminal, double x, double y)
    {
        var (dx, dy) = (_terminals[terminal].X - x, _terminals[terminal].Y - y);
        return dx * dx + dy * dy;
    }
}
