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
    private (string Version, byte[] Context)? _shared;

    internal override Column Apply(Column column, FieldRows rows)
    {
        var cells = new string?[column.Rows];
        if (reveal)
            OpenAll(column, rows, cells);
        else
            SealAll(column, rows, cells);
        return reveal ? CellKind.Restore(Name, cells, format) : new TextColumn(Name, cells);
    }

    protected override void Release()
    {
        foreach (var cipher in _ciphers.Values)
            cipher.Dispose();
        _ciphers.Clear();
    }

    private void SealAll(Column column, FieldRows rows, string?[] cells)
    {
        using var batch = new ValueBatch(SharesContext);
        var buffer = new byte[CellText.FixedBytes];
        var version = format.PerSubject ? OfSubject : $"{key!.Value.Version}";
        try
        {
            for (var row = 0; row < cells.Length; row++)
            {
                if (column.IsMissing(row))
                    continue;
                if (_ciphers.Count >= KeptCiphers)
                {
                    Seal(batch, cells);
                    Release();
                }

                var cipher = Cipher(version, rows, row) ?? throw Misfit(rows, row, "belongs to a subject whose key was erased meanwhile");
                if (!batch.Takes(cipher, version))
                    Seal(batch, cells);
                batch.Add(cipher, version, row, column.Utf8(row, ref buffer), Context(version, rows, row));
            }

            Seal(batch, cells);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    private static void Seal(ValueBatch batch, string?[] cells)
    {
        if (batch.Count == 0)
            return;
        var output = new byte[batch.Values.Length + Xaes256Gcm.OverheadInBytes * batch.Count];
        batch.Cipher!.EncryptBatch(batch.Values, batch.Ends, output, batch.Contexts, batch.ContextEnds);
        for (int i = 0, start = 0; i < batch.Count; i++)
        {
            var end = batch.Ends[i] + Xaes256Gcm.OverheadInBytes * (i + 1);
            cells[batch.Rows[i]] = FieldScope.Cell(batch.Version, output.AsSpan(start..end));
            start = end;
        }

        batch.Clear();
    }

    /// <summary>A cell whose subject's key was erased stays missing.</summary>
    private void OpenAll(Column column, FieldRows rows, string?[] cells)
    {
        using var batch = new ValueBatch(SharesContext);
        for (var row = 0; row < cells.Length; row++)
        {
            if (column.IsMissing(row))
                continue;
            if (!FieldScope.TryCell(column.Text(row)!, out var version, out var bytes) || bytes.Length < Xaes256Gcm.OverheadInBytes || version == OfSubject != format.PerSubject)
                throw Shut(rows, row);
            if (_ciphers.Count >= KeptCiphers)
            {
                Open(batch, rows, cells);
                Release();
            }

            if (Cipher(version, rows, row) is not { } cipher)
                continue;
            if (!batch.Takes(cipher, version))
                Open(batch, rows, cells);
            batch.Add(cipher, version, row, bytes, Context(version, rows, row));
        }

        Open(batch, rows, cells);
    }

    private void Open(ValueBatch batch, FieldRows rows, string?[] cells)
    {
        if (batch.Count == 0)
            return;
        var (plain, opened) = (new byte[batch.Values.Length - Xaes256Gcm.OverheadInBytes * batch.Count], new bool[batch.Count]);
        try
        {
            if (!batch.Cipher!.DecryptBatch(batch.Values, batch.Ends, plain, opened, batch.Contexts, batch.ContextEnds))
                throw Shut(rows, batch.Rows[Array.IndexOf(opened, false)]);
            for (int i = 0, start = 0; i < batch.Count; i++)
            {
                var end = batch.Ends[i] - Xaes256Gcm.OverheadInBytes * (i + 1);
                cells[batch.Rows[i]] = Encoding.UTF8.GetString(plain.AsSpan(start..end));
                start = end;
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);   // the cells before a refused one were opened
        }

        batch.Clear();
    }

    private Xaes256Gcm? Cipher(string version, FieldRows rows, int row)
    {
        var subject = !format.PerSubject ? null : rows.Subjects?[row] ?? throw Misfit(rows, row, "has no subject, so there is no key for it");
        if (_ciphers.TryGetValue(subject ?? version, out var known))
            return known;
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

    private bool SharesContext => !format.PerSubject && format.RowKey is null;

    private byte[] Context(string version, FieldRows rows, int row)
    {
        if (SharesContext && _shared is { } known && known.Version == version)
            return known.Context;
        var context = FieldScope.Context(
            "bulwark.dev/value/v1", format.Scope, format.PerSubject ? rows.Subjects![row]! : $"{key!.Value.Name}@{version}",
            format.RowKey is null ? "" : rows.RowKey?.Text(row) ?? throw Misfit(rows, row, $"has no row key in '{format.RowKey}' to be bound to"));
        if (SharesContext)
            _shared = (version, context);
        return context;
    }
}
