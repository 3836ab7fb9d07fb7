using Bulwark.Cli;
using Bulwark.Cli.Making;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Tests.Lineage;

namespace Bulwark.Tests.Making;

public sealed class RunStatementTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly Signer _signer = Signer.Generate();
    private Workspace _workspace = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _workspace = await Workspace.CreateAsync(new DirectoryInfo(_folder["w"]), null);
        Directory.CreateDirectory(_folder["run/steps"]);
        await File.WriteAllTextAsync(_folder["run/report.html"], "report", Cancel);
        await File.WriteAllTextAsync(_folder["run/steps/train.json"], "{}", Cancel);
        await File.WriteAllTextAsync(_folder["outside"], "outside", Cancel);
    }

    public ValueTask DisposeAsync()
    {
        _signer.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_run_is_as_it_was_left()
    {
        await RunStatement.WriteAsync(_folder["run"], _workspace, "run", Cancel);
        Assert.Empty(await FaultsAsync());
        await File.WriteAllTextAsync(_folder["run/..new"], "x", Cancel);
        Assert.Equal(["..new:added"], await FaultsAsync());
    }

    [Fact]
    public async Task Links_are_not_signed_and_one_that_was_put_in_is_named()
    {
        await RunStatement.WriteAsync(_folder["run"], _workspace, "run", Cancel);
        File.CreateSymbolicLink(_folder["run/link"], _folder["outside"]);
        Assert.Equal(["link:added"], await FaultsAsync());
        await Assert.ThrowsAsync<InvalidDataException>(() => RunStatement.WriteAsync(_folder["run"], _workspace, "run", Cancel));
        File.Delete(_folder["run/link"]);
        File.Copy(_folder["run/report.html"], _folder["same"]);
        File.Delete(_folder["run/report.html"]);
        File.CreateSymbolicLink(_folder["run/report.html"], _folder["same"]);   // the right bytes, but elsewhere
        Assert.Equal(["report.html:link"], await FaultsAsync());
    }

    [Fact]
    public async Task A_list_that_leads_out_of_the_folder_is_refused()
    {
        Subject[] subjects = [new("../outside", Digest.Of("outside"u8)), new(_folder["outside"], Digest.Of("outside"u8)), new("steps/../report.html", Digest.Of("report"u8)), new("report.html", Digest.Of("report"u8)), new("steps/train.json", Digest.Of("{}"u8))];
        await File.WriteAllBytesAsync(_folder["run/statement.json"], Dsse.Sign(Statement.Of(subjects, new RunFinished { Pipeline = "run", Steps = [], Time = SampleClaims.Now }), _signer), Cancel);
        Assert.Equal(["../outside:outside", $"{_folder["outside"]}:outside", "steps/../report.html:outside"], await FaultsAsync(_signer.PublicKey));
    }

    private async Task<string[]> FaultsAsync(VerificationKey? key = null)
    {
        using var keys = _workspace.OpenKeys();
        var links = await RunStatement.VerifyAsync(_folder["run"], key is null ? LogCommand.SigningKeys(keys) : [key], Cancel);
        return [.. links.Where(link => !link.Holds).Select(link => $"{link.Name}:{link.Fault}")];
    }
}
