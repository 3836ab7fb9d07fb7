using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>Values by deterministic ciphertexts (AES-256-SIV), or back.</summary>
internal sealed class JoinStep(string name, KeyRing keys, KeyId key, FieldFormat format, bool reveal) : FieldStep(name)
{
    private readonly Dictionary<KeyId, AesSiv> _ciphers = [];
    private readonly FewValues _few = new();

    internal override Column Apply(Column column, FieldRows rows)
    {
        var cells = new DistinctCells(column);
        return reveal
            ? CellKind.Restore(Name, cells.Cells(Open(cells, rows)), format)
            : new TextColumn(Name, cells.Cells(Seal(cells.Values)));
    }

    internal override IEnumerable<string> Notes() => _few.Notes(Name, "ciphertexts");

    protected override void Release()
    {
        foreach (var cipher in _ciphers.Values)
            cipher.Dispose();
    }

    private string[] Seal(string[] values)
    {
        var (plain, ends) = Pack(values, Encoding.UTF8.GetBytes);
        var output = new byte[plain.Length + AesSiv.OverheadInBytes * values.Length];
        Cipher(key).EncryptBatch(plain, ends, output, Context(key));
        CryptographicOperations.ZeroMemory(plain);
        var version = $"{key.Version}";
        var sealedValues = new string[values.Length];
        for (int i = 0, start = 0; i < values.Length; i++)
        {
            var end = ends[i] + AesSiv.OverheadInBytes * (i + 1);
            sealedValues[i] = FieldScope.Cell(version, output.AsSpan(start..end));
            start = end;
        }

        _few.Add(sealedValues);
        return sealedValues;
    }

    private string[] Open(DistinctCells cells, FieldRows rows)
    {
        var opened = new string[cells.Values.Length];
        var byVersion = new Dictionary<KeyId, List<(int Place, byte[] Bytes)>>();
        for (var i = 0; i < opened.Length; i++)
        {
            if (!FieldScope.TryCell(cells.Values[i], out var version, out var bytes) || bytes.Length < AesSiv.OverheadInBytes || FieldScope.Version(key, version) is not { } id)
                throw Shut(rows, cells.RowOf(i));
            if (!byVersion.TryGetValue(id, out var list))
                byVersion.Add(id, list = []);
            list.Add((i, bytes));
        }

        foreach (var (id, list) in byVersion)
        {
            var (joined, ends) = Pack([.. list], one => one.Bytes);
            var (plain, authentic) = (new byte[joined.Length - AesSiv.OverheadInBytes * list.Count], new bool[list.Count]);
            if (!Cipher(id).DecryptBatch(joined, ends, plain, authentic, Context(id)))
                throw Shut(rows, cells.RowOf(list[Array.IndexOf(authentic, false)].Place));
            for (int i = 0, start = 0; i < list.Count; i++)
            {
                var end = ends[i] - AesSiv.OverheadInBytes * (i + 1);
                opened[list[i].Place] = Encoding.UTF8.GetString(plain.AsSpan(start..end));
                start = end;
            }
        }

        return opened;
    }

    private AesSiv Cipher(KeyId id)
    {
        if (_ciphers.TryGetValue(id, out var cipher))
            return cipher;
        using var derived = keys.Derive(id, FieldScope.Purpose("join", format.Scope), 64);
        return _ciphers[id] = new(derived.Span);
    }

    private byte[] Context(KeyId id) => FieldScope.Context("bulwark.dev/join/v1", format.Scope, id.ToString());

    private static (byte[] Joined, int[] Ends) Pack<T>(T[] values, Func<T, byte[]> bytes)
    {
        using var joined = new MemoryStream();
        var ends = new int[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            joined.Write(bytes(values[i]));
            ends[i] = checked((int)joined.Length);
        }

        return (joined.ToArray(), ends);
    }
}
