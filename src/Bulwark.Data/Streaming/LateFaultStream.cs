namespace Bulwark.Data;

/// <summary>Keeps a fault of the disk from the native Parquet writer, which may end the process when its stream throws: the fault is kept and thrown between its calls.</summary>
internal sealed class LateFaultStream(Stream destination) : WriteOnlyStream
{
    private Exception? _fault;

    /// <exception cref="IOException">A write failed; what was written since is lost.</exception>
    internal void ThrowIfFaulted()
    {
        if (_fault is not null)
            throw new IOException(_fault.Message, _fault);
    }

    protected override void WriteCore(ReadOnlySpan<byte> buffer)
    {
        if (_fault is not null)
            return;
        try
        {
            destination.Write(buffer);
        }
        catch (Exception fault)
        {
            _fault = fault;
        }
    }

    public override void Flush()
    {
        if (_fault is not null)
            return;
        try
        {
            destination.Flush();
        }
        catch (Exception fault)
        {
            _fault = fault;
        }
    }
}
