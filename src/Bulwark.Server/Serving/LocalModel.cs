using Bulwark.Cryptography;
using Bulwark.Monitoring;
using Bulwark.Worker;

namespace Bulwark.Server;

/// <summary>The model that the worker opened.</summary>
internal sealed class LocalModel(ScoringWorker worker, int maximumRows) : IServedModel
{
    public ModelSignature Signature { get; } = ModelSignature.OfRows(worker.Model.Name, worker.Model.Version, worker.Model.Width, worker.Model.Classes, maximumRows);

    public Digest Digest => worker.Model.Package;

    public string Attestation { get; } = worker.Insecure ? "simulated" : "hardware";

    public bool IsReady => true;

    public ValueTask<ServedAnswer> AnswerAsync(InferenceRequest request, AnswerAsked asked, CancellationToken cancel) =>
        ValueTask.FromResult(asked.Receipt ? Signed(request, asked) : Unsigned(request, asked.Form));

    public ValueTask DisposeAsync()
    {
        worker.Dispose();
        return ValueTask.CompletedTask;
    }

    private ServedAnswer Signed(InferenceRequest request, AnswerAsked asked)
    {
        var answer = worker.Answer(new(asked.Body, request.Inputs[0].ToFloats(), request.RowCount, request.Id, asked.Policy) { Form = asked.Form });
        return answer.Verdict.IsAccepted
            ? new(StatusCodes.Status200OK, "scored", answer.Verdict.Reason, answer.Body, answer.HeadBytes, new(answer.Envelope, answer.Salt), answer.Scores)
            : new(StatusCodes.Status422UnprocessableEntity, "screened", answer.Verdict.Reason, answer.Body, Signed: new(answer.Envelope, answer.Salt));
    }

    /// <summary>Without a receipt the worker signs nothing, so nothing of the answer is logged.</summary>
    private ServedAnswer Unsigned(InferenceRequest request, AnswerForm form)
    {
        var model = worker.Model;
        var scores = new float[request.RowCount * model.Classes];
        var (verdict, row) = model.Score(request.Inputs[0].ToFloats(), request.RowCount, scores);
        if (!verdict.IsAccepted)
            return ServedAnswer.Of("screened", Screened(verdict, row, model.Screen));
        var body = ScoreAnswer.Write(form, model.Name, model.Version, request.Id, scores, request.RowCount, worker.Insecure, out var headBytes);
        return new(StatusCodes.Status200OK, "scored", verdict.Reason, body, headBytes, Scores: scores);
    }

    /// <summary>Which row and which feature, and why; never the value.</summary>
    internal static Refusal Screened(ScreenVerdict verdict, int row, InputScreen screen) =>
        new(StatusCodes.Status422UnprocessableEntity, verdict.Reason, verdict.Field >= 0 ? $"row {row}, feature {screen.Fields[verdict.Field].Name}" : $"row {row}");
}
