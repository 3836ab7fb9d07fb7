namespace Bulwark.Lineage;

public sealed partial class TransparencyLog
{
    /// <summary>Derives everything again from the entries on the disk: leaf hashes, every tile, the root, the signature.</summary>
    /// <param name="seenBefore">A checkpoint from earlier or from elsewhere that the log must still begin with; null when there is none.</param>
    /// <param name="progress">Told the fraction done, 0 to 1.</param>
    /// <param name="cancel">Ends the work.</param>
    public Task<LogReport> VerifyAsync(Checkpoint? seenBefore = null, IProgress<double>? progress = null, CancellationToken cancel = default) =>
        Task.Run(() => Verify(seenBefore, progress, cancel), cancel);

    /// <summary>As <see cref="VerifyAsync"/>, only the answer.</summary>
    public LogVerdict Fsck() => Verify(null, null, CancellationToken.None).Verdict;

    private LogReport Verify(Checkpoint? seenBefore, IProgress<double>? progress, CancellationToken cancel)
    {
        Checkpoint checkpoint;
        try
        {
            checkpoint = Checkpoint.Parse(File.ReadAllBytes(_store.CheckpointPath));
        }
        catch (Exception failure) when (failure is FormatException or IOException)
        {
            return new LogReport(LogVerdict.Malformed, 0, $"The checkpoint cannot be read: {failure.Message}");
        }

        LogReport Found(LogVerdict verdict, string detail) => new(verdict, checkpoint.Size, detail);
        if (!checkpoint.IsSignedBy(Key))
            return Found(LogVerdict.WrongSignature, $"The checkpoint is not signed by {Key} under the name {checkpoint.Origin}.");
        var rebuilt = new LogRebuild(_store, checkpoint.Size);
        if (rebuilt.Run(progress, cancel) is { } fault)
            return fault with { Size = checkpoint.Size };
        if (rebuilt.Root != checkpoint.Root)
            return Found(LogVerdict.RootDiffers, $"The {checkpoint.Size} entries give the root {rebuilt.Root}; the checkpoint signs {checkpoint.Root}.");
        foreach (var earlier in new[] { Checkpoint, seenBefore })
        {
            if (earlier is not null && !BeginsWith(earlier, checkpoint))
                return Found(LogVerdict.NotAppendOnly, $"The log does not begin with the {earlier.Size} entries that an earlier checkpoint of {earlier.Origin} signs: rolled back or forked.");
        }

        return Found(LogVerdict.Verified, $"{checkpoint.Size} entries give the root that {checkpoint.Origin} signs.");
    }

    private bool BeginsWith(Checkpoint earlier, Checkpoint checkpoint) =>
        earlier.Origin == checkpoint.Origin && earlier.Size <= checkpoint.Size && Prover(checkpoint.Size).Root(0, earlier.Size) == earlier.Root;
}
