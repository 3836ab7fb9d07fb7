using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Bulwark.Worker;

/// <summary>Scores as an answer of the Open Inference Protocol V2: one output, <c>score</c>, FP32, shape (rows, classes).</summary>
/// <remarks>Source: Open Inference Protocol V2, REST and gRPC; binary tensor data extension.</remarks>
public static class ScoreAnswer
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Writes an answer.</summary>
    /// <param name="form">How.</param>
    /// <param name="model">The model's name.</param>
    /// <param name="version">Its version.</param>
    /// <param name="id">The request's id, echoed; null when it had none.</param>
    /// <param name="scores">Shape (<paramref name="rows"/>, classes), row-major.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="insecure">True when nothing vouches for the worker.</param>
    /// <param name="headBytes">The length of the JSON head; -1 unless the form is <see cref="AnswerForm.Binary"/>.</param>
    public static byte[] Write(AnswerForm form, string model, string version, string? id, ReadOnlySpan<float> scores, int rows, bool insecure, out int headBytes)
    {
        headBytes = -1;
        if (form is AnswerForm.Message or AnswerForm.RawMessage)
            return Message(form, model, version, id, scores, rows, insecure);
        var data = MemoryMarshal.AsBytes(scores);
        var buffer = new ArrayBufferWriter<byte>(256 + (form is AnswerForm.Binary ? data.Length : 12 * scores.Length));
        WriteJson(buffer, form, model, version, id, scores, rows, insecure);
        if (form is AnswerForm.Binary)
        {
            headBytes = buffer.WrittenCount;
            buffer.Write(data);   // every platform that .NET 10 runs on is little-endian
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteJson(ArrayBufferWriter<byte> buffer, AnswerForm form, string model, string version, string? id, ReadOnlySpan<float> scores, int rows, bool insecure)
    {
        using var writer = new Utf8JsonWriter(buffer, Relaxed);
        writer.WriteStartObject();
        writer.WriteString("model_name"u8, model);
        writer.WriteString("model_version"u8, version);
        if (id is not null)
            writer.WriteString("id"u8, id);
        WriteParameters(writer, insecure);
        writer.WriteStartArray("outputs"u8);
        writer.WriteStartObject();
        writer.WriteString("name"u8, "score"u8);
        writer.WriteString("datatype"u8, "FP32"u8);
        writer.WriteStartArray("shape"u8);
        writer.WriteNumberValue(rows);
        writer.WriteNumberValue(scores.Length / rows);
        writer.WriteEndArray();
        if (form is AnswerForm.Binary)
        {
            writer.WriteStartObject("parameters"u8);
            writer.WriteNumber("binary_data_size"u8, scores.Length * sizeof(float));
            writer.WriteEndObject();
        }
        else
        {
            writer.WriteStartArray("data"u8);
            foreach (var score in scores)
                writer.WriteNumberValue(score);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.Flush();
    }

    /// <summary>The member <c>parameters</c> of an answer.</summary>
    internal static void WriteParameters(Utf8JsonWriter writer, bool insecure)
    {
        writer.WriteStartObject("parameters"u8);
        writer.WriteBoolean("insecure"u8, insecure);
        writer.WriteEndObject();
    }

    /// <summary>The message by hand, so that the trusted part needs no protobuf library; packed FP32 contents are the raw bytes.</summary>
    private static byte[] Message(AnswerForm form, string model, string version, string? id, ReadOnlySpan<float> scores, int rows, bool insecure)
    {
        var data = MemoryMarshal.AsBytes(scores);
        var message = new ArrayBufferWriter<byte>(256 + data.Length);
        Text(message, 1, model);
        Text(message, 2, version);
        if (id is not null)
            Text(message, 3, id);
        Bytes(message, 4, Parameter("insecure", choice => { Varint(choice, 1 << 3); Varint(choice, insecure ? 1u : 0u); }));
        var shape = new ArrayBufferWriter<byte>(16);
        Varint(shape, (ulong)rows);
        Varint(shape, (ulong)(scores.Length / rows));
        var output = new ArrayBufferWriter<byte>(64 + data.Length);
        Text(output, 1, "score");
        Text(output, 2, "FP32");
        Bytes(output, 3, shape.WrittenSpan);
        if (form is AnswerForm.Message)
        {
            var contents = new ArrayBufferWriter<byte>(16 + data.Length);
            Bytes(contents, 6, data);
            Bytes(output, 5, contents.WrittenSpan);
        }

        Bytes(message, 5, output.WrittenSpan);
        if (form is AnswerForm.RawMessage)
            Bytes(message, 6, data);
        return message.WrittenSpan.ToArray();
    }

    /// <summary>An entry of a <c>map&lt;string, InferParameter&gt;</c>.</summary>
    private static ReadOnlySpan<byte> Parameter(string name, Action<ArrayBufferWriter<byte>> choose)
    {
        var (entry, choice) = (new ArrayBufferWriter<byte>(64), new ArrayBufferWriter<byte>(48));
        choose(choice);
        Text(entry, 1, name);
        Bytes(entry, 2, choice.WrittenSpan);
        return entry.WrittenSpan;
    }

    private static void Text(ArrayBufferWriter<byte> to, int field, string text) => Bytes(to, field, Encoding.UTF8.GetBytes(text));

    private static void Bytes(ArrayBufferWriter<byte> to, int field, ReadOnlySpan<byte> bytes)
    {
        Varint(to, (ulong)((field << 3) | 2));
        Varint(to, (ulong)bytes.Length);
        to.Write(bytes);
    }

    private static void Varint(ArrayBufferWriter<byte> to, ulong value)
    {
        Span<byte> bytes = stackalloc byte[10];
        var length = 0;
        for (; value >= 0x80; value >>= 7)
            bytes[length++] = (byte)(value & 0x7f | 0x80);
        bytes[length++] = (byte)value;
        to.Write(bytes[..length]);
    }
}
