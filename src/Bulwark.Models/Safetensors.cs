using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Bulwark.Networks;

namespace Bulwark.Models;

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The format's name of its numbers: F32, F16, I64 and so on.</param>
/// <param name="Shape">Its sizes; empty for one number.</param>
/// <param name="Start">First byte, counted from the end of the header.</param>
/// <param name="Bytes">How many bytes.</param>
public sealed record SafetensorsEntry(string Name, string Type, IReadOnlyList<long> Shape, long Start, long Bytes);

/// <summary>Reads safetensors files as strictly as the format allows: numbers, and nothing that could run.</summary>
/// <remarks>Source: huggingface/safetensors, README "Format": eight bytes with the header's length, a JSON header, the numbers without holes or overlaps to the end of the file.</remarks>
public static class Safetensors
{
    private const int LongestHeader = 100_000_000;
    private static readonly Dictionary<string, int> s_bitsOf = new(StringComparer.Ordinal)
    {
        ["BOOL"] = 8,
        ["U8"] = 8,
        ["I8"] = 8,
        ["F8_E4M3"] = 8,
        ["F8_E5M2"] = 8,
        ["U16"] = 16,
        ["I16"] = 16,
        ["F16"] = 16,
        ["BF16"] = 16,
        ["U32"] = 32,
        ["I32"] = 32,
        ["F32"] = 32,
        ["U64"] = 64,
        ["I64"] = 64,
        ["F64"] = 64,
    };

    /// <summary>The tensors of a file, in the order of their bytes.</summary>
    /// <param name="stream">A stream that seeks, at the file's first byte; left at the first number.</param>
    /// <exception cref="InvalidDataException">The bytes are no safetensors file: the message says which rule they break.</exception>
    public static IReadOnlyList<SafetensorsEntry> ReadHeader(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Span<byte> prefix = stackalloc byte[8];
        if (stream.ReadAtLeast(prefix, 8, throwOnEndOfStream: false) < 8)
            throw Fault("it ends within its first eight bytes");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > LongestHeader || (long)length > stream.Length - 8)
            throw Fault($"its header of {length} bytes is longer than the file or than {LongestHeader}");
        var header = new byte[(int)length];
        stream.ReadExactly(header);
        if (header is not [(byte)'{', ..])
            throw Fault("its header does not begin with a brace");
        var entries = Parse(header);
        RequireWhole(entries, stream.Length - 8 - (long)length);
        return entries;
    }

    /// <summary>A chain of dense layers with rectified hidden ones: tensors called <c>….N.weight</c>, shape (outputs, inputs), and <c>….N.bias</c>, in the order of N.</summary>
    /// <param name="bytes">The file.</param>
    /// <exception cref="InvalidDataException">The bytes are no safetensors file.</exception>
    /// <exception cref="NotSupportedException">The tensors are no such chain; the message says which is not.</exception>
    public static DenseNetwork<float> ReadDense(byte[] bytes)
    {
        using var stream = new MemoryStream(bytes, writable: false);
        var entries = ReadHeader(stream).ToDictionary(entry => entry.Name, StringComparer.Ordinal);
        var numbers = bytes.AsMemory((int)stream.Position);
        var layers = entries.Values.Where(entry => entry.Name.EndsWith(".weight", StringComparison.Ordinal)).OrderBy(entry => LayerOf(entry.Name)).ToList();
        if (layers.Count == 0 || entries.Count != layers.Count * 2)
            throw new NotSupportedException("The file holds other tensors than the weights and biases of dense layers; export the model as ONNX.");
        if (layers.FirstOrDefault(layer => layer.Type != "F32" || layer.Shape.Count != 2 || layer.Shape.Any(size => size is < 1 or > FeatureSchema.MostEncodedColumns)) is { } odd)
            throw new NotSupportedException($"Tensor '{odd.Name}' is no F32 matrix of at most {FeatureSchema.MostEncodedColumns} a side.");
        var shape = new NetworkShape((int)layers[0].Shape[^1], [.. layers.SkipLast(1).Select(layer => (int)layer.Shape[0])], (int)layers[^1].Shape[0]);
        var network = new DenseNetwork<float>(shape);
        for (var layer = 0; layer < layers.Count; layer++)
        {
            var weights = layers[layer];
            var biases = entries.GetValueOrDefault(weights.Name[..^"weight".Length] + "bias");
            var (inputs, outputs) = (shape.LayerInputs(layer), shape.LayerOutputs(layer));
            if (weights.Shape[0] != outputs || weights.Shape[1] != inputs)
                throw new NotSupportedException($"Tensor '{weights.Name}' is not of {outputs} by {inputs}, as the layer before it asks.");
            if (biases is not { Type: "F32", Shape: [var length] } || length != outputs)
                throw new NotSupportedException($"Tensor '{weights.Name}' has no row of {outputs} F32 biases beside it.");
            Transpose(Floats(numbers.Span, weights), network.Weights(layer), inputs, outputs);
            Floats(numbers.Span, biases).CopyTo(network.Biases(layer));
        }

        return network;
    }

    private static List<SafetensorsEntry> Parse(byte[] header)
    {
        try
        {
            using var json = JsonDocument.Parse(header, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 8 });
            return [.. json.RootElement.EnumerateObject().Where(member => member.Name != "__metadata__").Select(Entry).OrderBy(entry => entry.Start).ThenBy(entry => entry.Bytes)];
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or OverflowException or IndexOutOfRangeException)
        {
            throw Fault($"its header is not what the format says ({fault.Message})");
        }
    }

    private static SafetensorsEntry Entry(JsonProperty member)
    {
        var type = member.Value.GetProperty("dtype").GetString() ?? "";
        var shape = member.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()).ToList();
        var offsets = member.Value.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt64()).ToList();
        if (!s_bitsOf.TryGetValue(type, out var bits) || offsets.Count != 2 || shape.Any(size => size < 0))
            throw Fault($"tensor '{member.Name}' is of an unknown type or shape");
        var bytes = checked(shape.Aggregate(1L, (product, size) => checked(product * size)) * bits / 8);
        return offsets[0] >= 0 && offsets[1] - offsets[0] == bytes
            ? new(member.Name, type, shape, offsets[0], bytes)
            : throw Fault($"tensor '{member.Name}' does not have the {bytes} bytes that its shape says");
    }

    private static void RequireWhole(List<SafetensorsEntry> entries, long bytes)
    {
        long next = 0;
        foreach (var entry in entries)
        {
            if (entry.Start != next)
                throw Fault($"tensor '{entry.Name}' leaves a hole or overlaps another");
            next += entry.Bytes;
        }

        if (next != bytes)
            throw Fault($"its tensors have {next} bytes and the file {bytes}");
    }

    private static double LayerOf(string name)
    {
        var parts = name.Split('.');
        return parts.Length >= 2 && int.TryParse(parts[^2], NumberStyles.None, CultureInfo.InvariantCulture, out var layer)
            ? layer : throw new NotSupportedException($"Tensor '{name}' has no layer number before its last part; export the model as ONNX.");
    }

    // Numbers are little-endian in the format, as on every machine that .NET runs on today; the copy is because they may stand at any byte.
    private static float[] Floats(ReadOnlySpan<byte> numbers, SafetensorsEntry entry)
    {
        var values = new float[entry.Bytes / sizeof(float)];
        numbers.Slice((int)entry.Start, (int)entry.Bytes).CopyTo(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    private static void Transpose(float[] from, Span<float> to, int inputs, int outputs)
    {
        for (var output = 0; output < outputs; output++)
        {
            for (var input = 0; input < inputs; input++)
                to[(input * outputs) + output] = from[(output * inputs) + input];
        }
    }

    private static InvalidDataException Fault(string what) => new($"The file is no safetensors file: {what}.");
}
