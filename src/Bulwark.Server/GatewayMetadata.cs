using System.Text.Json;

namespace Bulwark.Server;

/// <summary>What the Open Inference Protocol V2 (REST) says of a server and a model.</summary>
internal static class GatewayMetadata
{
    internal static Reply Server() => Reply.Of("metadata", writer =>
    {
        writer.WriteString("name", "bulwark");
        writer.WriteString("version", typeof(GatewayMetadata).Assembly.GetName().Version!.ToString(3));
        writer.WriteStartArray("extensions");
        writer.WriteEndArray();
    });

    internal static Reply Live() => Reply.Of("live", writer => writer.WriteBoolean("live", true));

    internal static Reply Ready() => Reply.Of("ready", writer => writer.WriteBoolean("ready", true));

    internal static Reply ModelReady(ModelSignature model) => Reply.Of("ready", writer =>
    {
        writer.WriteString("name", model.Name);
        writer.WriteBoolean("ready", true);
    });

    internal static Reply Model(ModelSignature model) => Reply.Of("metadata", writer =>
    {
        writer.WriteString("name", model.Name);
        writer.WriteStartArray("versions");
        writer.WriteStringValue(model.Version);
        writer.WriteEndArray();
        writer.WriteString("platform", "bulwark_onnx");
        WriteTensor(writer, "inputs", ModelSignature.InputName, model.Width);
        WriteTensor(writer, "outputs", ModelSignature.OutputName, model.Classes);
    });

    private static void WriteTensor(Utf8JsonWriter writer, string member, string name, int width)
    {
        writer.WriteStartArray(member);
        writer.WriteStartObject();
        writer.WriteString("name", name);
        writer.WriteString("datatype", "FP32");
        writer.WriteStartArray("shape");
        writer.WriteNumberValue(-1);
        writer.WriteNumberValue(width);
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndArray();
    }
}
