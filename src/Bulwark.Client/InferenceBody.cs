using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;

namespace Bulwark.Client;

/// <summary>Requests and answers of the Open Inference Protocol V2, as they are sealed.</summary>
internal static class InferenceBody
{
    /// <summary>One tensor of rows; NaN goes as null.</summary>
    internal static byte[] Write(ReadOnlySpan<float> rows, int rowCount)
    {
        var buffer = new ArrayBufferWriter<byte>(128 + 12 * rows.Length);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("id", Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
        json.WriteStartArray("inputs");
        json.WriteStartObject();
        json.WriteString("name", "features");
        json.WriteString("datatype", "FP32");
        json.WriteStartArray("shape");
        json.WriteNumberValue(rowCount);
        json.WriteNumberValue(rows.Length / rowCount);
        json.WriteEndArray();
        json.WriteStartArray("data");
        foreach (var value in rows)
        {
            if (float.IsNaN(value))
                json.WriteNullValue();
            else
                json.WriteNumberValue(value);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The scores of an answer.</summary>
    /// <exception cref="JsonException">It is no answer to that many rows.</exception>
    internal static (float[] Scores, int Classes) Read(ReadOnlyMemory<byte> body, int rowCount)
    {
        using var document = JsonDocument.Parse(body);
        try
        {
            var output = document.RootElement.GetProperty("outputs").EnumerateArray().Single();
            var shape = output.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32()).ToArray();
            var scores = output.GetProperty("data").EnumerateArray().Select(score => score.GetSingle()).ToArray();
            return shape is [var rows, var classes] && rows == rowCount && scores.Length == (long)rows * classes
                ? (scores, classes) : throw new JsonException("The answer has another shape than the request.");
        }
        catch (Exception failure) when (failure is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new JsonException("The answer is none of the Open Inference Protocol.", failure);
        }
    }

    /// <summary>The member <c>error</c> of an answer that is none.</summary>
    internal static string Error(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind is JsonValueKind.Object && document.RootElement.TryGetProperty("error", out var error) && error.ValueKind is JsonValueKind.String ? error.GetString()! : "no reason was given";
        }
        catch (JsonException)
        {
            return "no reason was given";
        }
    }
}
