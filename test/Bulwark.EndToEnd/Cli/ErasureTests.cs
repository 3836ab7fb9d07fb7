using System.Diagnostics;
using System.Globalization;
using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.EndToEnd.Making;

namespace Bulwark.EndToEnd.Cli;

/// <summary>Data subjects are erased by the command line: what their rows reached is listed, and a process that is killed leaves nobody half erased.</summary>
public sealed class ErasureTests : IAsyncLifetime
{
    private const string Policy = """
        format: data-policy/v1
        dataset: payments
        subject: customer_id
        rules:
          - { column: name, action: encryptValue, perSubject: true }
          - { column: card_number, action: tokenise }
          - { column: ssn, action: drop }
          - { column: email, action: encryptJoinable }
          - { column: medical_history, action: encryptValue, perSubject: true }
        otherwise: keep
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-erasure");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Workspace => PathOf("workspace");

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(PathOf("policy.yaml"), Policy, Cancel);
        await Succeed("init");
        await Succeed("data", "simulate", "--rows", "4000", "--seed", "4", "-o", PathOf("pay.csv"));
        await Succeed("data", "protect", PathOf("pay.csv"), "--policy", PathOf("policy.yaml"), "-o", PathOf("pay.parquet"));
    }

    public ValueTask DisposeAsync()
    {
        Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task An_erasure_lists_the_datasets_and_models_that_the_rows_reached_and_names_nobody()
    {
        await Succeed("data", "features", PathOf("pay.parquet"), "-o", PathOf("features.csv"));
        await Succeed("train", PathOf("features.csv"), "--label", "is_fraud", "--positive", "1", "--drop", "time", "--epochs", "1", "-o", PathOf("model"));
        var subject = Subjects()[3];
        var erased = await Succeed("data", "shred", "--subject", subject, "--end-epoch");
        var one = Assert.Single(erased.Json.GetProperty("erased").EnumerateArray());
        Assert.Equal("payments", Assert.Single(one.GetProperty("datasets").EnumerateArray()).GetProperty("dataset").GetString());
        Assert.Contains(one.GetProperty("models").EnumerateArray(), model => model.GetProperty("name").GetString()!.Contains("model.onnx", StringComparison.Ordinal));
        Assert.True(Erasure.Holds(Digest.Parse(one.GetProperty("tombstone").GetString()!), subject, Convert.FromHexString(one.GetProperty("receipt").GetString()!)));
        Assert.Equal(2, erased.Json.GetProperty("epoch").GetProperty("change").GetProperty("begun").GetString()!.Length - "subjects/epoch".Length);
        var again = await CommandLine.RunAsync("data", "shred", "--subject", subject, "-w", Workspace, "--json");
        Assert.True(again.Code == 1, again.Said);
        var log = await Succeed("log", "verify");
        Assert.DoesNotContain(one.GetProperty("receipt").GetString()!, log.Output, StringComparison.Ordinal);
        Require(new HashSet<string> { subject });
    }

    [Fact]
    public async Task A_process_killed_while_it_shreds_or_ends_the_epoch_leaves_nobody_half_erased_and_can_be_run_again()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill -9.");
        string[] erased = [.. Subjects().Take(12)];
        await File.WriteAllLinesAsync(PathOf("ids.txt"), erased, Cancel);
        var random = new Random(5);
        var rounds = int.Parse(Environment.GetEnvironmentVariable("BULWARK_KILL_ROUNDS") ?? "6", CultureInfo.InvariantCulture);
        for (var round = 0; round < rounds; round++)
        {
            await KillAsync(TimeSpan.FromMilliseconds(400 + random.Next(1600)));
            Require(null, [.. erased]);
        }

        var last = await CommandLine.RunAsync("data", "shred", "--subjects", PathOf("ids.txt"), "--end-epoch", "-w", Workspace, "--json");
        Assert.True(last.Code is 0 or 1, last.Said);   // 1: some were erased before they could be asked for again
        Require([.. erased]);
        using var keys = OpenKeys();
        using var store = OpenStore(keys);
        Assert.Empty(store.Untold());
        var entries = (await Succeed("log", "show", "--last", "200")).Output;
        Assert.Equal(erased.Length, entries.Split("erased subject").Length - 1);
        Assert.Single(keys.List(), key => key.Id.Name == SubjectStore.EpochKey && key.State != KeyState.Destroyed);
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private KeyRing OpenKeys() => KeyRing.Open(Path.Combine(Workspace, "keyring.json"), KeyRingUnlock.KeyFile(Path.Combine(Workspace, "keyring.key")));

    private SubjectStore OpenStore(KeyRing keys) => SubjectStore.Open(Path.Combine(Workspace, "subjects.db"), keys);

    private string[] Subjects() => [.. File.ReadLines(PathOf("pay.csv")).Skip(1).Select(line => line.Split(',')[2]).Distinct(StringComparer.Ordinal)];

    /// <summary>Opens the file: a subject's cells are all there or all missing, as the store says; nobody else's are missing.</summary>
    /// <param name="gone">Who must be erased; null when that is not known.</param>
    /// <param name="asked">Who may be.</param>
    private void Require(HashSet<string>? gone, HashSet<string>? asked = null)
    {
        using var keys = OpenKeys();
        using var store = OpenStore(keys);
        using var source = DataProtection.OpenColumns(PathOf("pay.parquet"), ["customer_id", "name", "medical_history", "card_number"], keys, subjects: store);
        var plain = File.ReadLines(PathOf("pay.csv")).Skip(1).Select(line => line.Split(',')).ToArray();
        var row = 0;
        var living = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var batch in source.Batches(Cancel))
        {
            for (var i = 0; i < batch.Rows; i++, row++)
            {
                var subject = batch["customer_id"].Text(i)!;
                if (!living.TryGetValue(subject, out var lives))
                    living.Add(subject, lives = store.ReachedBy(subject).Count > 0);
                Assert.Equal(lives ? plain[row][7] : null, batch["name"].Text(i));
                Assert.Equal(lives, batch["medical_history"].Text(i) is not null);
                Assert.Equal(plain[row][5], batch["card_number"].Text(i));
            }
        }

        Assert.Equal(plain.Length, row);
        foreach (var (subject, lives) in living)
        {
            if (gone is not null)
                Assert.Equal(gone.Contains(subject), !lives);
            Assert.True(lives || (asked ?? gone)!.Contains(subject));
        }
    }

    private async Task KillAsync(TimeSpan after)
    {
        using var process = Process.Start(new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "Bulwark.Cli.dll"), "data", "shred", "--subjects", PathOf("ids.txt"), "--end-epoch", "-w", Workspace, "--json"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await Task.WhenAny(process.WaitForExitAsync(Cancel), Task.Delay(after, Cancel));
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync(Cancel);
    }

    private async Task<CommandLine.Answered> Succeed(params string[] args)
    {
        var answered = await CommandLine.RunAsync([.. args, "-w", Workspace, "--json"]);
        Assert.True(answered.Code == 0, answered.Said);
        return answered;
    }
}
