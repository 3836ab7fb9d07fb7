using Bulwark.Privacy;

namespace Bulwark.Fuzz.Targets;

/// <summary>A ledger's file: refused, or a beginning of the true one; never one that has spent less with the same lines.</summary>
internal sealed class PrivacyLedgerTarget : IFuzzTarget
{
    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("bulwark-fuzz-").FullName, "ledger.jsonl");
    private byte[] _true = [];

    public string Name => "privacy-ledger";

    public IEnumerable<byte[]> Seeds()
    {
        File.Delete(_path);
        using (var ledger = PrivacyLedger.Open(_path))
        {
            ledger.SetBudget("data", new PrivacyBudget(5, 1e-5));
            ledger.SetBudget("data", new PrivacyBudget(2, 1e-5), group: "minors");
            ledger.Reserve("data", new GaussianEvent(5), "first").Commit();
            ledger.Reserve("data", PrivacyEvent.DpSgd(0.01, 1, 10), "second", groups: []);
        }

        _true = File.ReadAllBytes(_path);
        yield return _true;
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        File.WriteAllBytes(_path, input);
        using var ledger = PrivacyLedger.Open(_path);
        var entries = ledger.Entries.Count;
        // The chain cannot show a changed last line: the transparency log keeps its head for that.
        var whole = _true.AsSpan().CommonPrefixLength(input);
        if (entries > 1 + _true.AsSpan(0, whole).Count((byte)'\n'))
            throw new InvalidOperationException("A changed line before the last was accepted.");
    }

    public bool IsRefusal(Exception failure) => failure is InvalidDataException;
}
