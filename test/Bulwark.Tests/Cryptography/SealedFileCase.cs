using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Tests.Cryptography;

/// <summary>A key, and files sealed under it in memory.</summary>
public abstract class SealedFileCase : IDisposable
{
    protected const int Segment = 1_048_544;

    protected TemporaryFolder Folder { get; } = new();

    protected KeyRing Keys { get; }

    protected SealedFileCase()
    {
        Keys = KeyRingTests.Create(Folder);
        Keys.CreateSymmetric("files");
    }

    public void Dispose()
    {
        Keys.Dispose();
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    protected SealOptions Options => new()
    {
        Recipients = [SealRecipient.Key(Keys, "files")],
        SlotCapacityInBytes = 512,
        MediaType = "text/plain",
        Context = new Dictionary<string, string> { ["model"] = "fraud", ["a"] = "b" },
    };

    protected async Task<byte[]> Seal(byte[] plaintext, bool seeks = true, SealSuite suite = SealSuite.Floe, int threads = 0)
    {
        using var destination = new MemoryStream();
        var source = new MemoryStream(plaintext);
        await SealedFile.SealAsync(
            seeks ? source : new ForwardStream(source), destination, Options with { Suite = suite, Threads = threads }, cancel: TestContext.Current.CancellationToken);
        return destination.ToArray();
    }

    protected async Task<byte[]> Forward(byte[] bytes, int threads = 1)
    {
        using var destination = new MemoryStream();
        await SealedFile.OpenToAsync(new ForwardStream(new MemoryStream(bytes)), destination, [SealIdentity.Keys(Keys)], threads, cancel: TestContext.Current.CancellationToken);
        return destination.ToArray();
    }

    protected byte[] ReadAll(byte[] bytes)
    {
        using var opened = SealedFile.Open(new MemoryStream(bytes), Keys);
        var plaintext = new byte[opened.Length];
        opened.ReadExactly(plaintext);
        return plaintext;
    }

    protected void Refused(byte[] bytes) => Assert.Throws<CryptographicException>(() => ReadAll(bytes));
}
