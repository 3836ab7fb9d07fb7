using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Tests.Cryptography;

public class KeyProviderTests
{
    private static readonly KeyUri s_kek = KeyUri.Parse("file:data");

    [Fact]
    public async Task A_keyring_wraps_unwraps_rotates_and_rewraps_by_address()
    {
        using var folder = new TemporaryFolder();
        using var ring = KeyRingTests.Create(folder);
        ring.CreateSymmetric("data");
        using var key = SecretBytes.Random(32);
        var wrapped = await ring.WrapAsync(s_kek, key, "file 1"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Equal("file:data@1", wrapped.Kek.ToString());
        var description = await ring.RotateAsync(s_kek, TestContext.Current.CancellationToken);
        Assert.Equal(["file:data@1", "file:data@2"], description.Versions.Select(version => version.Id.ToString()));
        Assert.Equal("file:data@2", description.Current?.Id.ToString());
        var rewrapped = await ring.RewrapAsync(wrapped, "file 1"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Equal("file:data@2", rewrapped.Kek.ToString());
        Assert.Same(rewrapped, await ring.RewrapAsync(rewrapped, "file 1"u8.ToArray(), TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<CryptographicException>(async () => await ring.RewrapAsync(wrapped, "file 2"u8.ToArray(), TestContext.Current.CancellationToken));
        using var opened = await ring.UnwrapAsync(rewrapped, "file 1"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Equal(key.Span, opened.Span);
    }

    [Fact]
    public async Task Only_opened_stores_are_asked()
    {
        using var folder = new TemporaryFolder();
        var ring = KeyRingTests.Create(folder);
        ring.CreateSymmetric("data");
        using var stores = KeyProviders.Open([s_kek, KeyUri.Parse("file:other")], _ => ring);
        using var key = SecretBytes.Random(32);
        var stranger = new WrappedKey(KeyUri.Parse("vault:https://evil.example/transit/kek@1"), [1, 2, 3]);
        await Assert.ThrowsAsync<CryptographicException>(async () => await stores.UnwrapAsync(stranger, default, TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await stores.WrapAsync(stranger.Kek, key, default, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Each_use_is_recorded_with_who_what_and_why()
    {
        using var folder = new TemporaryFolder();
        var uses = new List<KeyUse>();
        var ring = KeyRingTests.Create(folder);
        ring.CreateSymmetric("data");
        using var log = new KeyUseLog(ring, "ada", "seal", (batch, _) => { uses.AddRange(batch); return default; });
        using var key = SecretBytes.Random(32);
        var context = new KeyContext("binding"u8.ToArray()).For("file 7");
        var wrapped = await log.WrapAsync(s_kek, key, context, TestContext.Current.CancellationToken);
        using var opened = await log.UnwrapAsync(wrapped, context, TestContext.Current.CancellationToken);
        Assert.Equal([KeyOperation.Wrap, KeyOperation.Unwrap], uses.Select(use => use.Operation));
        Assert.All(uses, use => Assert.Equal(("ada", "seal", "file 7", "file:data@1", Digest.Of("binding"u8)), (use.Who, use.Purpose, use.Item, use.Key.ToString(), use.Binding)));
    }

    [Fact]
    public async Task Without_a_record_no_key_is_given_out()
    {
        using var folder = new TemporaryFolder();
        using var ring = KeyRingTests.Create(folder);
        ring.CreateSymmetric("data");
        using var key = SecretBytes.Random(32);
        var wrapped = await ring.WrapAsync(s_kek, key, default, TestContext.Current.CancellationToken);
        using var log = new KeyUseLog(ring, "ada", "open", (_, _) => throw new IOException("The log's disk is full."), owned: false);
        await Assert.ThrowsAsync<IOException>(async () => await log.UnwrapAsync(wrapped, default, TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<IOException>(async () => await log.WrapAsync(s_kek, key, default, TestContext.Current.CancellationToken));
    }
}
