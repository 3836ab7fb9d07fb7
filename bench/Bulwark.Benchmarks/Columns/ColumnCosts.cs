using System.Security.Cryptography;
using Bulwark.Benchmarks.Channel;
using Bulwark.Cryptography;
using Bulwark.Data;
using ParquetSharp;

namespace Bulwark.Benchmarks.Columns;

/// <summary>What encryption adds to writing and reading 30 columns: the same writer and reader, with and without keys, each beside a plain one of its own, in one run.</summary>
/// <remarks>
/// The commitment that protecting also computes is left out: it is no part of the encryption. Nor are the digests by which plain columns are believed:
/// they have a line of their own, written with them, and read with them; in the line above, the price of that pass is taken off the reading.
/// The clock is the thread's: writing and reading have one thread, and what other programs do meanwhile counts least so. Files are in memory where the system has such a folder.
/// </remarks>
internal static class ColumnCosts
{
    private const int Columns = 30;

    internal static void Print(int rows, int pairs, string folder, KeyRing keys)
    {
        var random = new Random(1);
        var table = new Table(Enumerable.Range(0, Columns).Select(i => new NumberColumn($"c{i}", [.. Enumerable.Range(0, rows).Select(_ => random.NextDouble())])));
        Layout[] layouts =
        [
            new("plain again: how far two equal runs differ", 0, null),
            new("3 of 30 under own keys, 27 plain: the encryption", 3, new() { PlainColumns = true }, Digests: false),
            new("  and the digests of what is plain", 3, new() { PlainColumns = true }),
            new("3 of 30, signed plaintext footer: the encryption", 3, new() { PlaintextFooter = true }, Digests: false),
            new("3 under own keys, 27 under the footer's (the default)", 3, new(), Digests: false),
            new("30 of 30 under own keys", 30, new(), Digests: false),
        ];
        var plain = new Layout("plain", 0, null);
        var (write, read, bytes) = (layouts.Select(_ => new Pairs()).ToArray(), layouts.Select(_ => new Pairs()).ToArray(), new long[layouts.Length]);
        var plainBytes = 0L;
        for (var turn = 0; turn <= pairs; turn++)
        {
            for (var i = 0; i < layouts.Length; i++)
            {
                var (one, other) = turn % 2 == 0 ? (plain, layouts[i]) : (layouts[i], plain);
                var (first, second) = (Measure(table, one, folder, keys, turn == 0), Measure(table, other, folder, keys, turn == 0));
                var (bare, kept) = turn % 2 == 0 ? (first, second) : (second, first);
                (plainBytes, bytes[i]) = (bare.Bytes, kept.Bytes);
                if (turn == 0)
                    continue;   // compiles the code
                write[i].Add(bare.Write, kept.Write);
                read[i].Add(bare.Read, kept.Read);
            }
        }

        var (writing, reading) = (write.Min(one => one.LeastPlain), read.Min(one => one.LeastPlain));
        Console.WriteLine($"{rows:N0} rows x {Columns} random doubles, row groups of 131,072, Snappy, in {folder}; CPU of the thread. Plain, the least of {pairs * layouts.Length}: write {writing:N0} ms, read {reading:N0} ms, {plainBytes:N0} B");
        Console.WriteLine($"{pairs} pairs, each beside a plain one just before or after. Over plain: the least against the least of as many, which what else runs here disturbs least; then the pairs' differences, median (quartiles)");
        Console.WriteLine($"{"",-56}{"write: least",14}{"pairs",26}{"read: least",14}{"pairs",26}{"size",12}");
        for (var i = 0; i < layouts.Length; i++)
            Console.WriteLine($"{layouts[i].Name,-56}{write[i].Least,14:+0.0 %;-0.0 %}{write[i].Spread,26}{read[i].Least,14:+0.0 %;-0.0 %}{read[i].Spread,26}{(double)bytes[i] / plainBytes - 1,12:+0.0000%;-0.0000%}");
        foreach (var (name, milliseconds) in new[] { ("AES-256-GCM alone over 3 of 30 columns", Cipher(plainBytes * 3 / Columns)), ("AES-256-GCM alone over all", Cipher(plainBytes)), ("SHA-256 alone over the file", Hash(plainBytes)) })
            Console.WriteLine($"{"  limit: " + name,-56}{milliseconds / writing,14:+0.0 %}{"",26}{milliseconds / reading,14:+0.0 %}   ({milliseconds:N1} ms)");
        Console.WriteLine("goals: 3 of 30 write +5 %, read +10 %; size +0.1 %");
    }

    private static (double Write, double Read, long Bytes) Measure(Table table, Layout layout, string folder, KeyRing keys, bool isFirst)
    {
        var path = Path.Combine(folder, $"{layout.Name.GetHashCode(StringComparison.Ordinal)}.parquet");
        GC.Collect();
        var written = CpuMilliseconds(() => Write(table, layout, path, keys));
        var size = new FileInfo(path).Length;
        if (layout.IsWithoutItsDigests)
        {
            File.Delete(path);
            path += ".believed";   // the same with its digests: one that can be read
            if (isFirst)
                Write(table, layout with { Digests = true }, path, keys);
        }

        var wasRead = CpuMilliseconds(() => Read(path, layout.Options is not null, keys));
        if (layout.IsWithoutItsDigests)
            wasRead -= CpuMilliseconds(() => Hash(path));
        else
            File.Delete(path);
        return (written, wasRead, size);
    }

    private static double CpuMilliseconds(Action run) => ThreadClock.Of(run) * 1000;

    /// <summary>The least CPU of the cipher over so many bytes, in modules of 1 MiB.</summary>
    private static double Cipher(long bytes)
    {
        var (buffer, nonce, tag) = (new byte[1 << 20], new byte[12], new byte[16]);
        using var gcm = new AesGcm(RandomNumberGenerator.GetBytes(32), 16);
        return Enumerable.Range(0, 200).Min(_ => CpuMilliseconds(() => gcm.Encrypt(nonce, buffer, buffer, tag))) * bytes / buffer.Length;
    }

    private static double Hash(long bytes)
    {
        var buffer = new byte[1 << 20];
        return Enumerable.Range(0, 100).Min(_ => CpuMilliseconds(() => SHA256.HashData(buffer))) * bytes / buffer.Length;
    }

    /// <summary>What was measured with keys, each beside a plain one.</summary>
    private sealed class Pairs
    {
        private readonly List<(double Plain, double Kept)> _pairs = [];

        internal double LeastPlain => _pairs.Min(pair => pair.Plain);

        internal double Least => _pairs.Min(pair => pair.Kept) / LeastPlain - 1;

        internal string Spread => ColumnsArea.Spread(_pairs.Select(pair => pair.Kept / pair.Plain - 1));

        internal void Add(double plain, double kept) => _pairs.Add((plain, kept));
    }

    private sealed record Layout(string Name, int Encrypted, ProtectionOptions? Options, bool Digests = true)
    {
        /// <summary>Columns without tags are there, and the digests that stand for them are to be left out of the account.</summary>
        internal bool IsWithoutItsDigests => !Digests && (Options is { PlainColumns: true } or { PlaintextFooter: true });
    }

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
