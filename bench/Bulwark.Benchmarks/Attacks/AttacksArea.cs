namespace Bulwark.Benchmarks.Attacks;

/// <summary>Attacks beside their limits: what they cost, and what they leave standing on real data.</summary>
internal static class AttacksArea
{
    internal static int Run(string[] args) => args switch
    {
        [] or ["speed"] => SpeedTable.Run(),
        ["suite"] => ImageSuite.Run(),
        ["url", .. var rest] => PhishingTable.Run(rest),
        _ => Usage(),
    };

    private static int Usage()
    {
        Console.Error.WriteLine("attacks [speed] | attacks suite | attacks url [SEEDS] [ROWS] [QUERIES] [--choose] [--only TEXT]");
        return 2;
    }
}
