using Bulwark.Privacy;

namespace Bulwark.Tests.Privacy;

public sealed class PrivacyLedgerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ledger");

    private string LedgerPath => Path.Combine(_folder.FullName, "ledger.jsonl");

    public void Dispose() => TemporaryFolder.Remove(_folder.FullName);

    [Fact]
    public void Spending_without_a_budget_is_refused()
    {
        using var ledger = PrivacyLedger.Open(LedgerPath);
        Assert.Throws<PrivacyBudgetException>(() => ledger.Reserve("data", new GaussianEvent(10), "test"));
        Assert.Empty(ledger.Entries);
    }

    [Fact]
    public void Spending_beyond_the_budget_is_refused_and_nothing_is_booked()
    {
        using var ledger = PrivacyLedger.Open(LedgerPath);
        ledger.SetBudget("data", new PrivacyBudget(1, 1e-5));
        ledger.Reserve("data", new GaussianEvent(5), "first").Commit();
        Assert.Throws<PrivacyBudgetException>(() => ledger.Reserve("data", new GaussianEvent(5), "second"));
        Assert.Equal(1, ledger.Spent("data", 1e-5).Events);
        ledger.SetBudget("other", new PrivacyBudget(1, 1e-5));
        ledger.Reserve("other", new GaussianEvent(5), "another data set has its own budget");
    }

    [Fact]
    public void Asking_for_room_refuses_what_would_not_fit_and_books_nothing()
    {
        using var ledger = PrivacyLedger.Open(LedgerPath);
        ledger.SetBudget("data", new PrivacyBudget(1, 1e-5));
        ledger.RequireRoom("data", new GaussianEvent(5));
        Assert.Throws<PrivacyBudgetException>(() => ledger.RequireRoom("data", new GaussianEvent(1)));
        Assert.Equal(0, ledger.Spent("data", 1e-5).Events);
    }

    [Fact]
    public void The_total_is_composed_and_not_added()
    {
        using var ledger = PrivacyLedger.Open(LedgerPath);
        ledger.SetBudget("data", new PrivacyBudget(3, 1e-5));
        for (var i = 0; i < 4; i++)
            ledger.Reserve("data", new GaussianEvent(8), "part").Commit();
        Assert.Equal(GaussianMechanism.Epsilon(4, 1e-5), ledger.Spent("data", 1e-5).Epsilon.Upper, 1e-6);
    }

    [Fact]
    public void A_reservation_is_spent_although_nobody_commits_it()
    {
        using (var ledger = PrivacyLedger.Open(LedgerPath))
        {
            ledger.SetBudget("data", new PrivacyBudget(1, 1e-5));
            ledger.Reserve("data", new GaussianEvent(5), "crashed afterwards");
        }

        using var again = PrivacyLedger.Open(LedgerPath);
        Assert.Equal(1, again.Spent("data", 1e-5).Events);
    }

    [Fact]
    public void What_was_begun_cannot_be_given_back()
    {
        using var ledger = PrivacyLedger.Open(LedgerPath);
        ledger.SetBudget("data", new PrivacyBudget(1, 1e-5));
        ledger.Reserve("data", new GaussianEvent(5), "nothing drawn yet").Release();
        Assert.Equal(0, ledger.Spent("data", 1e-5).Events);
        var begun = ledger.Reserve("data", new GaussianEvent(5), "drawn");
        begun.Begin();
        Assert.Throws<InvalidOperationException>(begun.Release);
        begun.Commit();
        Assert.Throws<InvalidOperationException>(begun.Commit);
    }

    [Theory]
    [InlineData("\"epsilon\":2", "\"epsilon\":9")]
    [InlineData("\"noiseMultiplier\":5", "\"noiseMultiplier\":50")]
    public void A_changed_line_is_noticed(string from, string to)
    {
        Fill();
        File.WriteAllText(LedgerPath, File.ReadAllText(LedgerPath).Replace(from, to, StringComparison.Ordinal));
        var failure = Assert.Throws<InvalidDataException>(() => PrivacyLedger.Open(LedgerPath));
        Assert.Contains("does not follow the line before", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_removed_line_is_noticed()
    {
        Fill();
        var lines = File.ReadAllLines(LedgerPath);
        File.WriteAllLines(LedgerPath, [.. lines[..1], .. lines[2..]]);
        Assert.Throws<InvalidDataException>(() => PrivacyLedger.Open(LedgerPath));
    }

    [Fact]
    public void A_ledger_that_shrinks_while_open_is_noticed()
    {
        using var ledger = PrivacyLedger.Open(LedgerPath);
        ledger.SetBudget("data", new PrivacyBudget(2, 1e-5));
        var early = File.ReadAllBytes(LedgerPath);
        ledger.Reserve("data", new GaussianEvent(5), "rolled back");
        File.WriteAllBytes(LedgerPath, early);
        Assert.Throws<InvalidDataException>(() => ledger.Reserve("data", new GaussianEvent(5), "again"));
    }

    [Fact]
    public void A_line_that_a_crash_left_half_written_is_dropped()
    {
        Fill();
        var whole = File.ReadAllText(LedgerPath);
        File.AppendAllText(LedgerPath, "{\"previous\":\"12");
        using var ledger = PrivacyLedger.Open(LedgerPath);
        Assert.Equal(3, ledger.Entries.Count);
        ledger.SetBudget("data", new PrivacyBudget(3, 1e-5));
        Assert.StartsWith(whole, File.ReadAllText(LedgerPath), StringComparison.Ordinal);
        using var again = PrivacyLedger.Open(LedgerPath);
        Assert.Equal(4, again.Entries.Count);
    }

    [Fact]
    public async Task Many_writers_on_one_file_never_exceed_the_budget()
    {
        using (var ledger = PrivacyLedger.Open(LedgerPath))
            ledger.SetBudget("data", new PrivacyBudget(GaussianMechanism.Epsilon(10 / Math.Sqrt(10), 1e-5) * 1.001, 1e-5));   // room for ten
        var granted = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            using var own = PrivacyLedger.Open(LedgerPath);   // as another process: its own file handles and state
            for (var i = 0; i < 4; i++)
            {
                try
                {
                    own.Reserve("data", new GaussianEvent(10), "race");
                    Interlocked.Increment(ref granted);
                }
                catch (PrivacyBudgetException)
                {
                    return;
                }
            }
        })));
        Assert.Equal(10, granted);
        using var after = PrivacyLedger.Open(LedgerPath);
        Assert.Equal(10, after.Spent("data", 1e-5).Events);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(-1)]
    [InlineData(double.PositiveInfinity)]
    public void A_budget_that_means_nothing_is_refused(double epsilon)
    {
        using var ledger = PrivacyLedger.Open(LedgerPath);
        Assert.Throws<ArgumentException>(() => ledger.SetBudget("data", new PrivacyBudget(epsilon, 1e-5)));
    }

    private void Fill()
    {
        using var ledger = PrivacyLedger.Open(LedgerPath);
        ledger.SetBudget("data", new PrivacyBudget(2, 1e-5));
        ledger.Reserve("data", new GaussianEvent(5), "first").Commit();
    }
}
