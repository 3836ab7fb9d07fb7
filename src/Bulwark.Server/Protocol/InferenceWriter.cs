using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Bulwark.Server;

/// <summary>Writes tensors as requests to upstream servers and as answers: JSON, or a JSON head with raw bytes behind it.</summary>
internal static class InferenceWriter
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>An answer.</summary>
    /// <param name="model">Whose.</param>
    /// <param name="id">The request's id; null when it had none.</param>
    /// <param name="outputs">The tensors with how each is sent.</param>
    /// <param name="headBytes">The length of the JSON head; -1 when there are no raw bytes.</param>
    /// <exception cref="ArgumentException">A value of a JSON tensor is NaN or infinite.</exception>
    internal static byte[] Answer(ModelSignature model, string? id, IReadOnlyList<(Tensor Tensor, bool IsBinary)> outputs, out int headBytes) => Write(outputs, "outputs", writer =>
    {
        writer.WriteString("model_name"u8, model.Name);
        writer.WriteString("model_version"u8, model.Version);
        if (id is not null)
            writer.WriteString("id"u8, id);
    }, null, out headBytes);

    /// <summary>A request to an upstream server, which is asked for exactly the outputs that it must give.</summary>
    internal static byte[] Request(string? id, IReadOnlyList<Tensor> inputs, IReadOnlyList<string> outputs, bool isBinary, out int headBytes) =>
        Write([.. inputs.Select(input => (input, isBinary))], "inputs", writer =>
        {
            if (id is not null)
                writer.WriteString("id"u8, id);
        }, writer =>
        {
            writer.WriteStartArray("outputs"u8);
            foreach (var output in outputs)
            {
                writer.WriteStartObject();
                writer.WriteString("name"u8, output);
                if (isBinary)
                {
                    writer.WriteStartObject("parameters"u8);
                    writer.WriteBoolean("binary_data"u8, true);
                    writer.WriteEndObject();
                }

                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }, out headBytes);

    private static byte[] Write(IReadOnlyList<(Tensor Tensor, bool IsBinary)> tensors, string member, Action<Utf8JsonWriter> before, Action<Utf8JsonWriter>? after, out int headBytes)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, Relaxed))
        {
            writer.WriteStartObject();
            before(writer);
            writer.WriteStartArray(member);
            foreach (var (tensor, isBinary) in tensors)
                WriteTensor(writer, tensor, isBinary);
            writer.WriteEndArray();
            after?.Invoke(writer);
            writer.WriteEndObject();
        }

        headBytes = tensors.Any(one => one.IsBinary) ? buffer.WrittenCount : -1;
        foreach (var (tensor, isBinary) in tensors)
            if (isBinary)
                buffer.Write(tensor.Bytes);
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteTensor(Utf8JsonWriter writer, Tensor tensor, bool isBinary)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, tensor.Name);
        writer.WriteString("datatype"u8, tensor.Type.Word());
        writer.WriteStartArray("shape"u8);
        foreach (var size in tensor.Shape)
            writer.WriteNumberValue(size);
        writer.WriteEndArray();
        if (isBinary)
        {
            writer.WriteStartObject("parameters"u8);
            writer.WriteNumber("binary_data_size"u8, tensor.Bytes.Length);
            writer.WriteEndObject();
        }
        else
        {
            writer.WriteStartArray("data"u8);
            WriteValues(writer, tensor);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static void WriteValues(Utf8JsonWriter writer, Tensor tensor)
    {
        var bytes = tensor.Bytes;
        switch (tensor.Type)
        {
            case TensorType.Fp32: foreach (var value in (float[])tensor.Values) writer.WriteNumberValue(value); break;
            case TensorType.Fp64: foreach (var value in MemoryMarshal.Cast<byte, double>(bytes)) writer.WriteNumberValue(value); break;
            case TensorType.Bool: foreach (var value in bytes) writer.WriteBooleanValue(value != 0); break;
            case TensorType.Uint8: foreach (var value in bytes) writer.WriteNumberValue(value); break;
            case TensorType.Int8: foreach (var value in MemoryMarshal.Cast<byte, sbyte>(bytes)) writer.WriteNumberValue(value); break;
            case TensorType.Uint16: foreach (var value in MemoryMarshal.Cast<byte, ushort>(bytes)) writer.WriteNumberValue(value); break;
            case TensorType.Int16: foreach (var value in MemoryMarshal.Cast<byte, short>(bytes)) writer.WriteNumberValue(value); break;
            case TensorType.Uint32: foreach (var value in MemoryMarshal.Cast<byte, uint>(bytes)) writer.WriteNumberValue(value); break;
            case TensorType.Int32: foreach (var value in MemoryMarshal.Cast<byte, int>(bytes)) writer.WriteNumberValue(value); break;
            case TensorType.Uint64: foreach (var value in MemoryMarshal.Cast<byte, ulong>(bytes)) writer.WriteNumberValue(value); break;
            case TensorType.Int64: foreach (var value in MemoryMarshal.Cast<byte, long>(bytes)) writer.WriteNumberValue(value); break;
            case TensorType.Bytes: foreach (var text in Tensor.Strings((byte[])tensor.Values)) writer.WriteStringValue(text.Span); break;
            default: throw new ArgumentException($"{tensor.Type.Word()} has no JSON form; ask for raw bytes.");
        }
    }
}
