using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Tests.Cryptography;

public class KeyRingTests
{
    [Fact]
    public void A_key_outlives_its_ring_object()
    {
        using var folder = new TemporaryFolder();
        byte[] derived;
        VerificationKey signing;
        using (var ring = Create(folder))
        {
            Assert.Equal("data@1", ring.CreateSymmetric("data").ToString());
            ring.CreateSigning("log");
            derived = ring.Derive("data", "columns").Span.ToArray();
            signing = ring.PublicKey("log");
        }

        using var opened = Open(folder);
        Assert.Equal(derived, opened.Derive("data", "columns").Span);
        using var signer = opened.OpenSigner("log");
        Assert.Equal(signing, signer.PublicKey);
    }

    [Fact]
    public void A_passphrase_opens_and_another_does_not()
    {
        using var folder = new TemporaryFolder();
        using (KeyRing.Create(folder["ring"], KeyRingUnlock.Passphrase("correct horse")))
        {
        }

        using var opened = KeyRing.Open(folder["ring"], KeyRingUnlock.Passphrase("correct horse"));
        Assert.Throws<CryptographicException>(() => KeyRing.Open(folder["ring"], KeyRingUnlock.Passphrase("battery staple")));
        Assert.Throws<CryptographicException>(() => KeyRing.Open(folder["ring"], KeyRingUnlock.KeyFile(folder["ring.key"])));
    }

    [Fact]
    public void A_changed_ring_is_refused()
    {
        using var folder = new TemporaryFolder();
        using (var ring = Create(folder))
            ring.CreateSymmetric("data");
        var text = File.ReadAllText(folder["ring"]);
        var body = text.IndexOf("\"body\":\"", StringComparison.Ordinal) + 8;
        File.WriteAllText(folder["ring"], text[..body] + (text[body] == 'A' ? 'B' : 'A') + text[(body + 1)..]);
        Assert.Throws<CryptographicException>(() => Open(folder));
    }

    [Fact]
    public void Fewer_rounds_than_promised_are_refused()
    {
        using var folder = new TemporaryFolder();
        using (KeyRing.Create(folder["ring"], KeyRingUnlock.Passphrase("p")))
        {
        }

        File.WriteAllText(folder["ring"], File.ReadAllText(folder["ring"]).Replace("600000", "1", StringComparison.Ordinal));
        Assert.Contains("rounds", Assert.Throws<CryptographicException>(() => KeyRing.Open(folder["ring"], KeyRingUnlock.Passphrase("p"))).Message);
    }

    [Fact]
    public void A_key_file_open_to_others_is_refused()
    {
        if (OperatingSystem.IsWindows())
            return;   // has no such permissions
        using var folder = new TemporaryFolder();
        using (Create(folder))
        {
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder["ring"]));
        File.SetUnixFileMode(folder["ring.key"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assert.Throws<UnauthorizedAccessException>(() => Open(folder));
    }

    [Fact]
    public void A_wrapped_key_opens_only_in_its_context()
    {
        using var folder = new TemporaryFolder();
        using var ring = Create(folder);
        ring.CreateSymmetric("data");
        using var key = SecretBytes.Random(32);
        var wrapped = ring.Wrap("data", key.Span, "file 1"u8);
        using (var unwrapped = ring.Unwrap(wrapped, "file 1"u8))
            Assert.Equal(key.Span, unwrapped.Span);
        Assert.Throws<CryptographicException>(() => ring.Unwrap(wrapped, "file 2"u8));
        Assert.Throws<CryptographicException>(() => ring.Unwrap(wrapped with { Kek = new KeyId("data", 2) }, "file 1"u8));
        Assert.Throws<CryptographicException>(() => ring.Unwrap(wrapped with { Bytes = wrapped.Bytes[..^1] }, "file 1"u8));
        Assert.Throws<CryptographicException>(() => ring.Unwrap(wrapped with { Bytes = [] }, "file 1"u8));
    }

    [Fact]
    public void A_new_version_protects_and_old_ones_still_open()
    {
        using var folder = new TemporaryFolder();
        using var ring = Create(folder);
        ring.CreateSymmetric("data");
        using var key = SecretBytes.Random(32);
        var old = ring.Wrap("data", key.Span, []);
        Assert.Equal(2, ring.CreateSymmetric("data").Version);
        Assert.Equal("file:data@2", ring.Wrap("data", key.Span, []).Kek.ToString());
        using var opened = ring.Unwrap(old, []);
        Assert.Equal(key.Span, opened.Span);
    }

    [Fact]
    public void A_retired_key_opens_and_a_destroyed_one_never_does()
    {
        using var folder = new TemporaryFolder();
        using var ring = Create(folder);
        var id = ring.CreateSymmetric("data");
        using var key = SecretBytes.Random(32);
        var wrapped = ring.Wrap("data", key.Span, []);
        ring.Retire(id);
        Assert.Throws<InvalidOperationException>(() => ring.Wrap("data", key.Span, []));
        using (ring.Unwrap(wrapped, []))
        {
        }

        ring.Destroy(id);
        Assert.Throws<CryptographicException>(() => ring.Unwrap(wrapped, []));
        Assert.Throws<InvalidOperationException>(() => ring.Retire(id));
        using var opened = Open(folder);
        Assert.Throws<CryptographicException>(() => opened.Unwrap(wrapped, []));
    }

    [Fact]
    public void Purposes_and_versions_give_independent_keys()
    {
        using var folder = new TemporaryFolder();
        using var ring = Create(folder);
        var first = ring.CreateSymmetric("data");
        var second = ring.CreateSymmetric("data");
        string[] keys = [
            Convert.ToHexString(ring.Derive(first, "a").Span), Convert.ToHexString(ring.Derive(first, "b").Span),
            Convert.ToHexString(ring.Derive(second, "a").Span)];
        Assert.Equal(3, keys.Distinct().Count());
        Assert.Equal(keys[2], Convert.ToHexString(ring.Derive("data", "a").Span));
    }

    [Fact]
    public void Two_openers_see_each_others_keys()
    {
        using var folder = new TemporaryFolder();
        using var one = Create(folder);
        using var two = Open(folder);
        one.CreateSymmetric("a");
        two.CreateSymmetric("b");
        Assert.Equal("a@1", two.GetOrCreateSymmetric("a").ToString());
        Assert.Equal(["a@1", "b@1"], one.List().Select(key => key.Id.ToString()));
    }

    [Fact]
    public async Task Many_openers_at_once_lose_no_key()
    {
        using var folder = new TemporaryFolder();
        using (Create(folder))
        {
        }

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() =>
        {
            using var ring = Open(folder);
            ring.CreateSymmetric($"key-{i}");
            ring.GetOrCreateSymmetric("shared");
        })));
        using var all = Open(folder);
        Assert.Equal(9, all.List().Count);
    }

    [Fact]
    public void Nothing_secret_is_readable_in_the_file_or_in_text()
    {
        using var folder = new TemporaryFolder();
        using var ring = Create(folder);
        ring.CreateSymmetric("data");
        Assert.DoesNotContain("data", File.ReadAllText(folder["ring"]));
        using var secret = SecretBytes.CopyOf("hunter2"u8);
        Assert.Equal("7 secret bytes", secret.ToString());
        Assert.DoesNotContain("hunter2", KeyRingUnlock.Passphrase("hunter2").ToString());
    }

    [Fact]
    public void A_ring_or_secret_that_was_disposed_gives_nothing()
    {
        using var folder = new TemporaryFolder();
        var ring = Create(folder);
        ring.CreateSymmetric("data");
        ring.Dispose();
        Assert.Throws<ObjectDisposedException>(() => ring.Derive("data", "a"));
        var secret = SecretBytes.Random(4);
        secret.Dispose();
        Assert.Throws<ObjectDisposedException>(() => secret.Span.Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a@1")]
    [InlineData("../x")]
    public void A_name_that_could_be_mistaken_is_refused(string name)
    {
        using var folder = new TemporaryFolder();
        using var ring = Create(folder);
        Assert.Throws<ArgumentException>(() => ring.CreateSymmetric(name));
    }

    internal static KeyRing Create(TemporaryFolder folder) => KeyRing.Create(folder["ring"], KeyRingUnlock.KeyFile(folder["ring.key"]));

    private static KeyRing Open(TemporaryFolder folder) => KeyRing.Open(folder["ring"], KeyRingUnlock.KeyFile(folder["ring.key"]));
}
