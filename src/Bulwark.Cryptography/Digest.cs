using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bulwark.Cryptography;

/// <summary>A SHA-256 digest: 32 bytes, written <c>sha256:</c> and 64 lower-case hex digits.</summary>
/// <remarks>Source: FIPS 180-4. The default value is 32 zero bytes and stands for "none": no input has it.</remarks>
[JsonConverter(typeof(DigestJsonConverter))]
public readonly struct Digest : IEquatable<Digest>, IComparable<Digest>
{
    /// <summary>Length in bytes.</summary>
    public const int SizeInBytes = 32;

    private const string Prefix = "sha256:";
    private static readonly SearchValues<char> LowerCaseHex = SearchValues.Create("0123456789abcdef");
    private readonly Block _value;

    /// <summary>Takes a digest that was computed elsewhere.</summary>
    /// <param name="bytes">Exactly 32 bytes.</param>
    /// <exception cref="ArgumentException"><paramref name="bytes"/> has another length.</exception>
    public Digest(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != SizeInBytes)
            throw new ArgumentException($"A SHA-256 digest has {SizeInBytes} bytes, not {bytes.Length}.", nameof(bytes));
        bytes.CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.As<Block, byte>(ref _value), SizeInBytes));
    }

    /// <summary>The 32 bytes, in place.</summary>
    [UnscopedRef]
    public ReadOnlySpan<byte> Bytes => _value;

    /// <summary>True for the default value, which no input has.</summary>
    public bool IsNone => !Bytes.ContainsAnyExcept((byte)0);

    /// <summary>The digest of <paramref name="data"/>.</summary>
    public static Digest Of(ReadOnlySpan<byte> data)
    {
        Span<byte> bytes = stackalloc byte[SizeInBytes];
        SHA256.HashData(data, bytes);
        return new Digest(bytes);
    }

    /// <summary>The digest of a file of any length, in constant memory.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static Digest OfFile(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 17);
        return new Digest(SHA256.HashData(file));
    }

    /// <summary>The digest of the rest of <paramref name="stream"/>, in constant memory.</summary>
    public static async Task<Digest> OfAsync(Stream stream, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return new Digest(await SHA256.HashDataAsync(stream, cancel).ConfigureAwait(false));
    }

    /// <summary>Reads <c>sha256:</c> and 64 lower-case hex digits.</summary>
    /// <exception cref="FormatException"><paramref name="text"/> is anything else.</exception>
    public static Digest Parse(string text) => TryParse(text, out var digest)
        ? digest
        : throw new FormatException($"'{text}' is no digest: expected sha256: and 64 lower-case hex digits.");

    /// <summary>Reads <c>sha256:</c> and 64 lower-case hex digits; false on anything else.</summary>
    public static bool TryParse(string? text, out Digest digest)
    {
        digest = default;
        if (text is null || text.Length != Prefix.Length + 2 * SizeInBytes || !text.StartsWith(Prefix, StringComparison.Ordinal))
            return false;
        var hex = text.AsSpan(Prefix.Length);
        if (hex.ContainsAnyExcept(LowerCaseHex))
            return false;
        digest = new Digest(Convert.FromHexString(hex));
        return true;
    }

    /// <summary>A copy of the 32 bytes.</summary>
    public byte[] ToArray() => Bytes.ToArray();

    /// <summary>The 64 lower-case hex digits, without the prefix.</summary>
    public string ToHex() => Convert.ToHexStringLower(Bytes);

    /// <inheritdoc/>
    public override string ToString() => Prefix + ToHex();

    /// <inheritdoc/>
    public bool Equals(Digest other) => Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Digest other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => MemoryMarshal.Read<int>(Bytes);

    /// <summary>Orders by bytes, first byte first.</summary>
    public int CompareTo(Digest other) => Bytes.SequenceCompareTo(other.Bytes);

    /// <summary>True when all bytes are equal.</summary>
    public static bool operator ==(Digest left, Digest right) => left.Equals(right);

    /// <summary>True when a byte differs.</summary>
    public static bool operator !=(Digest left, Digest right) => !left.Equals(right);

    /// <summary>Orders by bytes.</summary>
    public static bool operator <(Digest left, Digest right) => left.CompareTo(right) < 0;

    /// <summary>Orders by bytes.</summary>
    public static bool operator <=(Digest left, Digest right) => left.CompareTo(right) <= 0;

    /// <summary>Orders by bytes.</summary>
    public static bool operator >(Digest left, Digest right) => left.CompareTo(right) > 0;

    /// <summary>Orders by bytes.</summary>
    public static bool operator >=(Digest left, Digest right) => left.CompareTo(right) >= 0;

    [InlineArray(SizeInBytes)]
    private struct Block
    {
        private byte _first;
    }
}

/// <summary>A <see cref="Digest"/> in JSON is its string, as a value and as a property name.</summary>
/// <remarks>Public so that source-generated contexts of other rooms can name it.</remarks>
public sealed class DigestJsonConverter : JsonConverter<Digest>
{
    /// <inheritdoc/>
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Digest.TryParse(reader.TokenType == JsonTokenType.String ? reader.GetString() : null, out var digest)
            ? digest
            : throw new JsonException("Expected a digest: sha256: and 64 lower-case hex digits.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());

    /// <inheritdoc/>
    public override Digest ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Digest.TryParse(reader.GetString(), out var digest) ? digest : throw new JsonException("Expected a digest as property name.");

    /// <inheritdoc/>
    public override void WriteAsPropertyName(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) => writer.WritePropertyName(value.ToString());
}
