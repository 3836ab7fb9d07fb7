using Bulwark.Models.Onnx;
using Google.Protobuf;

namespace Bulwark.Assurance;

/// <summary>Writes a tree ensemble as an ONNX model that takes raw rows and answers with the probability of the positive class.</summary>
/// <remarks>Operator TreeEnsembleRegressor of ai.onnx.ml, version 1, and a logistic function. Values in single precision: <see cref="OnnxTrees"/> reads it back.</remarks>
internal static class TreeGraph
{
    private const int IrVersion = 8;
    private const int OperatorSet = 17;

    internal static byte[] Write(TreeEnsemble ensemble)
    {
        var node = new NodeProto { OpType = "TreeEnsembleRegressor", Domain = "ai.onnx.ml", Name = "trees", Input = { "features" }, Output = { "margin" } };
        var nodes = ensemble.Trees.SelectMany((tree, t) => tree.Select((one, at) => (Tree: (long)t, At: (long)at, Node: one))).ToList();
        var leaves = nodes.Where(one => one.Node.Feature < 0).ToList();
        Whole("nodes_treeids", nodes.Select(one => one.Tree));
        Whole("nodes_nodeids", nodes.Select(one => one.At));
        Whole("nodes_featureids", nodes.Select(one => (long)Math.Max(one.Node.Feature, 0)));
        Numbers("nodes_values", nodes.Select(one => one.Node.Threshold));
        Texts("nodes_modes", nodes.Select(one => one.Node.Feature < 0 ? "LEAF" : ensemble.LeftIncludesThreshold ? "BRANCH_LEQ" : "BRANCH_LT"));
        Whole("nodes_truenodeids", nodes.Select(one => (long)one.Node.Left));
        Whole("nodes_falsenodeids", nodes.Select(one => (long)one.Node.Right));
        Whole("nodes_missing_value_tracks_true", nodes.Select(one => one.Node.MissingLeft ? 1L : 0L));
        Whole("target_treeids", leaves.Select(one => one.Tree));
        Whole("target_nodeids", leaves.Select(one => one.At));
        Whole("target_ids", leaves.Select(_ => 0L));
        Numbers("target_weights", leaves.Select(one => (float)one.Node.Value));
        Numbers("base_values", [(float)ensemble.Start]);
        node.Attribute.Add(new AttributeProto { Name = "n_targets", Type = AttributeProto.Types.AttributeType.Int, I = 1 });
        var logistic = new NodeProto { OpType = "Sigmoid", Name = "probability", Input = { "margin" }, Output = { "score" } };   // regressors of ONNX Runtime pass post_transform by
        var model = new ModelProto
        {
            IrVersion = IrVersion,
            ProducerName = "bulwark trees",
            Graph = new GraphProto { Name = "trees", Node = { node, logistic }, Input = { GraphBuilder.Matrix("features", ensemble.Features) }, Output = { GraphBuilder.Matrix("score", 1) } },
        };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = OperatorSet });
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "ai.onnx.ml", Version = 1 });
        return model.ToByteArray();

        void Whole(string name, IEnumerable<long> values) => node.Attribute.Add(new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Ints, Ints = { values } });
        void Numbers(string name, IEnumerable<float> values) => node.Attribute.Add(new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Floats, Floats = { values } });
        void Texts(string name, IEnumerable<string> values) => node.Attribute.Add(new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Strings, Strings = { values.Select(ByteString.CopyFromUtf8) } });
    }
}
