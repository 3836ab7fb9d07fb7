namespace Bulwark.Server;

/// <summary>The data types of the Open Inference Protocol V2.</summary>
internal enum TensorType
{
    Unknown = 0, Bool, Uint8, Uint16, Uint32, Uint64, Int8, Int16, Int32, Int64, Fp16, Bf16, Fp32, Fp64, Bytes,
}

/// <summary>Their names and widths.</summary>
internal static class TensorTypes
{
    private static readonly string[] Names = ["", "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "BF16", "FP32", "FP64", "BYTES"];
    private static readonly int[] Sizes = [0, 1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 0];

    internal static IEnumerable<TensorType> All => Enumerable.Range(1, Names.Length - 1).Select(index => (TensorType)index);

    internal static string Word(this TensorType type) => Names[(int)type];

    /// <summary>Bytes of one value; 0 for <see cref="TensorType.Bytes"/>, whose values carry their own length.</summary>
    internal static int SizeInBytes(this TensorType type) => Sizes[(int)type];

    internal static bool IsFloat(this TensorType type) => type is TensorType.Fp16 or TensorType.Bf16 or TensorType.Fp32 or TensorType.Fp64;

    /// <summary>FP16 and BF16 have no JSON form: the protocol sends them as raw bytes only.</summary>
    internal static bool HasJson(this TensorType type) => type is not (TensorType.Fp16 or TensorType.Bf16);

    /// <summary>The type of that name, letter by letter; <see cref="TensorType.Unknown"/> when there is none.</summary>
    internal static TensorType Parse(string? name) => name is { Length: > 0 } && Array.IndexOf(Names, name) is > 0 and var index ? (TensorType)index : TensorType.Unknown;
}
