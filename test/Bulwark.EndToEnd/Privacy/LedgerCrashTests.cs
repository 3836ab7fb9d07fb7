using System.Diagnostics;
using System.Globalization;
using Bulwark.Cli;
using Bulwark.EndToEnd.Sealing;
using Bulwark.Privacy;
using Bulwark.Tests.Servers;

namespace Bulwark.EndToEnd.Privacy;

/// <summary>Eight processes on one budget reserve, release and commit, and die by SIGKILL at random steps: nothing that was released is unrecorded, and the budget holds.</summary>
/// <remarks>BULWARK_CRASH_OPERATIONS makes it longer than its 20 operations a store; the benchmark <c>privacy crash</c> is the form of 10,000 without a log.</remarks>
public sealed class LedgerCrashTests : IDisposable
{
    private const int Processes = 8;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-ledger-crash");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);

    [Theory]
    [InlineData("file:ledger.jsonl")]
    [InlineData("sqlite:ledger.db")]
    [InlineData("postgres")]
    public async Task Nothing_released_is_unrecorded_and_the_budget_holds(string store)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill -9.");
        var operations = int.Parse(Environment.GetEnvironmentVariable("BULWARK_CRASH_OPERATIONS") ?? "20", CultureInfo.InvariantCulture);
        var room = operations / 2;   // the budget runs out before the operations do
        var budget = new PrivacyBudget(GaussianMechanism.Epsilon(LedgerCrashChild.Noise / Math.Sqrt(room), 1e-6) * (1 + 1e-6), 1e-6);
        var address = store == "postgres" ? $"postgres:{PostgresServer.NewDatabase()}" : store;
        var workspace = await Workspace.CreateAsync(new DirectoryInfo(Path.Combine(_folder.FullName, "ws")), null, null, address);
        using (var ledger = workspace.OpenLedger())
            ledger.SetBudget("data", budget);

        var killed = await RunAsync(workspace.Directory.FullName, operations);
        Assert.True(killed >= Processes / 4, $"{killed} processes died");
        using var after = workspace.OpenLedger();   // agrees with the log, or throws
        var booked = after.Entries.Where(entry => entry.Kind == LedgerEntryKind.Reserve).Select(entry => entry.Reservation!).ToHashSet();
        var released = Outputs("output-*").ToList();
        Assert.NotEmpty(released);
        Assert.All(released, reservation => Assert.Contains(reservation, booked));
        Assert.InRange(booked.Count, released.Count, room);
        Assert.True(after.Spent("data", budget.Delta).Epsilon.Upper <= budget.Epsilon);
        var told = Outputs("told-*").ToHashSet();
        Assert.All(after.Entries.Where(entry => entry.Kind == LedgerEntryKind.Commit), entry => Assert.Contains(entry.Reservation!, booked));
        Assert.All(told, reservation => Assert.Contains(after.Entries, entry => entry.Kind == LedgerEntryKind.Commit && entry.Reservation == reservation));
    }

    private async Task<int> RunAsync(string workspace, int operations)
    {
        var (running, killed, seed) = (new List<Process>(), 0, 0);
        try
        {
            while (Attempts() < operations || running.Count > 0)
            {
                while (running.Count < Processes && Attempts() < operations)
                    running.Add(Start(workspace, seed++));
                await Task.WhenAny(running.Select(process => process.WaitForExitAsync(Cancel)));
                foreach (var ended in running.Where(process => process.HasExited).ToList())
                {
                    Assert.True(ended.ExitCode is 0 or 137, $"exit {ended.ExitCode}: {await ended.StandardError.ReadToEndAsync(Cancel)}");
                    killed += ended.ExitCode == 0 ? 0 : 1;
                    running.Remove(ended);
                    ended.Dispose();
                }
            }
        }
        finally
        {
            running.ForEach(process => process.Kill());
        }

        return killed;
    }

    private Process Start(string workspace, int seed)
    {
        var start = new ProcessStartInfo(BuiltProgram.Dotnet, [typeof(LedgerCrashTests).Assembly.Location]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment[LedgerCrashChild.Variable] = $"{seed}|{workspace}|{_folder.FullName}";
        return Process.Start(start)!;
    }

    private long Attempts() => _folder.EnumerateFiles("attempts-*").Sum(file => file.Length);

    private IEnumerable<string> Outputs(string pattern) => _folder.EnumerateFiles(pattern).Select(file => file.Name[(pattern.Length - 1)..]);
}
