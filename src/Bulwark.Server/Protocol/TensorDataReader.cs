using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;

namespace Bulwark.Server;

/// <summary>Reads the <c>data</c> of a tensor: all values in one array, or nested exactly as the shape says.</summary>
internal ref struct TensorDataReader(TensorSpec spec, TensorType type, long[] shape, int headBytes)
{
    private readonly long _count = Tensor.Elements(shape);
    private float[]? _floats;
    private ArrayBufferWriter<byte>? _bytes;
    private long _read;

    internal Refusal Refusal { get; private set; }

    /// <summary>The values, as <see cref="Tensor.Values"/>; null when they are refused.</summary>
    internal Array? Read(scoped ref Utf8JsonReader json)
    {
        if (!type.HasJson())
            return Refuse(Refusal.WrongType($"{type.Word()} has no JSON form; send raw bytes (binary_data_size)."));
        if (json.TokenType is not JsonTokenType.StartArray)
            return Refuse(Refusal.WrongShape("\"data\" must be an array of values, or of nested rows of values."));
        if (_count > headBytes)   // each value takes a byte at least: nothing is allocated on a stranger's word
            return Refuse(WrongCount());
        if (type is TensorType.Fp32)
            _floats = new float[_count];
        else
            _bytes = new((int)long.Max(64, _count * int.Max(1, type.SizeInBytes())));
        return ReadFirst(ref json) ? _read == _count ? _floats ?? (Array)_bytes!.WrittenSpan.ToArray() : Refuse(WrongCount()) : null;
    }

    /// <summary>The first token decides between flat and nested.</summary>
    private bool ReadFirst(scoped ref Utf8JsonReader json)
    {
        json.Read();
        if (shape.Length > 1 && json.TokenType is JsonTokenType.StartArray)
            return ReadNested(ref json, 0);
        for (; json.TokenType is not JsonTokenType.EndArray; json.Read())
        {
            if (json.TokenType is JsonTokenType.StartArray && shape.Length > 1)
                return Fail(Refusal.WrongShape("\"data\" mixes values and rows."));
            if (!ReadValue(ref json))
                return false;
        }

        return true;
    }

    /// <summary>The array at <paramref name="level"/>, whose first token is the reader's current one.</summary>
    private bool ReadNested(scoped ref Utf8JsonReader json, int level)
    {
        var items = 0L;
        for (; json.TokenType is not JsonTokenType.EndArray; json.Read(), items++)
        {
            if (level == shape.Length - 1)
            {
                if (!ReadValue(ref json))
                    return false;
                continue;
            }

            if (json.TokenType is not JsonTokenType.StartArray)
                return Fail(Refusal.WrongShape("\"data\" mixes values and rows."));
            json.Read();
            if (!ReadNested(ref json, level + 1))
                return false;
        }

        return items == shape[level] || Fail(Refusal.WrongShape($"\"data\" has {items} items where the shape says {shape[level]}."));
    }

    private bool ReadValue(scoped ref Utf8JsonReader json)
    {
        if (_read == _count)
            return Fail(WrongCount());
        var isRead = type switch
        {
            TensorType.Fp32 => ReadSingle(ref json),
            TensorType.Fp64 => ReadDouble(ref json),
            TensorType.Bool => ReadBoolean(ref json),
            TensorType.Bytes => ReadText(ref json),
            _ => ReadInteger(ref json),
        };
        _read++;
        return isRead || Fail(Refusal.WrongType($"\"data\" of \"{spec.Name}\" must hold {type.Word()} values{(spec.AllowsMissing ? ", or null for a missing one" : "")}."));
    }

    private readonly bool ReadSingle(scoped ref Utf8JsonReader json)
    {
        var value = float.NaN;
        var isRead = (json.TokenType is JsonTokenType.Number && json.TryGetSingle(out value)) || (spec.AllowsMissing && json.TokenType is JsonTokenType.Null);
        _floats![_read] = value;
        return isRead;
    }

    private readonly bool ReadDouble(scoped ref Utf8JsonReader json)
    {
        var value = double.NaN;
        var isRead = (json.TokenType is JsonTokenType.Number && json.TryGetDouble(out value)) || (spec.AllowsMissing && json.TokenType is JsonTokenType.Null);
        BinaryPrimitives.WriteDoubleLittleEndian(Next(8), value);
        return isRead;
    }

    private readonly bool ReadBoolean(scoped ref Utf8JsonReader json)
    {
        Next(1)[0] = json.TokenType is JsonTokenType.True ? (byte)1 : (byte)0;
        return json.TokenType is JsonTokenType.True or JsonTokenType.False;
    }

    private readonly bool ReadInteger(scoped ref Utf8JsonReader json)
    {
        if (json.TokenType is not JsonTokenType.Number)
            return false;
        if (type is TensorType.Uint64)
        {
            var isRead = json.TryGetUInt64(out var large);
            BinaryPrimitives.WriteUInt64LittleEndian(Next(8), large);
            return isRead;
        }

        var size = type.SizeInBytes();
        var isUnsigned = type is TensorType.Uint8 or TensorType.Uint16 or TensorType.Uint32;
        var most = isUnsigned ? (1L << (8 * size)) - 1 : long.MaxValue >> (64 - (8 * size));
        if (!json.TryGetInt64(out var value) || value > most || value < (isUnsigned ? 0 : -most - 1))
            return false;
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        bytes[..size].CopyTo(Next(size));
        return true;
    }

    private readonly bool ReadText(scoped ref Utf8JsonReader json)
    {
        if (json.TokenType is not JsonTokenType.String)
            return false;
        var length = json.ValueSpan.Length;   // never shorter than what it unescapes to
        var text = _bytes!.GetSpan(4 + length);
        var written = json.CopyString(text[4..]);
        BinaryPrimitives.WriteInt32LittleEndian(text, written);
        _bytes.Advance(4 + written);
        return true;
    }

    private readonly Span<byte> Next(int size)
    {
        var span = _bytes!.GetSpan(size)[..size];
        _bytes.Advance(size);
        return span;
    }

    private readonly Refusal WrongCount() => Refusal.WrongShape($"The shape asks for {_count} values; \"data\" has another number.");

    private bool Fail(Refusal refusal)
    {
        Refusal = refusal;
        return false;
    }

    private Array? Refuse(Refusal refusal)
    {
        Refusal = refusal;
        return null;
    }
}
