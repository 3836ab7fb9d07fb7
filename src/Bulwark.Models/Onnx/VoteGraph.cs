using Bulwark.Networks;

namespace Bulwark.Models.Onnx;

/// <summary>Writes networks with one logit each as one ONNX model that counts their votes: its score is the share of them that say positive.</summary>
/// <remarks>Made for certificates by votes: a runtime computes what was certified. It is no chain of layers and has no slope, so it is scored as it is.</remarks>
internal static class VoteGraph
{
    internal const string Producer = "bulwark votes";

    internal static GraphProto Write(FeatureEncoder encoder, IReadOnlyList<DenseNetwork<float>> members)
    {
        var builder = new GraphBuilder("votes");
        builder.Graph.Input.Add(GraphBuilder.Matrix(OnnxModel.InputName, encoder.Width));
        var encoded = new EncodingGraph(builder, OnnxModel.InputName).Write(encoder);
        var zero = builder.Floats("zero", [0f], 1);
        string[] votes = [.. members.Select((member, at) =>
        {
            var logit = DenseChain.WriteLogits(builder, member, encoded, $"member{at}.");
            builder.Node("Cast", $"member{at}.vote", ("to", GraphBuilder.FloatType), builder.Node("GreaterOrEqual", $"member{at}.says", logit, zero));
            return $"member{at}.vote";
        })];
        builder.Node("Concat", "votes", ("axis", 1), votes);
        builder.Node("ReduceMean", OnnxModel.OutputName, ("keepdims", 1), "votes");
        builder.Attribute("axes", [1]);
        builder.Graph.Output.Add(GraphBuilder.Matrix(OnnxModel.OutputName, 1));
        return builder.Graph;
    }
}
