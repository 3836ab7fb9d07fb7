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

    /// <summary>The same model with its outside weights in one new file, each at a multiple of 64 bytes.</summary>
    internal static byte[] Gather(byte[] onnx, string folder, string output)
    {
        const int Alignment = 64;
        var model = OnnxScan.Parse(onnx);
        using var written = File.Create(output);
        foreach (var tensor in OnnxScan.Tensors(model).Where(tensor => OnnxScan.Location(tensor) is not null))
        {
            written.Position = (written.Position + Alignment - 1) / Alignment * Alignment;
            var start = written.Position;
            using (var values = Open(tensor, folder, out var length))
                Copy(values, written, length);
            tensor.ExternalData.Clear();
            foreach (var (key, value) in new[] { ("location", ModelFolder.WeightsName), ("offset", $"{start}"), ("length", $"{written.Position - start}") })
                tensor.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
        }

        written.Flush(flushToDisk: true);
        return model.ToByteArray();
    }

    /// <summary>Bytes of all outside weights.</summary>
    internal static long Bytes(byte[] onnx, string folder)
    {
        long bytes = 0;
        foreach (var tensor in OnnxScan.Tensors(OnnxScan.Parse(onnx)).Where(tensor => OnnxScan.Location(tensor) is not null))
        {
            using var _ = Open(tensor, folder, out var length);
            bytes += length;
        }

        return bytes;
    }

    /// <summary>Which bytes of a file are a tensor's.</summary>
    /// <exception cref="InvalidDataException">The file is shorter.</exception>
    internal static (long Offset, long Length) Place(TensorProto tensor, long fileBytes)
    {
        var offset = Number(tensor, "offset") ?? 0;
        var length = Number(tensor, "length") ?? fileBytes - offset;
        return offset >= 0 && length >= 0 && offset <= fileBytes - length ? (offset, length)
            : throw new InvalidDataException($"Tensor '{tensor.Name}' keeps {length} bytes from byte {offset} on in '{OnnxScan.Location(tensor)}', which has {fileBytes}.");
    }

    private static void TakeIn(TensorProto tensor, string folder)
    {
        using var file = Open(tensor, folder, out var length);
        if (length > Array.MaxLength)
            throw new InvalidDataException($"Tensor '{tensor.Name}' has {length} bytes: too many to be inside the model; keep the weights apart.");
        var values = new byte[length];
        file.ReadExactly(values);
        tensor.RawData = UnsafeByteOperations.UnsafeWrap(values);
        tensor.ExternalData.Clear();
        tensor.DataLocation = 0;
    }

    /// <summary>A tensor's file, standing at its first byte.</summary>
    private static FileStream Open(TensorProto tensor, string folder, out long length)
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

        var file = File.OpenRead(Path.Combine(folder, location));
        try
        {
            (file.Position, length) = Place(tensor, file.Length);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static void Copy(FileStream from, FileStream to, long bytes)
    {
        var buffer = new byte[1 << 20];
        for (; bytes > 0;)
        {
            var count = (int)Math.Min(bytes, buffer.Length);
            from.ReadExactly(buffer, 0, count);
            to.Write(buffer, 0, count);
            bytes -= count;
        }
    }

    private static long? Number(TensorProto tensor, string key) => tensor.ExternalData.LastOrDefault(entry => entry.Key == key)?.Value is { } text
        ? long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new InvalidDataException($"Tensor '{tensor.Name}': '{text}' is no {key}.")
        : null;
}
