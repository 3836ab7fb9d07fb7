using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>Times moved by whole days, the same secret number for all rows of a subject, or back.</summary>
/// <remarks>The number is HMAC-SHA-256(key, subject's token) modulo 2·days, never 0: the intervals of a subject stay, and so does what they tell.</remarks>
internal sealed class ShiftStep(string name, KeyRing keys, KeyId? key, FieldFormat format, bool reveal) : FieldStep(name)
{
    private const int KeptOffsets = 1 << 20;
    private static readonly long s_first = -62_135_596_800 * TimeColumn.Second, s_end = 253_402_300_800 * TimeColumn.Second;
    private readonly Dictionary<string, int?> _offsets = new(StringComparer.Ordinal);
    private readonly SecretBytes? _key = key is { } id ? keys.Derive(id, FieldScope.Purpose("shift", format.Scope)) : null;

    internal override Column Apply(Column column, FieldRows rows)
    {
        if (column is not TimeColumn times)
            throw new ArgumentException($"Column '{Name}' holds no times (yyyy-MM-dd), so its dates cannot be shifted.");
        var moved = new long[times.Rows];
        for (var row = 0; row < moved.Length; row++)
        {
            moved[row] = TimeColumn.Missing;
            if (times.IsMissing(row))
                continue;
            var subject = rows.Subjects?[row] ?? throw Misfit(rows, row, "has no subject, so there is nothing to shift it by");
            if (Offset(subject, rows) is not { } days)
                continue;
            moved[row] = times.Values[row] + (reveal ? -days : days) * TimeColumn.Day;
            if (moved[row] < s_first || moved[row] >= s_end)
                throw Misfit(rows, row, "would leave the years 1 to 9999");
        }

        return new TimeColumn(Name, moved);
    }

    protected override void Release() => _key?.Dispose();

    /// <summary>Days, from −days to days without 0; null when the subject's key was erased.</summary>
    private int? Offset(string subject, FieldRows rows)
    {
        if (_offsets.TryGetValue(subject, out var known))
            return known;
        if (_offsets.Count >= KeptOffsets)
            _offsets.Clear();
        if (_key is not null)
            return _offsets[subject] = Offset(_key, subject);
        using var own = rows.SubjectKey!(subject);
        if (own is null)
            return _offsets[subject] = null;
        using var ofField = ValueStep.SubjectField(own, FieldScope.Purpose("shift", format.Scope));
        return _offsets[subject] = Offset(ofField, subject);
    }

    private int Offset(SecretBytes secret, string subject)
    {
        Span<byte> hash = stackalloc byte[32];
        HMACSHA256.HashData(secret.Span, Encoding.UTF8.GetBytes(subject), hash);
        var place = (int)(BinaryPrimitives.ReadUInt64BigEndian(hash) % (ulong)(2 * format.Days!.Value)) - format.Days.Value;
        return place >= 0 ? place + 1 : place;
    }
}
