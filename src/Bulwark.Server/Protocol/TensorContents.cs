using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Inference;

namespace Bulwark.Server;

/// <summary>Typed contents of the protocol's messages: a list of numbers for each kind of type.</summary>
internal static class TensorContents
{
    /// <summary>Typed contents: the one list of the tensor's type, and no other; null when it is not so.</summary>
    internal static Tensor? Read(string name, InferTensorContents? contents, TensorType type, long[] shape)
    {
        if (contents is null || !type.HasJson())
            return null;
        var total = contents.BoolContents.Count + contents.IntContents.Count + contents.Int64Contents.Count + contents.UintContents.Count
            + contents.Uint64Contents.Count + contents.Fp32Contents.Count + contents.Fp64Contents.Count + contents.BytesContents.Count;
        if (total != Tensor.Elements(shape))
            return null;
        Array? values = type switch
        {
            TensorType.Fp32 => Exact(contents.Fp32Contents, total)?.ToArray(),
            TensorType.Fp64 => Exact(contents.Fp64Contents, total) is { } list ? MemoryMarshal.AsBytes<double>(list.ToArray()).ToArray() : null,
            TensorType.Bool => Exact(contents.BoolContents, total)?.Select(value => value ? (byte)1 : (byte)0).ToArray(),
            TensorType.Int64 => Exact(contents.Int64Contents, total) is { } list ? MemoryMarshal.AsBytes<long>(list.ToArray()).ToArray() : null,
            TensorType.Uint64 => Exact(contents.Uint64Contents, total) is { } list ? MemoryMarshal.AsBytes<ulong>(list.ToArray()).ToArray() : null,
            TensorType.Int8 or TensorType.Int16 or TensorType.Int32 => Narrow(Exact(contents.IntContents, total)?.Select(value => (long)value), type, -1L << ((8 * type.SizeInBytes()) - 1)),
            TensorType.Uint8 or TensorType.Uint16 or TensorType.Uint32 => Narrow(Exact(contents.UintContents, total)?.Select(value => (long)value), type, 0),
            TensorType.Bytes => Exact(contents.BytesContents, total)?.SelectMany(Prefixed).ToArray(),
            _ => null,
        };
        return values is null ? null : new(name, type, shape, values);
    }

    private static RepeatedField<T>? Exact<T>(RepeatedField<T> list, int total) => list.Count == total ? list : null;

    /// <summary>Integers that must fit the narrower type.</summary>
    private static byte[]? Narrow(IEnumerable<long>? values, TensorType type, long least)
    {
        if (values is null)
            return null;
        var size = type.SizeInBytes();
        var most = least == 0 ? (1L << (8 * size)) - 1 : -least - 1;
        var bytes = new List<byte>();
        Span<byte> word = stackalloc byte[8];
        foreach (var value in values)
        {
            if (value < least || value > most)
                return null;
            BinaryPrimitives.WriteInt64LittleEndian(word, value);
            bytes.AddRange(word[..size]);
        }

        return [.. bytes];
    }

    private static IEnumerable<byte> Prefixed(ByteString text)
    {
        var bytes = new byte[4 + text.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, text.Length);
        text.Span.CopyTo(bytes.AsSpan(4));
        return bytes;
    }

    /// <summary>A tensor as typed contents; FP16 and BF16 have none.</summary>
    internal static InferTensorContents Write(Tensor tensor)
    {
        var contents = new InferTensorContents();
        var bytes = tensor.Bytes.ToArray();
        switch (tensor.Type)
        {
            case TensorType.Fp32: contents.Fp32Contents.AddRange((float[])tensor.Values); break;
            case TensorType.Fp64: contents.Fp64Contents.AddRange(MemoryMarshal.Cast<byte, double>(bytes)); break;
            case TensorType.Bool: contents.BoolContents.AddRange(bytes.Select(value => value != 0)); break;
            case TensorType.Int64: contents.Int64Contents.AddRange(MemoryMarshal.Cast<byte, long>(bytes)); break;
            case TensorType.Uint64: contents.Uint64Contents.AddRange(MemoryMarshal.Cast<byte, ulong>(bytes)); break;
            case TensorType.Int8: contents.IntContents.AddRange(bytes.Select(value => (int)unchecked((sbyte)value))); break;
            case TensorType.Int16: contents.IntContents.AddRange(MemoryMarshal.Cast<byte, short>(bytes).ToArray().Select(value => (int)value)); break;
            case TensorType.Int32: contents.IntContents.AddRange(MemoryMarshal.Cast<byte, int>(bytes)); break;
            case TensorType.Uint8: contents.UintContents.AddRange(bytes.Select(value => (uint)value)); break;
            case TensorType.Uint16: contents.UintContents.AddRange(MemoryMarshal.Cast<byte, ushort>(bytes).ToArray().Select(value => (uint)value)); break;
            case TensorType.Uint32: contents.UintContents.AddRange(MemoryMarshal.Cast<byte, uint>(bytes)); break;
            case TensorType.Bytes: contents.BytesContents.AddRange(Tensor.Strings(bytes).Select(text => ByteString.CopyFrom(text.Span))); break;
            default: throw new InvalidOperationException($"{tensor.Type} has no typed contents.");
        }

        return contents;
    }
}
