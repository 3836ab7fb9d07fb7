using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Bulwark.Privacy;

namespace Bulwark.Benchmarks.Privacy;

/// <summary>
/// Several processes reserve, "train" (write a noisy output) and commit on one ledger; each kills itself with SIGKILL at a random step: with the
/// lock held, with half a line written, before and after the flush, before and after it was told, while training, before and in the commit.
/// Afterwards every output must have its reservation, the budget must hold, and the chain must read.
/// </summary>
internal static class CrashTrial
{
    private const double Noise = 400;

    internal static int Run(string[] args)
    {
        var operations = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 10_000;
        var processes = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 8;
        var folder = Directory.CreateTempSubdirectory("bulwark-crash-");
        var path = Path.Combine(folder.FullName, "ledger.jsonl");
        var room = operations * 3 / 4;   // the budget runs out before the operations do
        var budget = new PrivacyBudget(GaussianMechanism.Epsilon(Noise / Math.Sqrt(room), 1e-6) * (1 + 1e-6), 1e-6);
        using (var ledger = PrivacyLedger.Open(path))
            ledger.SetBudget("data", budget);
        var (running, killed, seed) = (new List<Process>(), 0, 0);
        while (Attempts(folder) < operations || running.Count > 0)
        {
            while (running.Count < processes && Attempts(folder) < operations)
                running.Add(Process.Start(new ProcessStartInfo(Environment.ProcessPath!, Arguments(path, seed++)) { RedirectStandardError = true })!);
            foreach (var process in running.Where(process => process.WaitForExit(20)).ToList())
            {
                killed += process.ExitCode == 0 ? 0 : 1;
                running.Remove(process);
            }
        }

        return Judge(path, folder, budget, room, killed, seed);
    }

    /// <summary>Up to 200 operations; dies at one of them.</summary>
    internal static int Child(string path, int seed)
    {
        var random = new Random(seed);
        var folder = Path.GetDirectoryName(path)!;
        var fatal = random.Next(60, 200);
        var step = random.Next(9);
        var operation = 0;
        using var ledger = PrivacyLedger.Open(new FileLedgerStore(path) { Step = at => DieAt(operation == fatal && (int)at == step) });
        using var attempts = new FileStream(Path.Combine(folder, $"attempts-{seed}"), FileMode.Append);
        for (; operation < 200; operation++)
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
                continue;
            }

            DieAt(operation == fatal && step == 4);
            reservation.Begin();
            File.WriteAllText(Path.Combine(folder, $"output-{reservation.Id}"), "");   // from here on something noisy is out
            DieAt(operation == fatal && step is 5 or 6);
            if (operation == fatal && step >= 7)
                step = random.Next(4);   // inside the commit
            reservation.Commit();
        }

        return 0;
    }

    private static int Judge(string path, DirectoryInfo folder, PrivacyBudget budget, int room, int killed, int started)
    {
        using var ledger = PrivacyLedger.Open(path);
        var booked = ledger.Entries.Where(entry => entry.Kind == LedgerEntryKind.Reserve).Select(entry => entry.Reservation!).ToHashSet();
        var outputs = folder.EnumerateFiles("output-*").Select(file => file.Name["output-".Length..]).ToList();
        var missing = outputs.Count(output => !booked.Contains(output));
        var spent = ledger.Spent("data", budget.Delta).Epsilon.Upper;
        Console.WriteLine($"{Attempts(folder)} operations by {started} processes, {killed} of them killed; {booked.Count} reservations for {room} that fit, {outputs.Count} outputs, {missing} of them unrecorded; epsilon {spent:g8} of {budget.Epsilon:g8}");
        var good = missing == 0 && spent <= budget.Epsilon && booked.Count <= room;
        Console.WriteLine(good ? "never under-counted, never exceeded" : "FAILED");
        folder.Delete(recursive: true);
        return good ? 0 : 1;
    }

    private static long Attempts(DirectoryInfo folder) => folder.EnumerateFiles("attempts-*").Sum(file => file.Length);

    private static string Arguments(string path, int seed)
    {
        var assembly = typeof(CrashTrial).Assembly.Location;
        var child = $"privacy crash-child \"{path}\" {seed}";
        return Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? $"\"{assembly}\" {child}" : child;
    }

    private static void DieAt(bool now)
    {
        if (now)
            _ = Kill(Environment.ProcessId, 9);
    }

    [DllImport("libc", EntryPoint = "kill"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
