using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>Each value by a ciphertext of its own (XAES-256-GCM), under the column's key or the subject's, or back.</summary>
internal sealed class ValueStep(string name, KeyRing keys, KeyId? key, FieldFormat format, bool reveal) : FieldStep(name)
{
    private const string OfSubject = "s";
    private const int KeptCiphers = 4096;
    private readonly Dictionary<string, Xaes256Gcm> _ciphers = new(StringComparer.Ordinal);   // by version, or by subject

    internal override Column Apply(Column column, FieldRows rows)
    {
        var cells = new string?[column.Rows];
        var buffer = new byte[CellText.FixedBytes];
        for (var row = 0; row < cells.Length; row++)
        {
            if (column.IsMissing(row))
                continue;
            cells[row] = reveal ? Open(column.Text(row)!, rows, row) : Seal(column.Utf8(row, ref buffer), rows, row);
        }

        CryptographicOperations.ZeroMemory(buffer);
        return reveal ? CellKind.Restore(Name, cells, format) : new TextColumn(Name, cells);
    }

    protected override void Release()
    {
        foreach (var cipher in _ciphers.Values)
            cipher.Dispose();
        _ciphers.Clear();
    }

    private string Seal(ReadOnlySpan<byte> plain, FieldRows rows, int row)
    {
        var version = format.PerSubject ? OfSubject : $"{key!.Value.Version}";
        var cipher = Cipher(version, rows, row) ?? throw Misfit(rows, row, "belongs to a subject whose key was erased meanwhile");
        var output = new byte[plain.Length + Xaes256Gcm.OverheadInBytes];
        cipher.EncryptFresh(plain, output, Context(version, rows, row));
        return FieldScope.Cell(version, output);
    }

    /// <returns>Null when the subject's key was erased.</returns>
    private string? Open(string cell, FieldRows rows, int row)
    {
        if (!FieldScope.TryCell(cell, out var version, out var bytes) || bytes.Length < Xaes256Gcm.OverheadInBytes || version == OfSubject != format.PerSubject)
            throw Shut(rows, row);
        if (Cipher(version, rows, row) is not { } cipher)
            return null;
        var plain = new byte[bytes.Length - Xaes256Gcm.OverheadInBytes];
        try
        {
            cipher.Decrypt(bytes, plain, Context(version, rows, row));
            return Encoding.UTF8.GetString(plain);
        }
        catch (CryptographicException)
        {
            throw Shut(rows, row);
        }
    }

    private Xaes256Gcm? Cipher(string version, FieldRows rows, int row)
    {
        var subject = !format.PerSubject ? null : rows.Subjects?[row] ?? throw Misfit(rows, row, "has no subject, so there is no key for it");
        if (_ciphers.TryGetValue(subject ?? version, out var known))
            return known;
        if (_ciphers.Count >= KeptCiphers)
            Release();
        if (subject is null)
        {
            using var derived = keys.Derive(FieldScope.Version(key!.Value, version) ?? throw Shut(rows, row), FieldScope.Purpose("value", format.Scope));
            return _ciphers[version] = new(derived.Span);
        }

        using var own = rows.SubjectKey!(subject);
        if (own is null)
            return null;
        using var ofField = SubjectField(own, format.Scope);
        return _ciphers[subject] = new(ofField.Span);
    }

    /// <summary>A subject's key for one column: HKDF-SHA-256 of the subject's key.</summary>
    internal static SecretBytes SubjectField(SecretBytes subject, string scope) => SecretBytes.Create(32, subject.Span, (source, target) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, source, target, salt: default, Encoding.UTF8.GetBytes($"bulwark.dev/subject-field/v1\n{scope}")));

    private byte[] Context(string version, FieldRows rows, int row) => FieldScope.Context(
        "bulwark.dev/value/v1", format.Scope, format.PerSubject ? rows.Subjects![row]! : $"{key!.Value.Name}@{version}", format.RowKey is null ? "" : rows.RowKey?.Text(row) ?? throw Misfit(rows, row, $"has no row key in '{format.RowKey}' to be bound to"));
}
