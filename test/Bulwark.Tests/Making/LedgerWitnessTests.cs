using Bulwark.Cli;
using Bulwark.Cli.Making;
using Bulwark.Privacy;
using Bulwark.Tests.Lineage;

namespace Bulwark.Tests.Making;

public sealed class LedgerWitnessTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private Workspace _workspace = null!;

    public async ValueTask InitializeAsync()
    {
        _workspace = await Workspace.CreateAsync(new DirectoryInfo(_folder["w"]), null);
        Spend("data");
        await _workspace.AppendAsync(SampleClaims.Trained(SampleClaims.Onnx, SampleClaims.Data, 1, LedgerWitness.Head(_workspace)));
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public void A_ledger_that_grew_since_is_taken()
    {
        LedgerWitness.Require(_workspace);
        Spend("other data");
        LedgerWitness.Require(_workspace);
    }

    [Fact]
    public void A_ledger_that_was_removed_is_refused()
    {
        File.Delete(_workspace.LedgerPath);
        Assert.Contains("is gone", Assert.Throws<CommandException>(() => LedgerWitness.Require(_workspace)).Message);
    }

    [Fact]
    public void A_ledger_that_was_set_back_is_refused()
    {
        var lines = File.ReadAllLines(_workspace.LedgerPath);
        File.WriteAllText(_workspace.LedgerPath, lines[0] + "\n");
        Assert.Contains("set back", Assert.Throws<CommandException>(() => LedgerWitness.Require(_workspace)).Message);
    }

    [Fact]
    public void A_ledger_of_someone_else_is_refused()
    {
        File.Delete(_workspace.LedgerPath);
        Spend("data");
        Assert.Throws<CommandException>(() => LedgerWitness.Require(_workspace));
    }

    private void Spend(string dataset)
    {
        using var ledger = PrivacyLedger.Open(_workspace.LedgerPath);
        ledger.SetBudget(dataset, new PrivacyBudget(1, 1e-5));
        ledger.Reserve(dataset, new GaussianEvent(10), "test").Commit();
    }
}
