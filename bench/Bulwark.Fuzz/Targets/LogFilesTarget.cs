using Bulwark.Lineage;

namespace Bulwark.Fuzz.Targets;

/// <summary>Tiles, entry bundles and journal records: refused, or of the promised length.</summary>
internal sealed class LogFilesTarget : IFuzzTarget
{
    public string Name => "log-files";

    public IEnumerable<byte[]> Seeds()
    {
        ReadOnlyMemory<byte>[] entries = ["one"u8.ToArray(), Array.Empty<byte>(), new byte[300]];
        var record = new byte[JournalRecord.SizeOf(entries)];
        JournalRecord.Write(record, 7, entries);
        return [record, record[JournalRecord.HeadBytes..], new byte[64]];
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        if (JournalRecord.ReadHead(input) is { } head && head.Payload == input.Length - JournalRecord.HeadBytes && JournalRecord.IsWhole(input)
            && TileLayout.SplitBundle(input[JournalRecord.HeadBytes..].ToArray()).Count != head.Count)
            throw new InvalidOperationException("A whole record says another count than it has.");
        try
        {
            if (TileLayout.SplitTile(input, "tile", 2).Length != 2)
                throw new InvalidOperationException("A tile has another length than was promised.");
        }
        catch (InvalidDataException)
        {
            // Refused.
        }

        if (TileLayout.SplitBundle(input.ToArray(), "bundle", 1).Count != 1)
            throw new InvalidOperationException("A bundle has another length than was promised.");
    }

    public bool IsRefusal(Exception failure) => failure is InvalidDataException;
}
