namespace Bulwark.Benchmarks.Training;

/// <summary>Private training beside its limits: what it costs in accuracy and in time.</summary>
internal static class TrainingArea
{
    internal static int Run(string[] args) => args switch
    {
        ["accuracy", .. var rest] => AccuracyTable.Run(rest),
        ["speed", .. var rest] => SpeedTable.Run(rest),
        _ => Usage(),
    };

    private static int Usage()
    {
        Console.Error.WriteLine("training accuracy [SEEDS] | training speed [SECONDS]");
        return 2;
    }
}
