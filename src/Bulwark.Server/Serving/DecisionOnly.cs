using Bulwark.Models;
using Bulwark.Worker;

namespace Bulwark.Server;

/// <summary>An answer cut down to its decision.</summary>
internal static class DecisionOnly
{
    private static readonly OutputHardening s_label = new() { LabelOnly = true };

    /// <summary>The same answer with 1 for what was decided and 0 for the rest; null where the gateway cannot write it anew: it is signed, or another server's.</summary>
    internal static ServedAnswer? Of(ServedAnswer answer, IServedModel model, InferenceRequest request, AnswerForm form)
    {
        if (answer.Signed is not null || model is not LocalModel local || answer.Scores.Length == 0)
            return null;
        var scores = answer.Scores.ToArray();
        s_label.Apply(new float[request.RowCount], request.RowCount, scores);
        var facts = local.Worker.Facts;
        var body = ScoreAnswer.Write(form, facts.Model.Name, facts.Model.Version, request.Id, scores, request.RowCount, facts.Insecure, out var headBytes);
        return answer with { Body = body, HeadBytes = headBytes, Scores = scores };
    }
}
