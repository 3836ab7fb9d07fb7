using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Bulwark.Server;

/// <summary>A tensor as it travels: row-major, little-endian; a value of type BYTES is its length in four bytes and then itself.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">What its values are.</param>
/// <param name="Shape">Its dimensions.</param>
/// <param name="Values">FP32: a <c>float[]</c>; everything else: a <c>byte[]</c>.</param>
internal sealed record Tensor(string Name, TensorType Type, long[] Shape, Array Values)
{
    internal ReadOnlySpan<byte> Bytes => Values is float[] floats ? MemoryMarshal.AsBytes<float>(floats) : (byte[])Values;

    internal long Count => Elements(Shape);

    /// <summary>The tensor as FP32 numbers, for a model that takes FP32.</summary>
    internal float[] ToFloats() => Values as float[] ?? (Type is TensorType.Fp64
        ? Array.ConvertAll(MemoryMarshal.Cast<byte, double>((byte[])Values).ToArray(), value => (float)value)
        : throw new InvalidOperationException($"{Type} values are no FP32 numbers."));

    /// <summary>True when no value is NaN or infinite.</summary>
    internal bool IsFinite()
    {
        if (Values is float[] floats)
            return floats.AsSpan().IndexOfAnyExceptInRange(float.MinValue, float.MaxValue) < 0;
        var bytes = (byte[])Values;
        return Type switch
        {
            TensorType.Fp64 => MemoryMarshal.Cast<byte, double>(bytes).IndexOfAnyExceptInRange(double.MinValue, double.MaxValue) < 0,
            TensorType.Fp16 => All(bytes, word => (word & 0x7c00) != 0x7c00),
            TensorType.Bf16 => All(bytes, word => (word & 0x7f80) != 0x7f80),
            _ => true,
        };
    }

    /// <summary>A tensor of raw bytes; null when they are not what type and shape ask for.</summary>
    internal static Tensor? OfRaw(string name, TensorType type, long[] shape, ReadOnlySpan<byte> raw)
    {
        var count = Elements(shape);
        if (type is TensorType.Bytes)
            return CountsStrings(raw, count) ? new(name, type, shape, raw.ToArray()) : null;
        if (count > raw.Length || raw.Length != count * type.SizeInBytes())
            return null;
        if (type is TensorType.Bool && raw.ContainsAnyExceptInRange((byte)0, (byte)1))
            return null;
        return new(name, type, shape, type is TensorType.Fp32 ? MemoryMarshal.Cast<byte, float>(raw).ToArray() : raw.ToArray());
    }

    /// <summary>The values of a BYTES tensor, one after the other.</summary>
    internal static IEnumerable<ReadOnlyMemory<byte>> Strings(byte[] bytes)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));
            yield return bytes.AsMemory(at + 4, length);
            at += 4 + length;
        }
    }

    /// <summary>The product of the dimensions; <see cref="long.MaxValue"/> when there is no such number.</summary>
    internal static long Elements(ReadOnlySpan<long> shape)
    {
        var product = (Int128)1;
        foreach (var size in shape)
            product = size < 0 || product > long.MaxValue ? long.MaxValue : product * size;
        return product > long.MaxValue ? long.MaxValue : (long)product;
    }

    private static bool CountsStrings(ReadOnlySpan<byte> raw, long count)
    {
        for (; !raw.IsEmpty; count--)
        {
            if (raw.Length < 4 || BinaryPrimitives.ReadUInt32LittleEndian(raw) is var length && length > raw.Length - 4 || count <= 0)
                return false;
            raw = raw[(4 + (int)length)..];
        }

        return count == 0;
    }

    private static bool All(ReadOnlySpan<byte> bytes, Func<ushort, bool> holds)
    {
        foreach (var word in MemoryMarshal.Cast<byte, ushort>(bytes))
            if (!holds(word))
                return false;
        return true;
    }
}
