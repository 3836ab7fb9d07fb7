using Bulwark.Cli;
using Bulwark.Privacy;
using Bulwark.Lineage;
using Bulwark.Tests.Lineage;
using Bulwark.Tests.Servers;

namespace Bulwark.Tests.Making;

public sealed class LedgerWitnessTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private Workspace _workspace = null!;

    public async ValueTask InitializeAsync()
    {
        _workspace = await Workspace.CreateAsync(new DirectoryInfo(_folder["w"]), null);
        using var ledger = PrivacyLedger.Open(_workspace.LedgerPath);   // written before its lines went into the log
        Spend(ledger, "data");
        await _workspace.AppendAsync(SampleClaims.Trained(SampleClaims.Onnx, SampleClaims.Data, 1, ledger.Head));
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public void A_ledger_that_grew_since_is_taken()
    {
        _workspace.OpenLedger().Dispose();
        Spend("other data");
        _workspace.OpenLedger().Dispose();
    }

    [Fact]
    public void A_ledger_that_was_removed_is_refused()
    {
        File.Delete(_workspace.LedgerPath);
        Assert.Contains("is gone", Assert.Throws<CommandException>(() => _workspace.OpenLedger().Dispose()).Message);
    }

    [Fact]
    public async Task An_index_that_somebody_wrote_to_hide_the_head_is_not_believed()
    {
        LineageIndex.Open(await TransparencyLog.OpenAsync(_workspace.LogDirectory), _folder["forged"], new byte[32]);
        File.WriteAllBytes(_workspace.IndexPath, Without(File.ReadAllBytes(_folder["forged"])));
        File.Delete(_workspace.LedgerPath);
        Assert.Contains("is gone", Assert.Throws<CommandException>(() => _workspace.OpenLedger().Dispose()).Message, StringComparison.Ordinal);

        static byte[] Without(byte[] index)   // no statements, under a sum that the forger computes
        {
            using var reader = new BinaryReader(new MemoryStream(index));
            using var forged = new MemoryStream();
            using var writer = new BinaryWriter(forged);
            writer.Write(reader.ReadString());
            writer.Write(reader.ReadString());
            writer.Write(reader.ReadBytes(8 + 32));
            writer.Write(0);
            writer.Write(0);
            return [.. forged.ToArray(), .. System.Security.Cryptography.SHA256.HashData(forged.ToArray())];
        }
    }

    [Fact]
    public async Task Entries_that_were_changed_together_with_their_tile_hide_nothing()
    {
        File.Delete(_workspace.LedgerPath);
        var bundle = Directory.GetFiles(Path.Combine(_workspace.LogDirectory, "tile", "entries"), "*", SearchOption.AllDirectories).Single();
        var entry = "harmless"u8.ToArray();
        await File.WriteAllBytesAsync(bundle, [0, (byte)entry.Length, .. entry], TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(Path.Combine(_workspace.LogDirectory, "tile/0/000.p/1"), MerkleTree.LeafHash(entry).Bytes.ToArray(), TestContext.Current.CancellationToken);
        Assert.Equal(entry, (await TransparencyLog.OpenAsync(_workspace.LogDirectory)).ReadEntry(0).ToArray());   // of one piece with its tile
        Assert.Contains("signs", Assert.Throws<InvalidDataException>(() => _workspace.OpenLedger().Dispose()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_ledger_that_was_set_back_is_refused()
    {
        var lines = File.ReadAllLines(_workspace.LedgerPath);
        File.WriteAllText(_workspace.LedgerPath, lines[0] + "\n");
        Assert.Contains("set back", Assert.Throws<CommandException>(() => _workspace.OpenLedger().Dispose()).Message);
    }

    [Fact]
    public void A_ledger_of_someone_else_is_refused()
    {
        File.Delete(_workspace.LedgerPath);
        Spend("data");
        Assert.Throws<CommandException>(() => _workspace.OpenLedger().Dispose());
    }

    [Theory]
    [InlineData("file")]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Every_booking_is_in_the_log_and_a_store_that_is_set_back_is_refused(string kind)
    {
        string Store(string name) => kind == "postgres" ? $"postgres:{PostgresServer.NewDatabase()};ledger={name}" : $"{kind}:{name}";
        var made = await Workspace.CreateAsync(new DirectoryInfo(_folder[kind]), null, null, Store("books"));
        using (var ledger = made.OpenLedger())
            Spend(ledger, "data");
        using (var ledger = made.OpenLedger())
            Assert.Equal(1, ledger.Spent("data", 1e-5).Events);
        var booked = await BookingsAsync(made);
        Assert.Equal(["budget", "reserve", "commit"], booked.Select(claim => claim.Claim.Kind));
        Assert.Equal([0L, 1L, 2L], booked.Select(claim => claim.Claim.Line));
        using (var ledger = made.OpenLedger())
            Assert.Equal(ledger.Head, booked[^1].Statement.Subjects[0].Digest.ToHex());

        var other = Workspace.At(made.Directory, Store(_folder["other"]));   // an empty store does not renew the budget
        Assert.Contains("holds nothing", Assert.Throws<CommandException>(() => other.OpenLedger().Dispose()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_crash_left_between_ledger_and_log_is_logged_with_the_next_booking()
    {
        using (var ledger = _workspace.OpenLedger())
            Spend(ledger, "logged");
        using (var ledger = PrivacyLedger.Open(_workspace.LedgerPath))
            Spend(ledger, "not logged");
        using (var ledger = _workspace.OpenLedger())
            Spend(ledger, "after");
        Assert.Equal(Enumerable.Range(0, 12).Select(line => (long)line), (await BookingsAsync(_workspace)).Select(claim => claim.Claim.Line));
    }

    [Fact]
    public void A_ledger_that_was_set_back_by_one_booking_is_refused()
    {
        using (var ledger = _workspace.OpenLedger())
            Spend(ledger, "more");
        var lines = File.ReadAllLines(_workspace.LedgerPath);
        File.WriteAllLines(_workspace.LedgerPath, lines[..^1]);
        Assert.Contains("set back", Assert.Throws<CommandException>(() => _workspace.OpenLedger().Dispose()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_with_a_password_is_not_kept()
    {
        var refused = await Assert.ThrowsAsync<CommandException>(() => Workspace.CreateAsync(new DirectoryInfo(_folder["p"]), null, null, "postgres:Host=localhost;Password=x"));
        Assert.Contains("password", refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder["p"], "ledger.store")));
    }

    private static async Task<IReadOnlyList<FoundClaim<PrivacyBooked>>> BookingsAsync(Workspace workspace)
    {
        using var keys = workspace.OpenKeys();
        var log = await TransparencyLog.OpenAsync(workspace.LogDirectory, trustedKey: keys.PublicKey(Workspace.LogKey));
        return [.. new LineageReader(log, LineageIndex.Open(log), [keys.PublicKey(Workspace.SigningKey)]).All<PrivacyBooked>()];
    }

    private void Spend(string dataset)
    {
        using var ledger = PrivacyLedger.Open(_workspace.LedgerPath);
        Spend(ledger, dataset);
    }

    private static void Spend(PrivacyLedger ledger, string dataset)
    {
        ledger.SetBudget(dataset, new PrivacyBudget(1, 1e-5));
        ledger.Reserve(dataset, new GaussianEvent(10), "test").Commit();
    }
}
