using System.Globalization;
using System.Net;
using System.Text;

namespace Bulwark.Lineage;

/// <summary>What became of asking a witness.</summary>
public enum WitnessOutcome
{
    /// <summary>Nothing was asked.</summary>
    None = 0,

    /// <summary>It cosigned.</summary>
    Cosigned,

    /// <summary>It could not be reached, or answered something that is no answer.</summary>
    Unreachable,

    /// <summary>It refused: it does not know the log or its key.</summary>
    Refused,

    /// <summary>It holds a larger tree of this log: the log here was rolled back, or someone else writes under its key.</summary>
    Ahead,

    /// <summary>It holds another tree of this log: two trees were signed.</summary>
    Contradicts,
}

/// <summary>What a witness said of one checkpoint.</summary>
/// <param name="Witness">Who.</param>
/// <param name="Outcome">What.</param>
/// <param name="Cosigned">The checkpoint with its cosignature; null unless it cosigned.</param>
/// <param name="Detail">One sentence.</param>
public sealed record WitnessReply(NoteKey Witness, WitnessOutcome Outcome, Checkpoint? Cosigned, string Detail);

/// <summary>The log's side of <c>add-checkpoint</c>: submits a checkpoint with its consistency proof and takes the cosignature.</summary>
/// <remarks>Source: C2SP tlog-witness.</remarks>
/// <param name="http">Sends; stays the caller's.</param>
/// <param name="prefix">The witness's submission prefix.</param>
/// <param name="witness">Whose cosignature is taken; all others are ignored.</param>
public sealed class WitnessClient(HttpClient http, Uri prefix, NoteKey witness)
{
    private const int MaximumAnswerBytes = 64 << 10, Attempts = 4;
    private long _known;

    /// <summary>Who is asked.</summary>
    public NoteKey Witness { get; } = witness;

    /// <summary>Submits a checkpoint of <paramref name="log"/>.</summary>
    public async Task<WitnessReply> SubmitAsync(TransparencyLog log, Checkpoint checkpoint, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(log);
        ArgumentNullException.ThrowIfNull(checkpoint);
        try
        {
            for (var attempt = 0; attempt < Attempts; attempt++)
            {
                var old = Math.Min(_known, checkpoint.Size);
                var (status, type, body) = await PostAsync(Request(log, checkpoint, old), cancel).ConfigureAwait(false);
                if (status != HttpStatusCode.Conflict || type != Lineage.Witness.SizeContentType)
                    return Judge(checkpoint, status, body);
                if (!long.TryParse(body.AsSpan().TrimEnd('\n'), NumberStyles.None, CultureInfo.InvariantCulture, out var size))
                    return Reply(WitnessOutcome.Unreachable, "It answered 409 with something that is no size.");
                if (size > checkpoint.Size)
                    return Reply(WitnessOutcome.Ahead, $"It has cosigned {size} entries of {checkpoint.Origin}; this checkpoint has {checkpoint.Size}. This log was rolled back, or another one writes under its key.");
                if (size == old)
                    return Reply(WitnessOutcome.Contradicts, $"It has cosigned another tree of {size} entries of {checkpoint.Origin}.");
                _known = size;
            }

            return Reply(WitnessOutcome.Unreachable, "Its size changed with every attempt: another writer submits at the same time.");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return Reply(WitnessOutcome.Unreachable, $"It cannot be reached at {prefix}: {failure.Message}");
        }
    }

    private static string Request(TransparencyLog log, Checkpoint checkpoint, long old)
    {
        var body = new StringBuilder().Append(CultureInfo.InvariantCulture, $"old {old}\n");
        if (old > 0 && old < checkpoint.Size)
        {
            foreach (var hash in log.ProveConsistency(old, checkpoint.Size).Hashes)
                body.Append(Convert.ToBase64String(hash.Bytes)).Append('\n');
        }

        return body.Append('\n').Append(checkpoint.Note!.Note).ToString();
    }

    private async Task<(HttpStatusCode Status, string? Type, string Body)> PostAsync(string body, CancellationToken cancel)
    {
        var address = new Uri(prefix.ToString().TrimEnd('/') + "/add-checkpoint");
        using var content = new StringContent(body, Encoding.UTF8, "text/plain");
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = content };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel).ConfigureAwait(false);
        using var stream = await response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        var answer = new byte[MaximumAnswerBytes];
        var read = await stream.ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false);
        return (response.StatusCode, response.Content.Headers.ContentType?.MediaType, Encoding.UTF8.GetString(answer, 0, read));
    }

    private WitnessReply Judge(Checkpoint checkpoint, HttpStatusCode status, string body)
    {
        switch (status)
        {
            case HttpStatusCode.OK:
                return Take(checkpoint, body);
            case HttpStatusCode.UnprocessableEntity:
                return Reply(WitnessOutcome.Contradicts, $"It says that this checkpoint does not follow from the one it cosigned at {Math.Min(_known, checkpoint.Size)} entries: the log was forked or damaged.");
            case HttpStatusCode.NotFound:
                return Reply(WitnessOutcome.Refused, $"It does not know the log {checkpoint.Origin}: give it the log's vkey.");
            case HttpStatusCode.Forbidden:
                return Reply(WitnessOutcome.Refused, $"It knows the log {checkpoint.Origin} by another key.");
            default:
                return Reply(WitnessOutcome.Unreachable, $"It answered {(int)status}: {body.Trim()}");
        }
    }

    private WitnessReply Take(Checkpoint checkpoint, string body)
    {
        try
        {
            var cosigned = checkpoint.Note!.Joined(SignedNote.Parse($"{checkpoint.Body}\n{body}"), [Witness]);
            if (cosigned.CosignedAt(Witness) is null)
                return Reply(WitnessOutcome.Unreachable, $"It answered 200 without a right cosignature by {Witness}.");
            _known = checkpoint.Size;
            return new WitnessReply(Witness, WitnessOutcome.Cosigned, checkpoint with { Note = cosigned }, $"{Witness.Name} cosigned {checkpoint.Size} entries.");
        }
        catch (FormatException failure)
        {
            return Reply(WitnessOutcome.Unreachable, $"It answered 200 with something that is no cosignature: {failure.Message}");
        }
    }

    private WitnessReply Reply(WitnessOutcome outcome, string detail) => new(Witness, outcome, null, detail);
}
