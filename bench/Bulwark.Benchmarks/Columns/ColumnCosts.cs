using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Data;
using ParquetSharp;

namespace Bulwark.Benchmarks.Columns;

/// <summary>What encryption adds to writing and reading 30 columns: the same writer and reader, with and without keys, turn by turn in one run.</summary>
/// <remarks>
/// The commitment that protecting also computes is left out: it is no part of the encryption. Nor are the digests by which plain columns are believed:
/// they have a line of their own, written with them, and read with them; in the line above, the price of that pass is taken off the reading.
/// </remarks>
internal static class ColumnCosts
{
    private const int Columns = 30;
    private const int Rounds = 11;

    internal static void Print(int rows, string folder, KeyRing keys)
    {
        var random = new Random(1);
        var table = new Table(Enumerable.Range(0, Columns).Select(i => new NumberColumn($"c{i}", [.. Enumerable.Range(0, rows).Select(_ => random.NextDouble())])));
        Layout[] layouts =
        [
            new("plain", 0, null),
            new("3 of 30 under own keys, 27 plain: the encryption", 3, new() { PlainColumns = true }, Digests: false),
            new("  and the digests of what is plain", 3, new() { PlainColumns = true }),
            new("3 of 30, signed plaintext footer: the encryption", 3, new() { PlaintextFooter = true }, Digests: false),
            new("3 under own keys, 27 under the footer's (the default)", 3, new(), Digests: false),
            new("30 of 30 under own keys", 30, new(), Digests: false),
        ];
        var (write, read, bytes) = (layouts.Select(_ => new List<double>()).ToArray(), layouts.Select(_ => new List<double>()).ToArray(), new long[layouts.Length]);
        for (var round = 0; round <= Rounds; round++)
        {
            for (var i = 0; i < layouts.Length; i++)
            {
                var turn = (i + round) % layouts.Length;
                var path = Path.Combine(folder, $"columns{turn}.parquet");
                GC.Collect();
                var written = ColumnsArea.CpuMilliseconds(() => Write(table, layouts[turn], path, keys));
                var size = new FileInfo(path).Length;
                if (layouts[turn].IsWithoutItsDigests)
                {
                    path = Path.Combine(folder, $"believed{turn}.parquet");   // the same with its digests: one that can be read
                    if (round == 0)
                        Write(table, layouts[turn] with { Digests = true }, path, keys);
                }

                var wasRead = ColumnsArea.CpuMilliseconds(() => Read(path, turn > 0, keys));
                if (layouts[turn].IsWithoutItsDigests)
                    wasRead -= ColumnsArea.CpuMilliseconds(() => Hash(path));
                if (round == 0)
                    continue;   // compiles the code
                bytes[turn] = size;
                write[turn].Add(written);
                read[turn].Add(wasRead);
            }
        }

        Console.WriteLine($"{rows:N0} rows x {Columns} random doubles, row groups of 131,072, Snappy; CPU of the process over {Rounds} turns: the least, and what is over plain in the same turn: median (quartiles)");
        Console.WriteLine($"{"",-56}{"write CPU",12} {"over plain",26}{"read CPU",12} {"over plain",26}{"size",12}");
        for (var i = 0; i < layouts.Length; i++)
            Console.WriteLine($"{layouts[i].Name,-56}{write[i].Min(),9:N0} ms {Over(write[i], write[0]),26}{read[i].Min(),9:N0} ms {Over(read[i], read[0]),26}{(double)bytes[i] / bytes[0] - 1,12:+0.0000%;-0.0000%}");
        Console.WriteLine("limits: 3 of 30 write +5 %, read +10 %; size +0.1 %");
    }

    private sealed record Layout(string Name, int Encrypted, ProtectionOptions? Options, bool Digests = true)
    {
        /// <summary>Columns without tags are there, and the digests that stand for them are to be left out of the account.</summary>
        internal bool IsWithoutItsDigests => !Digests && (Options is { PlainColumns: true } or { PlaintextFooter: true });
    }

    /// <summary>Each turn beside the plain one of the same turn, so that what slows the machine for a while slows both.</summary>
    private static string Over(List<double> these, List<double> plain) => ColumnsArea.Spread(these.Zip(plain, (one, other) => (one / other) - 1));

    private static void Write(Table table, Layout layout, string path, KeyRing keys)
    {
        using var file = File.Create(path);
        if (layout.Options is not { } options)
        {
            using var builder = new WriterPropertiesBuilder();
            using var properties = builder.Compression(Compression.Snappy).DisableWritePageIndex().Build();
            ParquetTable.Write(table, file, properties, null, CancellationToken.None);
            return;
        }

        var columns = string.Join(',', Enumerable.Range(0, layout.Encrypted).Select(i => $$"""
            "c{{i}}":{"action":"encrypt"}
            """));
        var policy = ProtectionPolicy.Parse($$"""{"format":"data-policy/v1","dataset":"bench","otherwise":"keep","columns":{ {{columns}} } }""");
        using var job = new ProtectionJob(policy, Tables.Shapes(table), keys, options);
        using var part = job.Begin(file, "part-00000.parquet", Tables.Shapes(table), external: false, hashed: layout.Digests);
        for (var start = 0; start < table.Rows; start += ParquetTable.RowGroupRows)
            part.Add(Tables.Slice(table, start, Math.Min(ParquetTable.RowGroupRows, table.Rows - start)), CancellationToken.None);
        part.Close(part.Manifest, null, CancellationToken.None);
    }

    /// <summary>As the reader does before it believes a plain column.</summary>
    private static void Hash(string path)
    {
        using var file = File.OpenRead(path);
        SHA256.HashData(file);
    }

    private static void Read(string path, bool isProtected, KeyRing keys)
    {
        using ITableSource source = isProtected
            ? DataProtection.OpenColumns(path, [.. Enumerable.Range(0, Columns).Select(i => $"c{i}")], keys)
            : TableSource.Open(path);
        foreach (var _ in source.Batches(CancellationToken.None))
        {
        }
    }
}
