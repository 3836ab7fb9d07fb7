using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>Follows someone's log: remembers the last checkpoint it verified, and checks that each newer one continues it, entry by entry.</summary>
/// <remarks>What contradicts the memory is kept as evidence: two notes that the log's key signed and that cannot both be true.</remarks>
public sealed class LogMonitor
{
    internal const int MaximumEvidence = 256;
    private readonly Func<ITileSource> _open;
    private readonly NoteKey _key;
    private readonly LogPolicy? _policy;
    private readonly string _folder;

    private LogMonitor(Func<ITileSource> open, NoteKey key, LogPolicy? policy, string folder)
    {
        (_open, _key, _policy, _folder) = (open, key, policy, Path.GetFullPath(folder));
        Directory.CreateDirectory(_folder);
    }

    /// <summary>Follows a log on a web server.</summary>
    /// <param name="prefix">Where its <c>checkpoint</c> and <c>tile</c> are.</param>
    /// <param name="key">The log's name and key, from someone who is believed.</param>
    /// <param name="folder">The monitor's memory; made when absent.</param>
    /// <param name="http">Reads; stays the caller's.</param>
    /// <param name="policy">Which witnesses must have cosigned; null asks for none.</param>
    public static LogMonitor OfServer(Uri prefix, NoteKey key, string folder, HttpClient http, LogPolicy? policy = null) => new(() => new HttpTiles(http, prefix), key, policy, folder);

    /// <summary>Follows a log in a folder.</summary>
    /// <param name="directory">The log's folder.</param>
    /// <param name="key">The log's name and key, from someone who is believed.</param>
    /// <param name="folder">The monitor's memory; made when absent.</param>
    /// <param name="policy">Which witnesses must have cosigned; null asks for none.</param>
    public static LogMonitor OfFolder(string directory, NoteKey key, string folder, LogPolicy? policy = null) => new(() => new TileStore(directory), key, policy, folder);

    /// <summary>The last checkpoint that was verified; null before the first.</summary>
    /// <exception cref="InvalidDataException">The memory is damaged.</exception>
    public Checkpoint? Remembered
    {
        get
        {
            var path = Path.Combine(_folder, "checkpoint");
            if (!File.Exists(path))
                return null;
            try
            {
                var checkpoint = Checkpoint.Parse(File.ReadAllBytes(path));
                if (checkpoint.Origin == _key.Name && checkpoint.IsSignedBy(_key.Key))
                    return checkpoint;
            }
            catch (FormatException)
            {
                // Answered below.
            }

            throw new InvalidDataException($"{path} is no checkpoint of {_key.Name}: this monitor's memory is damaged or another log's.");
        }
    }

    /// <summary>Looks once: what is new is verified and remembered; anything else is named.</summary>
    /// <param name="progress">Told the fraction done, 0 to 1.</param>
    /// <param name="cancel">Ends the work.</param>
    /// <exception cref="IOException">The log cannot be reached: nothing can be said of it.</exception>
    public Task<MonitorReport> LookAsync(IProgress<double>? progress = null, CancellationToken cancel = default) => Task.Run(() => Look(progress, cancel), cancel);

    /// <summary>Holds a checkpoint that someone else was shown against the memory and the log: the two must be of one history.</summary>
    /// <param name="elsewhere">A signed checkpoint, from a witness, a proof or another reader.</param>
    /// <param name="cancel">Ends the work.</param>
    public Task<MonitorReport> CompareAsync(Checkpoint elsewhere, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(elsewhere);
        return Task.Run(() => Compare(elsewhere), cancel);
    }

    private MonitorReport Look(IProgress<double>? progress, CancellationToken cancel)
    {
        var remembered = Remembered;
        var tiles = _open();
        Checkpoint checkpoint;
        try
        {
            checkpoint = Checkpoint.Parse(tiles.ReadCheckpoint());
        }
        catch (FormatException failure)
        {
            return Report(LogVerdict.Malformed, remembered, null, $"The checkpoint at {tiles.Place} is none: {failure.Message}");
        }

        if (checkpoint.Origin != _key.Name || !checkpoint.IsSignedBy(_key.Key))
            return Report(LogVerdict.WrongSignature, remembered, checkpoint, $"The checkpoint at {tiles.Place} is not signed by {_key}.");
        if (TransparencyLog.Grown(tiles, remembered ?? Nothing(checkpoint), checkpoint) is { } broken)
            return Report(broken.Verdict, remembered, checkpoint, broken.Detail, KeepEvidence(remembered, checkpoint));
        if (TransparencyLog.VerifyGrowth(tiles, remembered ?? Nothing(checkpoint), checkpoint, progress, cancel) is { Verdict: not LogVerdict.Verified } fault)
            return Report(fault.Verdict, remembered, checkpoint, fault.Detail, KeepEvidence(remembered, checkpoint));
        if (_policy?.Judge(checkpoint) is { Verdict: not LogVerdict.Verified } quorum)
            return Report(quorum.Verdict, remembered, checkpoint, quorum.Detail);   // last: a fork that no witness signed is a fork first of all
        AtomicFile.Write(Path.Combine(_folder, "checkpoint"), Encoding.UTF8.GetBytes(checkpoint.Note!.Note));
        return Report(LogVerdict.Verified, remembered, checkpoint, remembered is null
            ? $"{checkpoint.Size} entries give the root that {checkpoint.Origin} signs; remembered from now on."
            : $"{checkpoint.Size - remembered.Size} new entries continue the {remembered.Size} that were verified before.");
    }

    private MonitorReport Compare(Checkpoint elsewhere)
    {
        if (elsewhere.Origin != _key.Name || !elsewhere.IsSignedBy(_key.Key))
            return Report(LogVerdict.WrongSignature, Remembered, elsewhere, $"The other checkpoint is not signed by {_key}: it says nothing of this log.");
        if (Remembered is not { } remembered)
            return Report(LogVerdict.Unverified, null, elsewhere, "There is nothing to compare with: look at the log first.");
        var (older, newer) = elsewhere.Size <= remembered.Size ? (elsewhere, remembered) : (remembered, elsewhere);
        if (older.Size == newer.Size && older.Root != newer.Root)
            return Report(LogVerdict.SplitView, remembered, elsewhere, $"Split view: {_key.Name} signed two trees of {older.Size} entries, {older.Root} and {newer.Root}.", KeepEvidence(remembered, elsewhere));
        if (older.Size == newer.Size)
            return Report(LogVerdict.Verified, remembered, elsewhere, $"The same tree of {older.Size} entries.");
        var tiles = _open();
        Checkpoint shown;
        try
        {
            shown = Checkpoint.Parse(tiles.ReadCheckpoint());
        }
        catch (FormatException failure)
        {
            return Report(LogVerdict.Malformed, remembered, elsewhere, $"The checkpoint at {tiles.Place} is none: {failure.Message}");
        }

        if (shown.Origin != _key.Name || !shown.IsSignedBy(_key.Key))
            return Report(LogVerdict.WrongSignature, remembered, elsewhere, $"The checkpoint at {tiles.Place} is not signed by {_key}.");
        if (shown.Size < newer.Size)
            return Report(LogVerdict.NotAppendOnly, remembered, elsewhere, $"The log shows {shown.Size} entries here, and elsewhere signed {newer.Size}: it is stale, rolled back or split.", KeepEvidence(remembered, elsewhere));
        if (TransparencyLog.Grown(tiles, remembered, shown) is { } forgotten)
            return Report(forgotten.Verdict, remembered, shown, $"What the log shows here does not begin with the {remembered.Size} entries that were verified before ({forgotten.Detail})", KeepEvidence(remembered, shown));
        return TransparencyLog.Grown(tiles, elsewhere, shown) is { } broken
            ? Report(LogVerdict.SplitView, remembered, elsewhere, $"Split view: what the log shows here does not begin with the {elsewhere.Size} entries that it signed elsewhere ({broken.Detail})", KeepEvidence(remembered, elsewhere))
            : Report(LogVerdict.Verified, remembered, elsewhere, $"The {elsewhere.Size} entries that were shown elsewhere stand in the log as it is here.");
    }

    private static Checkpoint Nothing(Checkpoint of) => new(of.Origin, 0, MerkleTree.EmptyRoot);

    private string? KeepEvidence(Checkpoint? remembered, Checkpoint found)
    {
        if (remembered is null)
            return null;
        var path = Path.Combine(_folder, $"evidence-{remembered.Size}-{found.Size}-{found.Root.ToHex()[..16]}.txt");
        if (File.Exists(path))
            return path;
        if (Directory.EnumerateFiles(_folder, "evidence-*.txt").Take(MaximumEvidence).Count() == MaximumEvidence)
            return null;   // the first ones prove as much, and a server must not fill a disk
        AtomicFile.Write(path, Encoding.UTF8.GetBytes($"{remembered.Note!.Note}\n{found.Note!.Note}"));
        return path;
    }

    private MonitorReport Report(LogVerdict verdict, Checkpoint? remembered, Checkpoint? found, string detail, string? evidence = null) =>
        new(verdict, _key.Name, remembered?.Size, found?.Size, detail, evidence);
}

/// <summary>What a monitor found.</summary>
/// <param name="Verdict">The answer.</param>
/// <param name="Origin">The log.</param>
/// <param name="Remembered">Entries verified before; null at the first look.</param>
/// <param name="Size">Entries of the checkpoint that was judged; null when there was none.</param>
/// <param name="Detail">One sentence; names what was found.</param>
/// <param name="Evidence">A file with both signed notes, when they contradict one another.</param>
public sealed record MonitorReport(LogVerdict Verdict, string Origin, long? Remembered, long? Size, string Detail, string? Evidence);
