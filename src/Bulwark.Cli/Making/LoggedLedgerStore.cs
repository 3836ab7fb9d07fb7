using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Privacy;

namespace Bulwark.Cli.Making;

/// <summary>A ledger's store whose every line becomes an entry of the workspace's transparency log before anybody is told that it was booked.</summary>
/// <remarks>
/// The line is durable in the ledger first, so the log never knows what the ledger does not; what a crash left between the two is logged with the
/// next line. One log knows one ledger: a store that does not hold the newest line that the log knows (removed, set back, replaced, another one) is refused.
/// </remarks>
internal sealed class LoggedLedgerStore(ILedgerStore store, Workspace workspace) : ILedgerStore
{
    private const int LargestBooking = 40_000;   // an entry holds 65,535 bytes, and its payload is in Base64
    private readonly KeyRing _keys = workspace.OpenKeys();
    private bool _checked;

    public string Name => store.Name;

    public ILedgerSession Open() => new Session(this, store.Open());

    public void Dispose()
    {
        store.Dispose();
        _keys.Dispose();
    }

    private LineageReader Reader()
    {
        var log = TransparencyLog.OpenAsync(workspace.LogDirectory, trustedKey: _keys.PublicKey(Workspace.LogKey)).GetAwaiter().GetResult();
        return new LineageReader(log, workspace.OpenIndex(log, _keys), LogCommand.SigningKeys(_keys));
    }

    private void Check(IReadOnlyList<byte[]> lines)
    {
        if (LedgerWitness.Newest(Reader()) is { } newest && !LedgerWitness.Holds(lines, newest))
            throw LedgerWitness.Refusal(Name, newest.Index, lines.Count == 0);
        _checked = true;
    }

    private void Log(IReadOnlyList<Statement> statements) => workspace.AppendAsync(_keys, statements).GetAwaiter().GetResult();

    private static Statement Statement(byte[] line, long place)
    {
        var booking = JsonSerializer.Deserialize<JsonElement>(line);
        return Lineage.Statement.Of($"privacy ledger, line {place + 1}", new Digest(SHA256.HashData(line)), new PrivacyBooked
        {
            Line = place,
            Kind = booking.GetProperty("kind").GetString()!,
            Dataset = booking.GetProperty("dataset").GetString()!,
            Time = booking.GetProperty("time").GetDateTimeOffset(),
            Booking = line.Length > LargestBooking ? null : booking,
        });
    }

    private sealed class Session(LoggedLedgerStore logged, ILedgerSession session) : ILedgerSession
    {
        public IReadOnlyList<byte[]> Read(long first)
        {
            if (!logged._checked)
                logged.Check(session.Read(0));
            return session.Read(first);
        }

        public void Append(IReadOnlyList<byte[]> lines)
        {
            var from = LedgerWitness.NewestBooking(logged.Reader()) is var (_, place) ? place + 1 : 0;
            byte[][] missing = [.. session.Read(from), .. lines];
            session.Append(lines);
            logged.Log([.. missing.Select((line, i) => Statement(line, from + i))]);
        }

        public void Dispose() => session.Dispose();
    }
}
