using Bulwark.Cryptography;
using Bulwark.Monitoring;
using Bulwark.Worker;

namespace Bulwark.Server;

/// <summary>The model that the worker opened.</summary>
internal sealed class LocalModel(IScoringWorker worker, int maximumRows) : IServedModel
{
    /// <summary>The worker, for requests that only it can read.</summary>
    internal IScoringWorker Worker => worker;

    public ModelSignature Signature { get; } = ModelSignature.OfRows(worker.Facts.Model.Name, worker.Facts.Model.Version, worker.Facts.Model.Width, worker.Facts.Model.Classes, maximumRows);

    public Digest Digest => worker.Facts.Model.Package;

    public string Attestation => worker.Facts.Insecure ? "simulated" : "hardware";

    public bool IsReady => worker.IsReady;

    public async ValueTask<ServedAnswer> AnswerAsync(InferenceRequest request, AnswerAsked asked, CancellationToken cancel)
    {
        try
        {
            var answer = await worker.AnswerAsync(new WorkerRequest(asked.Body, request.Inputs[0].ToFloats(), request.RowCount, request.Id, asked.Policy) { Form = asked.Form, Sign = asked.Receipt }, cancel);
            var signed = asked.Receipt ? new SignedAnswer(answer.Envelope, answer.Salt) : null;
            return answer.Verdict.IsAccepted
                ? new(StatusCodes.Status200OK, "scored", answer.Verdict.Reason, answer.Body, answer.HeadBytes, signed, answer.Scores)
                : new(StatusCodes.Status422UnprocessableEntity, "screened", answer.Verdict.Reason, answer.Body, Signed: signed);
        }
        catch (IOException failure)
        {
            return ServedAnswer.Of("refused", Why(failure));
        }
    }

    /// <summary>The answer when the worker holds no key, or its process is gone.</summary>
    internal static Refusal Why(IOException failure) => failure is LeaseEndedException
        ? new(StatusCodes.Status503ServiceUnavailable, "lease-ended", failure.Message)
        : new(StatusCodes.Status503ServiceUnavailable, "worker-unavailable", "The worker is gone; a new one is being started. Try again later.");

    public ValueTask DisposeAsync() => worker.DisposeAsync();

    /// <summary>Which row and which feature or relation, and why; never the value.</summary>
    internal static Refusal Screened(ScreenVerdict verdict, int row, InputScreen screen) =>
        new(StatusCodes.Status422UnprocessableEntity, verdict.Reason, screen.NameOf(verdict) is { Length: > 0 } name ? $"row {row}, {name}" : $"row {row}");
}
