using Bulwark.Models.Onnx;
using Bulwark.Networks;
using Google.Protobuf;

namespace Bulwark.Models;

/// <summary>A network and what it takes, read from an ONNX file.</summary>
/// <param name="Schema">The schema inside the file, or null: then the network takes raw rows as they are.</param>
/// <param name="Network">The network; it takes encoded rows of <paramref name="Schema"/>.</param>
public sealed record ImportedModel(FeatureSchema? Schema, DenseNetwork<float> Network);

/// <summary>Writes networks as ONNX files that any runtime scores, and reads such files back.</summary>
/// <remarks>
/// The graph takes raw rows and holds the preprocessing: input <c>features</c>, float (N, width); output <c>score</c>, float (N, 1) with the
/// probability of the positive label, or (N, K) with those of K classes. Opset 17 of the default domain only. The schema's JSON is the
/// metadata entry <c>bulwark.schema</c>. Values that a Bulwark graph computes equal <see cref="FeatureEncoder"/> and the network up to rounding.
/// </remarks>
public static class OnnxModel
{
    /// <summary>Name of the metadata entry that holds the schema.</summary>
    public const string SchemaEntry = "bulwark.schema";

    internal const string InputName = "features";
    internal const string OutputName = "score";
    private const string Producer = "Bulwark";
    private const long OperatorSet = 17;
    private const long IrVersion = 8;

    /// <summary>The ONNX file of <paramref name="network"/> behind the encoder of <paramref name="schema"/>; the same inputs give the same bytes.</summary>
    /// <exception cref="ArgumentException">The schema has faults, or does not encode to the network's inputs.</exception>
    public static byte[] Export(FeatureSchema schema, DenseNetwork<float> network)
    {
        ArgumentNullException.ThrowIfNull(network);
        var encoder = new FeatureEncoder(schema);
        if (network.Shape.Convolutions is not null)
            throw new ArgumentException("A network with convolutions takes images: export it without a schema.", nameof(network));
        if (encoder.EncodedWidth != network.Shape.Inputs)
            throw new ArgumentException($"The schema encodes to {encoder.EncodedWidth} columns, the network takes {network.Shape.Inputs}.", nameof(network));
        var model = new ModelProto { IrVersion = IrVersion, ProducerName = Producer, Graph = Graph(encoder, network) };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = OperatorSet });
        model.MetadataProps.Add(new StringStringEntryProto { Key = SchemaEntry, Value = schema.ToJson() });
        return model.ToByteArray();
    }

    /// <summary>The ONNX file of a network that takes encoded rows or flat images (channel, row, column) as they are: no schema, no preprocessing.</summary>
    /// <param name="network">The network.</param>
    public static byte[] Export(DenseNetwork<float> network)
    {
        ArgumentNullException.ThrowIfNull(network);
        var builder = new GraphBuilder("bulwark");
        builder.Graph.Input.Add(GraphBuilder.Matrix(InputName, network.Shape.Inputs));
        DenseChain.Write(builder, network, InputName, OutputName);
        builder.Graph.Output.Add(GraphBuilder.Matrix(OutputName, network.Shape.Outputs));
        var model = new ModelProto { IrVersion = IrVersion, ProducerName = Producer, Graph = builder.Graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = OperatorSet });
        return model.ToByteArray();
    }

    /// <summary>The ONNX file of a vote: its score is the share of <paramref name="members"/> whose logit is at least 0, and takes raw rows of <paramref name="schema"/>.</summary>
    /// <param name="schema">What raw rows hold.</param>
    /// <param name="members">Networks with one logit, an odd number of them, so that no vote is a tie.</param>
    /// <exception cref="ArgumentException">The schema has faults or does not encode to a member's inputs, or the members are even in number or have other outputs.</exception>
    public static byte[] ExportVotes(FeatureSchema schema, IReadOnlyList<DenseNetwork<float>> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        var encoder = new FeatureEncoder(schema);
        if (members.Count % 2 == 0)
            throw new ArgumentException($"{members.Count} members may tie: take an odd number.", nameof(members));
        if (members.Any(member => member.Shape.Outputs != 1 || member.Shape.Convolutions is not null || member.Shape.Inputs != encoder.EncodedWidth))
            throw new ArgumentException($"A member is no dense network of {encoder.EncodedWidth} inputs and one logit.", nameof(members));
        var model = new ModelProto { IrVersion = IrVersion, ProducerName = VoteGraph.Producer, Graph = VoteGraph.Write(encoder, members) };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = OperatorSet });
        model.MetadataProps.Add(new StringStringEntryProto { Key = SchemaEntry, Value = schema.ToJson() });
        return model.ToByteArray();
    }

    /// <summary>
    /// Reads a file that <see cref="Export(FeatureSchema, DenseNetwork{float})"/> wrote, or a plain chain: convolutions (square windows, one step and padding) with Relu,
    /// Flatten, dense layers (Gemm, or MatMul and Add) with Relu between them.
    /// </summary>
    /// <remarks>
    /// A file with a schema is taken only when its graph is, byte for byte, what <see cref="Export(FeatureSchema, DenseNetwork{float})"/> writes for that schema and those weights:
    /// a white-box view of a model must not differ from what a runtime computes.
    /// </remarks>
    /// <exception cref="InvalidDataException">The bytes are no ONNX model, or the model contradicts itself.</exception>
    /// <exception cref="NotSupportedException">The graph is no such chain; the message names the first node that is not. Score it with <see cref="OnnxScorer"/>.</exception>
    public static ImportedModel Import(ReadOnlySpan<byte> onnx)
    {
        var model = OnnxFile.Parse(onnx);
        var schema = OnnxFile.SchemaOf(model);
        if (schema is not null && model.ProducerName != Producer)
            throw new NotSupportedException("The model was made elsewhere and takes raw rows; score it as it is, without a white-box view.");
        if (schema is null)
        {
            var input = OnnxFile.OnlyInput(model.Graph);
            return new ImportedModel(null, DenseChain.Read(model.Graph, model.Graph.Node, input.Name, input));
        }

        var layers = model.Graph.Node.SkipWhile(node => node.OpType != "Gemm").ToList();
        var encoded = layers is [{ Input: [var first, ..] }, ..] ? first : throw new InvalidDataException("The graph has a schema and no dense layer.");
        var network = DenseChain.Read(model.Graph, layers, encoded);
        var encoder = new FeatureEncoder(schema);
        if (encoder.EncodedWidth != network.Shape.Inputs || !Graph(encoder, network).Equals(model.Graph))
            throw new InvalidDataException("The graph is not the one that its schema and weights make: the file was altered, or another version wrote it.");
        return new ImportedModel(schema, network);
    }

    /// <summary>The same model with the weights inside that it keeps in other files of <paramref name="folder"/>; as it was where they are inside already.</summary>
    /// <exception cref="InvalidDataException">The bytes are no ONNX model, or its weights lead out of the folder, or are not all there.</exception>
    /// <exception cref="IOException">A file of weights cannot be read.</exception>
    public static byte[] WithWeightsInside(byte[] onnx, string folder) => ExternalWeights.TakeIn(onnx, folder);

    /// <summary>The operators of an ONNX file's graph and of its functions, in order; with their domain where it is not the default one.</summary>
    /// <exception cref="InvalidDataException">The bytes are no ONNX model.</exception>
    public static IReadOnlyList<string> Operators(ReadOnlySpan<byte> onnx)
    {
        var model = OnnxFile.Parse(onnx);
        return [.. model.Graph.Node.Concat(model.Functions.SelectMany(function => function.Node)).Select(node => node.Domain is "" or "ai.onnx" ? node.OpType : $"{node.Domain}.{node.OpType}")];
    }

    /// <summary>The schema inside an ONNX file, or null where there is none.</summary>
    /// <exception cref="InvalidDataException">The bytes are no ONNX model, or the schema is not valid.</exception>
    public static FeatureSchema? SchemaOf(ReadOnlySpan<byte> onnx) => OnnxFile.SchemaOf(OnnxFile.Parse(onnx, weightsApart: true));

    /// <summary>The same model with all weights that it keeps in other files of <paramref name="folder"/> in one: <see cref="ModelFolder.WeightsName"/>, which may be of any length.</summary>
    /// <param name="onnx">The ONNX file.</param>
    /// <param name="folder">The folder that the locations are relative to.</param>
    /// <param name="weights">The file to write.</param>
    /// <exception cref="InvalidDataException">The bytes are no ONNX model, or its weights lead out of the folder, or are not all there.</exception>
    /// <exception cref="IOException">A file of weights cannot be read or written.</exception>
    public static byte[] WithWeightsApart(byte[] onnx, string folder, string weights) => ExternalWeights.Gather(onnx, folder, weights);

    /// <summary>Bytes of weights that the model keeps in other files of <paramref name="folder"/>; 0 when all are inside.</summary>
    /// <exception cref="InvalidDataException">The bytes are no ONNX model, or its weights lead out of the folder, or are not all there.</exception>
    public static long WeightsOutside(byte[] onnx, string folder) => ExternalWeights.Bytes(onnx, folder);

    /// <summary>The same model, made elsewhere, with a schema that says what its raw rows hold: so that requests to it can be checked and screened.</summary>
    /// <exception cref="InvalidDataException">The bytes are no ONNX model.</exception>
    /// <exception cref="ArgumentException">The schema has faults or another width than the model, or the model has a schema already.</exception>
    /// <exception cref="NotSupportedException">The model has no single float matrix as input.</exception>
    public static byte[] WithSchema(ReadOnlySpan<byte> onnx, FeatureSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        var model = OnnxFile.Parse(onnx, weightsApart: true);
        var faults = schema.Faults().ToList();
        var width = ScoreInput.WidthOf(OnnxFile.OnlyInput(model.Graph));
        if (width != schema.Width)
            faults.Add($"The schema has {schema.Width} features, the model takes {width}.");
        if (model.ProducerName == Producer || OnnxFile.SchemaOf(model) is not null)
            faults.Add("The model has a schema already.");
        if (faults.Count > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(schema));
        model.MetadataProps.Add(new StringStringEntryProto { Key = SchemaEntry, Value = schema.ToJson() });
        return model.ToByteArray();
    }

    /// <summary>A scorer of an ONNX file: the managed engine for what <see cref="Import"/> takes with a schema, else ONNX Runtime.</summary>
    /// <exception cref="InvalidDataException">The bytes are no ONNX model, or the model contradicts itself.</exception>
    /// <exception cref="NotSupportedException">The model has no single float matrix as input, or no score.</exception>
    public static IScorer OpenScorer(ReadOnlySpan<byte> onnx) => OpenScorer(onnx, null);

    /// <summary>As <see cref="OpenScorer(ReadOnlySpan{byte})"/>, with the weights that the model keeps apart; ONNX Runtime scores such a one.</summary>
    /// <inheritdoc cref="OpenScorer(ReadOnlySpan{byte})"/>
    public static IScorer OpenScorer(ReadOnlySpan<byte> onnx, ModelWeights? weights)
    {
        try
        {
            if (weights is null && Import(onnx) is { Schema: { } schema } model)
                return new NetworkScorer(schema, model.Network);
        }
        catch (NotSupportedException)
        {
            // No chain of dense layers: the runtime scores it.
        }

        return new OnnxScorer(onnx, weights);
    }

    private static GraphProto Graph(FeatureEncoder encoder, DenseNetwork<float> network)
    {
        var builder = new GraphBuilder("bulwark");
        builder.Graph.Input.Add(GraphBuilder.Matrix(InputName, encoder.Width));
        var value = new EncodingGraph(builder, InputName).Write(encoder);
        DenseChain.Write(builder, network, value, OutputName);
        builder.Graph.Output.Add(GraphBuilder.Matrix(OutputName, network.Shape.Outputs));
        return builder.Graph;
    }
}
