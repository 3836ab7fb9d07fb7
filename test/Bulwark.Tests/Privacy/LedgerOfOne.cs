using Bulwark.Privacy;

namespace Bulwark.Tests.Privacy;

/// <summary>A ledger in a folder of one test's own, with a budget of ε = 1 for the data set "data".</summary>
public abstract class LedgerOfOne : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    protected LedgerOfOne()
    {
        Ledger = PrivacyLedger.Open(_folder["ledger.jsonl"]);
        Ledger.SetBudget("data", new PrivacyBudget(1, 1e-5));
    }

    protected PrivacyLedger Ledger { get; }

    public void Dispose()
    {
        Ledger.Dispose();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }
}
