using System.Text;
using Bulwark.Cryptography;
using Bulwark.Keys;
using Bulwark.Tests.Servers;

namespace Bulwark.Tests.Keys;

public class UnpluggedTokenTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_that_is_taken_out_between_two_uses_is_a_clear_error_and_nothing_is_lost()
    {
        SoftHsm.NewToken("unplugged");
        using var folder = new TemporaryFolder();
        var kek = KeyUri.Parse("pkcs11:token=unplugged;object=kek");
        using var store = Pkcs11Provider.Open(kek, SoftHsm.Options);
        await store.CreateAsync(kek, Cancel);
        foreach (var name in new[] { "a", "b" })
            await AtomicFile.WriteAsync(folder[name], stream => SealedFile.SealAsync(new MemoryStream("secret"u8.ToArray()), stream, new SealOptions { Recipients = [SealRecipient.Key(store, kek)] }, null, Cancel), Cancel);
        var before = await File.ReadAllBytesAsync(folder["a"], Cancel);

        var token = Directory.EnumerateDirectories(Path.Combine(SoftHsm.Folder, "tokens")).Single(one => File.ReadAllBytes(Path.Combine(one, "token.object")).AsSpan().IndexOf(Encoding.ASCII.GetBytes("unplugged ")) >= 0);
        Directory.Move(token, token + ".out");
        var opening = await Assert.ThrowsAnyAsync<Exception>(() => SealedFile.OpenAsync(File.OpenRead(folder["a"]), [SealIdentity.Keys(store)], cancel: Cancel));
        Assert.IsType<KeyProviderException>(opening);
        Assert.Contains("unplugged", opening.Message);
        await Assert.ThrowsAsync<KeyProviderException>(() => AtomicFile.WriteAsync(folder["c"], stream => SealedFile.SealAsync(new MemoryStream(), stream, new SealOptions { Recipients = [SealRecipient.Key(store, kek)] }, null, Cancel), Cancel));
        Assert.False(File.Exists(folder["c"]));
        var rewrap = await SealedFile.RewrapManyAsync([folder["a"], folder["b"]], store, Cancel);
        Assert.All(rewrap, one => Assert.Equal(RewrapOutcome.Failed, one.Outcome));
        Assert.Equal(before, await File.ReadAllBytesAsync(folder["a"], Cancel));
    }
}
