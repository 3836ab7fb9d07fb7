using System.Globalization;
using Bulwark.Models.Onnx;
using Google.Protobuf;

namespace Bulwark.Models;

/// <summary>A model that says less of itself.</summary>
/// <param name="Onnx">The new file.</param>
/// <param name="Renamed">Names that were replaced: of values, nodes, features and categories.</param>
/// <param name="Removed">Descriptions, metadata entries and recorded shapes that were taken out.</param>
/// <param name="Folded">Constants that were nodes and are now plain tensors.</param>
/// <param name="MovedUnits">Hidden units that were reordered and rescaled.</param>
public sealed record ObfuscatedModel(byte[] Onnx, int Renamed, int Removed, int Folded, int MovedUnits);

/// <summary>Takes out of a model what its scores do not need: names, descriptions, and the order in which training left its hidden units.</summary>
/// <remarks>
/// This slows a reader down and is no control: whoever can run the model can copy it, and whoever has the weights has the model. Seal it.
/// The new model computes the same function; only the order of sums in dense layers changes. Compare with <see cref="ModelEquality"/>.
/// </remarks>
public static class ModelObfuscation
{
    /// <summary>The same model with less to read.</summary>
    /// <param name="onnx">An ONNX model, weights inside. A model of Bulwark's keeps its encoder and its screenable schema, with features f0, f1 …</param>
    /// <exception cref="InvalidDataException">The bytes are no ONNX model, or the model contradicts itself.</exception>
    public static ObfuscatedModel Obfuscate(ReadOnlySpan<byte> onnx)
    {
        var model = OnnxFile.Parse(onnx);
        return OnnxFile.SchemaOf(model) is not null && ImportOwn(onnx) is { } own ? Own(own.Schema!, own.Network) : Foreign(model);
    }

    private static ImportedModel? ImportOwn(ReadOnlySpan<byte> onnx)
    {
        try
        {
            return OnnxModel.Import(onnx);
        }
        catch (NotSupportedException)
        {
            return null;
        }
    }

    private static ObfuscatedModel Own(FeatureSchema schema, Networks.DenseNetwork<float> network)
    {
        var moved = 0;
        for (var layer = 0; layer < network.Shape.Layers - 1; layer++)
        {
            var (order, factors) = HiddenUnits.Draw(network.Shape.LayerOutputs(layer));
            HiddenUnits.Move(network.Weights(layer), network.Biases(layer), network.Weights(layer + 1), order, factors);
            moved += order.Length;
        }

        var nameless = schema with
        {
            Label = "label",
            PositiveLabel = "1",
            NegativeLabel = "0",
            Features = [.. schema.Features.Select((feature, index) => feature with { Name = $"f{index}", Categories = [.. feature.Categories.Select((_, category) => category.ToString(CultureInfo.InvariantCulture))] })],
        };
        return new(OnnxModel.Export(nameless, network), schema.Features.Sum(feature => 1 + feature.Categories.Count) + 1, 0, 0, moved);
    }

    private static ObfuscatedModel Foreign(ModelProto model)
    {
        var removed = model.MetadataProps.Count(entry => entry.Key != OnnxModel.SchemaEntry) + Strip(model);
        var folded = Fold(model.Graph);
        var moved = HiddenUnits.Move(model.Graph);
        var names = new ValueNames(model.Graph);
        names.Rename(model.Graph);
        return new(model.ToByteArray(), names.Count, removed + names.Removed, folded, moved);
    }

    /// <summary>Who made the model and what it says of itself; a schema stays, for requests are screened by it.</summary>
    private static int Strip(ModelProto model)
    {
        var before = model.CalculateSize();
        foreach (var entry in model.MetadataProps.Where(entry => entry.Key != OnnxModel.SchemaEntry).ToList())
            model.MetadataProps.Remove(entry);
        (model.ProducerName, model.ProducerVersion, model.Domain, model.DocString) = ("", "", "", "");
        model.Graph.Name = "g";
        return model.CalculateSize() == before ? 0 : 1;
    }

    /// <summary>A Constant node holds a tensor like any other.</summary>
    private static int Fold(GraphProto graph)
    {
        var constants = graph.Node.Where(node => node is { OpType: "Constant", Domain: "" or "ai.onnx", Output.Count: 1 } && node.Attribute is [{ Name: "value", T: not null }]).ToList();
        foreach (var node in constants)
        {
            var tensor = node.Attribute[0].T;
            tensor.Name = node.Output[0];
            graph.Initializer.Add(tensor);
            graph.Node.Remove(node);
        }

        return constants.Count;
    }
}
