using System.Globalization;
using Bulwark.Models.Scanning;
using Google.Protobuf;

namespace Bulwark.Models.Onnx;

/// <summary>Takes the weights that an ONNX model keeps in other files into the model.</summary>
internal static class ExternalWeights
{
    /// <summary>The same model with its weights inside; as it was where they were inside already.</summary>
    /// <exception cref="InvalidDataException">A location leads out of the folder or through a link, or its file is shorter than it must be.</exception>
    internal static byte[] TakeIn(byte[] onnx, string folder)
    {
        var model = OnnxScan.Parse(onnx);
        var outside = OnnxScan.Tensors(model).Where(tensor => OnnxScan.Location(tensor) is not null).ToList();
        if (outside.Count == 0)
            return onnx;
        foreach (var tensor in outside)
            TakeIn(tensor, folder);
        return model.ToByteArray();
    }

    private static void TakeIn(TensorProto tensor, string folder)
    {
        var location = OnnxScan.Location(tensor)!;
        if (OnnxScan.Escapes(location))
            throw new InvalidDataException($"Tensor '{tensor.Name}' keeps its values in '{location}', which leads out of the model's folder.");
        for (var (place, parts) = (folder, new Queue<string>(location.Split('/'))); parts.TryDequeue(out var part);)
        {
            place = Path.Combine(place, part);
            if (new FileInfo(place).LinkTarget is not null)
                throw new InvalidDataException($"Tensor '{tensor.Name}' keeps its values behind the link {place}.");
        }

        var offset = Number(tensor, "offset") ?? 0;
        using var file = File.OpenRead(Path.Combine(folder, location));
        var length = Number(tensor, "length") ?? file.Length - offset;
        if (offset < 0 || length < 0 || length > int.MaxValue || offset > file.Length - length)
            throw new InvalidDataException($"Tensor '{tensor.Name}' keeps {length} bytes from byte {offset} on in '{location}', which has {file.Length}.");
        file.Position = offset;
        var values = new byte[length];
        file.ReadExactly(values);
        tensor.RawData = UnsafeByteOperations.UnsafeWrap(values);
        tensor.ExternalData.Clear();
        tensor.DataLocation = 0;
    }

    private static long? Number(TensorProto tensor, string key) => tensor.ExternalData.LastOrDefault(entry => entry.Key == key)?.Value is { } text
        ? long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new InvalidDataException($"Tensor '{tensor.Name}': '{text}' is no {key}.")
        : null;
}
