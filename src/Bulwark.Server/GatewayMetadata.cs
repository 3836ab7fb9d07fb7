using System.Text.Json;

namespace Bulwark.Server;

/// <summary>What the Open Inference Protocol V2 (REST) says of a server and its models.</summary>
internal static class GatewayMetadata
{
    /// <summary>The protocol's extensions that are served.</summary>
    internal static IReadOnlyList<string> Extensions { get; } = ["binary_tensor_data", "statistics"];

    internal const string ServerName = "bulwark";

    internal static string ServerVersion { get; } = typeof(GatewayMetadata).Assembly.GetName().Version!.ToString(3);

    internal static Reply Server() => Reply.Of("metadata", writer =>
    {
        writer.WriteString("name", ServerName);
        writer.WriteString("version", ServerVersion);
        writer.WriteStartArray("extensions");
        foreach (var extension in Extensions)
            writer.WriteStringValue(extension);
        writer.WriteEndArray();
    });

    internal static Reply Live() => Reply.Of("live", writer => writer.WriteBoolean("live", true));

    internal static Reply Ready(bool isReady) => new(
        isReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, "ready", Reply.Json(writer => writer.WriteBoolean("ready", isReady)));

    /// <summary>For an orchestrator, which may alarm when the worker is not kept in.</summary>
    internal static Reply Ready(bool isReady, string sandbox) => new(
        isReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, "ready", Reply.Json(writer =>
        {
            writer.WriteBoolean("ready", isReady);
            writer.WriteString("sandbox", sandbox);
        }));

    internal static Reply ModelReady(IServedModel model) => new(
        model.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, "ready", Reply.Json(writer =>
        {
            writer.WriteString("name", model.Signature.Name);
            writer.WriteBoolean("ready", model.IsReady);
        }));

    internal static Reply Model(ModelSignature model) => Reply.Of("metadata", writer =>
    {
        writer.WriteString("name", model.Name);
        writer.WriteStartArray("versions");
        if (model.Version.Length > 0)
            writer.WriteStringValue(model.Version);
        writer.WriteEndArray();
        writer.WriteString("platform", model.Platform);
        WriteTensors(writer, "inputs", model.Inputs);
        WriteTensors(writer, "outputs", model.Outputs);
    });

    /// <summary>Source: Triton's statistics extension. What is not measured apart (queue, input, output) has the count and no time.</summary>
    internal static Reply Statistics(ServedModels.Counted counted) => Reply.Of("statistics", writer =>
    {
        var model = counted.Model.Signature;
        writer.WriteStartArray("model_stats");
        writer.WriteStartObject();
        writer.WriteString("name", model.Name);
        writer.WriteString("version", model.Version);
        writer.WriteNumber("last_inference", counted.LastMilliseconds);
        writer.WriteNumber("inference_count", counted.Rows);
        writer.WriteNumber("execution_count", counted.Scored);
        writer.WriteStartObject("inference_stats");
        WriteDuration(writer, "success", counted.Scored, counted.Nanoseconds);
        WriteDuration(writer, "fail", counted.Refused, counted.RefusedNanoseconds);
        WriteDuration(writer, "queue", counted.Scored, 0);
        WriteDuration(writer, "compute_input", counted.Scored, 0);
        WriteDuration(writer, "compute_infer", counted.Scored, counted.Nanoseconds);
        WriteDuration(writer, "compute_output", counted.Scored, 0);
        writer.WriteEndObject();
        writer.WriteStartArray("batch_stats");
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndArray();
    });

    private static void WriteDuration(Utf8JsonWriter writer, string member, long count, long nanoseconds)
    {
        writer.WriteStartObject(member);
        writer.WriteNumber("count", count);
        writer.WriteNumber("ns", nanoseconds);
        writer.WriteEndObject();
    }

    private static void WriteTensors(Utf8JsonWriter writer, string member, IReadOnlyList<TensorSpec> tensors)
    {
        writer.WriteStartArray(member);
        foreach (var tensor in tensors)
        {
            writer.WriteStartObject();
            writer.WriteString("name", tensor.Name);
            writer.WriteString("datatype", tensor.Type.Word());
            writer.WriteStartArray("shape");
            foreach (var size in tensor.Shape)
                writer.WriteNumberValue(size);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
