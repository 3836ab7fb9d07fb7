using Bulwark.Data;

namespace Bulwark.Tests.Data;

public class FailingDiskTests
{
    /// <summary>At every place where it may happen, a failing disk is an exception of ours and never the end of the process.</summary>
    [Fact]
    public void A_disk_that_fails_anywhere_is_an_error_to_catch()
    {
        var table = new Table([new NumberColumn("x", [.. Enumerable.Range(0, 3000).Select(i => (double)i)]), new TextColumn("t", [.. Enumerable.Range(0, 3000).Select(i => $"text {i}")])]);
        using var builder = new ParquetSharp.WriterPropertiesBuilder();
        using var properties = builder.Build();
        using var whole = new MemoryStream();
        ParquetTable.Write(table, whole, properties, null, CancellationToken.None);
        for (var room = 0L; room < whole.Length; room += whole.Length / 40)
        {
            using var disk = new Full(room);
            Assert.Equal("no room", Assert.Throws<IOException>(() => ParquetTable.Write(table, disk, properties, null, CancellationToken.None)).Message);
        }
    }

    private sealed class Full(long room) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => Write(buffer.ToArray(), 0, buffer.Length);

        public override void Write(byte[] buffer, int offset, int count)
        {
            if (Length + count > room)
                throw new IOException("no room");
            base.Write(buffer, offset, count);
        }
    }
}
