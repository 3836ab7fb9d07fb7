using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

public sealed partial class TransparencyLog
{
    /// <summary>The last checkpoint of this log that was put in place with cosignatures; null when there is none. Says nothing of how many: a <see cref="LogPolicy"/> does.</summary>
    public Checkpoint? Witnessed
    {
        get
        {
            if (_files is null || !File.Exists(_files.WitnessedPath))
                return null;
            try
            {
                var checkpoint = Checkpoint.Parse(File.ReadAllBytes(_files.WitnessedPath));
                return checkpoint.IsSignedBy(Key) && checkpoint.Origin == Checkpoint.Origin && checkpoint.Size <= Size ? checkpoint : null;
            }
            catch (FormatException)
            {
                return null;
            }
        }
    }

    /// <summary>Puts cosignatures in place: beneath the published checkpoint while it is still that one, and as the last witnessed one.</summary>
    /// <param name="cosigned">A checkpoint of this log with more signatures; its body must be one that the log signed.</param>
    /// <param name="witnesses">Whose signatures are taken over; all others are left away.</param>
    /// <param name="cancel">Ends the wait for the log's lock.</param>
    /// <exception cref="ArgumentException">The checkpoint is not this log's.</exception>
    public Task AddCosignaturesAsync(Checkpoint cosigned, IReadOnlyCollection<NoteKey> witnesses, CancellationToken cancel = default) =>
        AddCosignaturesAsync(cosigned, witnesses, asWitnessed: true, cancel);

    /// <summary>As the public one; what has too few cosignatures is not put in place as the last witnessed one.</summary>
    internal async Task AddCosignaturesAsync(Checkpoint cosigned, IReadOnlyCollection<NoteKey> witnesses, bool asWitnessed, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(cosigned);
        if (_files is null)
            throw new InvalidOperationException("Cosignatures are put in place in a folder.");
        if (cosigned.Note is null || cosigned.Origin != Checkpoint.Origin || !cosigned.IsSignedBy(Key))
            throw new ArgumentException("The checkpoint is not signed by this log.", nameof(cosigned));
        using var held = await FileLock.AcquireAsync(_files.RenderLockPath, cancel: cancel).ConfigureAwait(false);
        var published = ReadCheckpoint(_files, Key);
        if (published.Note!.Text == cosigned.Note.Text)
        {
            var joined = published.Note.Joined(cosigned.Note, witnesses);
            AtomicFile.Write(_files.CheckpointPath, Encoding.UTF8.GetBytes(joined.Note));
            lock (_gate)
                _checkpoint = published with { Note = joined };
        }

        if (!asWitnessed)
            return;
        var last = Witnessed;
        if (last is null || last.Size <= cosigned.Size)
            AtomicFile.Write(_files.WitnessedPath, Encoding.UTF8.GetBytes((last?.Note!.Text == cosigned.Note.Text ? last.Note.Joined(cosigned.Note, witnesses) : cosigned.Note).Note));
    }
}
