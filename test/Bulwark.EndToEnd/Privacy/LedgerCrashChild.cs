using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Bulwark.Cli;
using Bulwark.Cli.Making;
using Bulwark.Databases;
using Bulwark.Privacy;

namespace Bulwark.EndToEnd.Privacy;

/// <summary>This program again, as one of the processes of <see cref="LedgerCrashTests"/>: works on the ledger and kills itself at a step that its seed names.</summary>
internal static class LedgerCrashChild
{
    internal const string Variable = "BULWARK_LEDGER_CRASH_CHILD";
    internal const double Noise = 400;
    private const int Most = 5;

    /// <summary>Where this process dies: around the store's own steps, and around the work.</summary>
    private enum Death
    {
        LockHeld,
        BeforeBooking,
        BookedNotLogged,
        Told,
        Released,
        InCommit,
        Committed,
        Never,
    }

    [ModuleInitializer]
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Usage", "CA2255", Justification = "The test program is its own child process, before the runner starts.")]
    internal static void Run()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } given)
            return;
        var parts = given.Split('|');
        var code = 0;
        try
        {
            Work(int.Parse(parts[0], CultureInfo.InvariantCulture), parts[1], parts[2]);
        }
        catch (Exception failure)
        {
            Console.Error.WriteLine(failure);
            code = 1;
        }

        Environment.Exit(code);
    }

    private static void Work(int seed, string directory, string outputs)
    {
        var random = new Random(seed);
        var (fatal, death) = (random.Next(Most), (Death)(seed % 8));
        var operation = 0;
        var workspace = Workspace.At(new DirectoryInfo(directory));
        var inside = death;
        using var store = new DyingStore(LedgerStores.Open(LedgerAddress.Of(workspace)), at => DieAt(operation == fatal && at == inside));
        using var ledger = PrivacyLedger.Open(new LoggedLedgerStore(store, workspace));
        using var attempts = new FileStream(Path.Combine(outputs, $"attempts-{seed}"), FileMode.Append);
        for (; operation < Most; operation++)
        {
            attempts.WriteByte(1);
            attempts.Flush();
            LedgerReservation reservation;
            try
            {
                reservation = ledger.Reserve("data", new GaussianEvent(Noise), "trial");
            }
            catch (PrivacyBudgetException)
            {
                DieAt(operation == fatal);   // nothing is left to die in
                continue;
            }

            DieAt(operation == fatal && death == Death.Told);
            reservation.Begin();
            File.WriteAllText(Path.Combine(outputs, $"output-{reservation.Id}"), "");   // from here on something noisy is out
            DieAt(operation == fatal && death == Death.Released);
            if (death == Death.InCommit)
                inside = Death.BookedNotLogged;
            reservation.Commit();
            File.WriteAllText(Path.Combine(outputs, $"told-{reservation.Id}"), "");
            DieAt(operation == fatal && death == Death.Committed);
        }
    }

    private static void DieAt(bool now)
    {
        if (!now)
            return;
        Process.GetCurrentProcess().Kill();   // SIGKILL
        Thread.Sleep(Timeout.Infinite);
    }

    private sealed class DyingStore(ILedgerStore store, Action<Death> at) : ILedgerStore
    {
        public string Name => store.Name;

        public ILedgerSession Open()
        {
            var session = store.Open();
            at(Death.LockHeld);
            return new Session(session, at);
        }

        public void Dispose() => store.Dispose();

        private sealed class Session(ILedgerSession session, Action<Death> at) : ILedgerSession
        {
            public IReadOnlyList<byte[]> Read(long first) => session.Read(first);

            public void Append(IReadOnlyList<byte[]> lines)
            {
                at(Death.BeforeBooking);
                session.Append(lines);
                at(Death.BookedNotLogged);
            }

            public void Dispose() => session.Dispose();
        }
    }
}
