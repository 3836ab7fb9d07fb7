using Bulwark.Cli;
using Bulwark.Cli.Making;

namespace Bulwark.Tests.Making;

public sealed class RunFolderTests : IDisposable
{
    private readonly TemporaryFolder _temporary = new();
    private int _runs;

    private string Output => Path.Combine(Run, "made.txt");

    private string Run => _temporary["run"];

    private string Record => Path.Combine(Run, "steps", "make.json");

    public void Dispose() => _temporary.Dispose();

    [Fact]
    public async Task A_step_runs_once_and_is_then_reused_as_it_was()
    {
        var first = await MakeAsync();
        var second = await MakeAsync();
        Assert.Equal((1, false, true), (_runs, first.Reused, second.Reused));
        Assert.Equal((first.Finished, first.Fingerprint, "made in run 1"), (second.Finished, second.Fingerprint, second.Result));
    }

    [Fact]
    public async Task Changed_inputs_make_it_run_again()
    {
        await MakeAsync(rows: 1);
        Assert.False((await MakeAsync(rows: 2)).Reused);
        Assert.True((await MakeAsync(rows: 2)).Reused);
        Assert.Equal(2, _runs);
    }

    [Fact]
    public async Task Another_workspaces_log_makes_it_run_again()
    {
        await MakeAsync(log: "one");
        Assert.False((await MakeAsync(log: "other")).Reused);
    }

    [Theory]
    [InlineData("made in run 2")]
    [InlineData("longer than it was")]
    public async Task A_changed_output_makes_it_run_again(string changed)
    {
        await MakeAsync();
        await File.WriteAllTextAsync(Output, changed, Cancel);
        Assert.False((await MakeAsync()).Reused);
    }

    [Fact]
    public async Task A_deleted_output_makes_it_run_again()
    {
        await MakeAsync();
        File.Delete(Output);
        Assert.False((await MakeAsync()).Reused);
        Assert.True(File.Exists(Output));
    }

    [Fact]
    public async Task An_output_that_the_step_named_while_it_ran_is_watched_too()
    {
        var outputs = new List<string>();
        Task<StepRecord<string>> StepAsync() => RunFolder.Open(Run, fresh: false).StepAsync("late", 1, outputs, async () =>
        {
            outputs.Add(Output);
            await File.WriteAllTextAsync(Output, "late", Cancel);
            return "late";
        });

        await StepAsync();
        Assert.True((await StepAsync()).Reused);
        File.Delete(Output);
        Assert.False((await StepAsync()).Reused);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"name":"make"}""")]
    [InlineData("""{"fingerprint":"sha256:short"}""")]
    public async Task A_record_that_does_not_read_makes_it_run_again(string record)
    {
        await MakeAsync();
        await File.WriteAllTextAsync(Record, record, Cancel);
        Assert.False((await MakeAsync()).Reused);
        Assert.Equal(2, _runs);
    }

    [Fact]
    public async Task A_record_that_lost_a_part_makes_it_run_again()
    {
        await MakeAsync();
        await File.WriteAllTextAsync(Record, (await File.ReadAllTextAsync(Record, Cancel)).Replace("\"outputs\"", "\"other\"", StringComparison.Ordinal), Cancel);
        Assert.False((await MakeAsync()).Reused);
    }

    [Fact]
    public async Task A_step_that_fails_or_is_cancelled_leaves_no_record()
    {
        var folder = RunFolder.Open(Run, fresh: false);
        await Assert.ThrowsAsync<IOException>(() => folder.StepAsync<int>("make", 1, [], () => throw new IOException("disk")));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => folder.StepAsync<int>("make", 1, [], () => Task.FromCanceled<int>(new CancellationToken(canceled: true))));
        Assert.False(File.Exists(Record));
    }

    [Fact]
    public async Task A_step_that_did_not_write_what_it_promised_leaves_no_record()
    {
        var folder = RunFolder.Open(Run, fresh: false);
        await Assert.ThrowsAsync<FileNotFoundException>(() => folder.StepAsync("make", 1, [Output], () => Task.FromResult(1)));
        Assert.False(File.Exists(Record));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_folder_with_foreign_files_is_refused_and_left_alone(bool fresh)
    {
        // Somebody's own folder may well hold one that is called "steps".
        foreach (var foreign in (string[])[_temporary["papers/thesis.txt"], _temporary["recipes/steps/first.json"]])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(foreign)!);
            File.WriteAllText(foreign, "mine");
        }

        Assert.Contains("no run made", Assert.Throws<CommandException>(() => RunFolder.Open(_temporary["papers"], fresh)).Message);
        Assert.Contains("no run made", Assert.Throws<CommandException>(() => RunFolder.Open(_temporary["recipes"], fresh)).Message);
        Assert.Equal("mine", File.ReadAllText(_temporary["papers/thesis.txt"]));
        Assert.Equal("mine", File.ReadAllText(_temporary["recipes/steps/first.json"]));
    }

    [Fact]
    public async Task Fresh_removes_what_a_run_left_and_nothing_beside_it()
    {
        await File.WriteAllTextAsync(_temporary["beside.txt"], "mine", Cancel);
        await MakeAsync();
        Assert.False((await MakeAsync(fresh: true)).Reused);
        Assert.Equal((2, "mine"), (_runs, await File.ReadAllTextAsync(_temporary["beside.txt"], Cancel)));
    }

    [Fact]
    public void An_empty_folder_is_taken() => Assert.True(RunFolder.Open(Directory.CreateDirectory(Run).FullName, fresh: true).Directory.Exists);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Task<StepRecord<string>> MakeAsync(int rows = 1, bool fresh = false, string log = "log")
    {
        var folder = RunFolder.Open(Run, fresh);
        folder.Log = log;
        return folder.StepAsync("make", new { rows }, [Output], async () =>
        {
            var made = $"made in run {++_runs}";
            await File.WriteAllTextAsync(Output, made, Cancel);
            return made;
        });
    }
}
