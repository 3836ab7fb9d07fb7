using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>Values by keyed hashes of the whole value, or by the first bits of them.</summary>
/// <param name="name">The column that it makes.</param>
/// <param name="keys">The key ring.</param>
/// <param name="key">The key.</param>
/// <param name="scope">What the hashes are for.</param>
/// <param name="bits">A beacon's length; null for whole hashes.</param>
internal sealed class HashStep(string name, KeyRing keys, KeyId key, string scope, int? bits) : FieldStep(name)
{
    private const int HashBytes = 16;

    private readonly KeyedHash _hash = New(keys, key, scope);
    private readonly DistinctCount _distinct = new();

    internal override Column Apply(Column column, FieldRows rows)
    {
        var cells = new DistinctCells(column);
        var replaced = new string[cells.Values.Length];
        Span<byte> hash = stackalloc byte[HashBytes];
        for (var i = 0; i < replaced.Length; i++)
        {
            _hash.Compute(Encoding.UTF8.GetBytes(cells.Values[i]), hash);
            var first = BinaryPrimitives.ReadUInt64BigEndian(hash);
            _distinct.Add(first);
            replaced[i] = bits is { } length
                ? (first >> (64 - length)).ToString(CultureInfo.InvariantCulture).PadLeft(Digits(length), '0')
                : Convert.ToHexStringLower(hash);
        }

        return new TextColumn(Name, cells.Cells(replaced));
    }

    internal override IEnumerable<string> Faults()
    {
        if (bits is { } length && !BeaconRule.Holds(_distinct.Value, length))
        {
            var allowed = BeaconRule.Allowed(_distinct.Value);
            yield return $"Column '{Name}' has {_distinct.Value:N0} different values: a beacon of {length} bits {(allowed is null ? "or of any length" : "")} breaks the rule √X < 2^bits < X/2; {(allowed is { } range ? $"{range.Least} to {range.Most} bits keep it." : "encrypt the values instead.")}";
        }
    }

    internal override IEnumerable<string> Notes() => bits is null ? FewValues.NoteOf(_distinct.Value, Name, "hashes") : [];

    protected override void Release() => _hash.Dispose();

    private static KeyedHash New(KeyRing keys, KeyId key, string scope)
    {
        using var derived = keys.Derive(key, FieldScope.Purpose("hash", scope));
        return new(derived.Span);
    }

    private static int Digits(int bits) => ((1UL << bits) - 1).ToString(CultureInfo.InvariantCulture).Length;
}
