using Bulwark.Models;
using Bulwark.Worker;

namespace Bulwark.Server;

/// <summary>An answer written anew: cut down to its decision, or with other scores.</summary>
internal static class DecisionOnly
{
    private static readonly OutputHardening s_label = new() { LabelOnly = true };

    /// <summary>The same answer with 1 for what was decided and 0 for the rest; null where the gateway cannot write it anew: it is signed, or another server's.</summary>
    internal static ServedAnswer? Of(ServedAnswer answer, IServedModel model, InferenceRequest request, AnswerForm form)
    {
        var scores = answer.Scores.ToArray();
        s_label.Apply(new float[request.RowCount], request.RowCount, scores);
        return With(scores, "decision-only", answer, model, request, form);
    }

    /// <summary>The same answer with other scores, recorded under another reason; null where the gateway cannot write it anew.</summary>
    internal static ServedAnswer? With(float[] scores, string reason, ServedAnswer answer, IServedModel model, InferenceRequest request, AnswerForm form)
    {
        if (answer.Signed is not null || model is not LocalModel local || scores.Length == 0)
            return null;
        var facts = local.Worker.Facts;
        var body = ScoreAnswer.Write(form, facts.Model.Name, facts.Model.Version, request.Id, scores, request.RowCount, facts.Insecure, out var headBytes);
        return answer with { Reason = reason, Body = body, HeadBytes = headBytes, Scores = scores };
    }
}
