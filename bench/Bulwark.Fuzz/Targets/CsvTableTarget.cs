using Bulwark.Data;

namespace Bulwark.Fuzz.Targets;

/// <summary>CSV of strangers: read whole and by batches, both give the same number of rows, or both refuse.</summary>
internal sealed class CsvTableTarget : IFuzzTarget
{
    private readonly string _path = Path.ChangeExtension(Path.GetTempFileName(), ".csv");

    public string Name => "csv-table";

    public IEnumerable<byte[]> Seeds()
    {
        yield return "id,name,x,at\n1,\"a, \"\"b\"\"\",0.5,2024-01-31\r\n2,,-1e9,2024-01-31T10:00:00Z\n3,c\nd,NaN,\n"u8.ToArray();
        yield return "\uFEFFa,b\n\"x\ny\",1\n\"\",2\n"u8.ToArray();
        yield return "a\n1\n2\nx\n9223372036854775807\n"u8.ToArray();
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        File.WriteAllBytes(_path, input);
        var whole = Rows(() => TableFile.ReadAsync(_path).GetAwaiter().GetResult().Rows, out var refusal);
        var batched = Rows(() =>
        {
            using var source = TableSource.Open(_path);
            return source.Batches(CancellationToken.None).Sum(batch => batch.Rows);
        }, out var other);
        if (whole != batched)
            throw new NotSupportedException($"Read whole there are {whole?.ToString() ?? "no"} rows ({refusal?.Message}), by batches {batched?.ToString() ?? "none"} ({other?.Message}).");
        if (refusal is not null)
            throw refusal;
    }

    public bool IsRefusal(Exception failure) => failure is FormatException or InvalidDataException;

    private int? Rows(Func<int> read, out Exception? refusal)
    {
        try
        {
            refusal = null;
            return read();
        }
        catch (Exception failure) when (IsRefusal(failure))
        {
            refusal = failure;
            return null;
        }
    }
}
