namespace Bulwark.Benchmarks.Robust;

/// <summary>Robust training beside its limits: what it withstands, and what it costs.</summary>
internal static class RobustArea
{
    internal static int Run(string[] args) => args switch
    {
        ["images", .. var rest] => ImageTable.Run(rest),
        ["attack", .. var rest] => ImageTable.Attack(rest),
        ["choose", .. var rest] => ImageChoice.Run(rest),
        ["epochs"] => EpochTable.Run(),
        _ => Usage(),
    };

    private static int Usage()
    {
        Console.Error.WriteLine($"robust images WAY… | robust attack FILE… [--whole] | robust choose [--only TEXT] [--epochs N] [--rate R] | robust epochs   ways: {ImageTable.Ways}");
        return 2;
    }
}
