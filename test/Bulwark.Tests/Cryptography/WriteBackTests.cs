using Bulwark.Cryptography;

namespace Bulwark.Tests.Cryptography;

public sealed class WriteBackTests
{
    [Fact]
    public void A_c_library_without_the_function_is_no_fault()
    {
        Assert.True(WriteBack.IsMissing(() => throw new EntryPointNotFoundException()));
        Assert.True(WriteBack.IsMissing(() => throw new DllNotFoundException()));
    }

    [Fact]
    public void A_refusal_is_no_fault_and_does_not_stop_the_hints() => Assert.False(WriteBack.IsMissing(() => -1));

    [Fact]
    public void A_file_can_be_hinted_at()
    {
        using var folder = new TemporaryFolder();
        using var file = File.OpenHandle(folder["hinted"], FileMode.Create, FileAccess.Write);
        RandomAccess.Write(file, new byte[8192], 0);
        WriteBack.Begin(file, 0, 8192);
        Assert.Equal(8192, RandomAccess.GetLength(file));
    }
}
