using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Keys;
using Bulwark.Tests.Servers;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Keys;

public class VaultTests
{
    private static readonly byte[] s_context = "file 1"u8.ToArray();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_is_wrapped_rotated_rewrapped_and_opened_on_the_server()
    {
        await using var vault = await FakeVault.StartAsync();
        using var store = VaultProvider.Open(vault.Key("kek"), vault.RootOptions);
        var made = await store.CreateAsync(vault.Key("kek"), Cancel);
        Assert.Equal(("aes256-gcm96", 256, false), (made.Algorithm, made.StrengthBits, made.Extractable));
        Assert.NotNull(made.Versions[0].Created);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.CreateAsync(vault.Key("kek"), Cancel));
        using var key = SecretBytes.Random(32);
        var wrapped = await store.WrapAsync(vault.Key("kek"), key, s_context, Cancel);
        Assert.StartsWith("vault:v1:", Encoding.ASCII.GetString(wrapped.Bytes));
        Assert.Equal(vault.Key("kek").WithVersion("1"), wrapped.Kek);
        await store.RotateAsync(vault.Key("kek"), Cancel);
        var rewrapped = await store.RewrapAsync(wrapped, s_context, Cancel);
        Assert.Equal("2", rewrapped.Kek.Version);
        Assert.Same(rewrapped, await store.RewrapAsync(rewrapped, s_context, Cancel));
        using var opened = await store.UnwrapAsync(rewrapped, s_context, Cancel);
        Assert.Equal(key.Span, opened.Span);
    }

    [Fact]
    public async Task A_key_without_context_is_rewrapped_without_leaving_the_server()
    {
        await using var vault = await FakeVault.StartAsync();
        using var store = VaultProvider.Open(vault.Key("kek"), vault.RootOptions);
        await store.CreateAsync(vault.Key("kek"), Cancel);
        using var key = SecretBytes.Random(32);
        var wrapped = await store.WrapAsync(vault.Key("kek"), key, default, Cancel);
        await store.RotateAsync(vault.Key("kek"), Cancel);
        Assert.Equal("2", (await store.RewrapAsync(wrapped, default, Cancel)).Kek.Version);
        Assert.Contains("POST /v1/transit/rewrap/kek", vault.Requests);
        Assert.DoesNotContain(vault.Requests, request => request.Contains("decrypt", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_thousand_keys_are_two_requests_each_way_and_each_answers_for_itself()
    {
        await using var vault = await FakeVault.StartAsync();
        using var store = VaultProvider.Open(vault.Key("kek"), vault.RootOptions);
        await store.CreateAsync(vault.Key("kek"), Cancel);
        var keys = Enumerable.Range(0, 1000).Select(i => (SecretBytes.Random(32), new KeyContext(BitConverter.GetBytes(i)))).ToArray();
        var wrapped = await store.WrapManyAsync(vault.Key("kek"), keys, Cancel);
        Assert.Equal(2, vault.Requests.Count(request => request.Contains("encrypt", StringComparison.Ordinal)));
        var items = wrapped.Select((key, i) => new WrappedItem(i == 7 ? key with { Bytes = [.. key.Bytes[..^3], (byte)'A', (byte)'A', (byte)'='] } : key, i == 8 ? s_context : keys[i].Item2)).ToArray();
        var answers = await store.UnwrapManyAsync(items, Cancel);
        Assert.Equal([7, 8], Enumerable.Range(0, 1000).Where(i => answers[i].Value is null));
        Assert.All(Enumerable.Range(0, 1000).Except([7, 8]), i => Assert.True(keys[i].Item1.Span.SequenceEqual(answers[i].Value!.Span)));
        Assert.Contains("cannot be opened", answers[7].Refusal);
    }

    [Fact]
    public async Task Changed_ciphertext_another_context_another_server_and_an_archived_version_are_refused()
    {
        await using var vault = await FakeVault.StartAsync();
        using var store = VaultProvider.Open(vault.Key("kek"), vault.RootOptions);
        await store.CreateAsync(vault.Key("kek"), Cancel);
        using var key = SecretBytes.Random(32);
        var wrapped = await store.WrapAsync(vault.Key("kek"), key, s_context, Cancel);
        async Task Refused(WrappedKey bad, KeyContext context) =>
            Assert.Contains("cannot be opened", (await Assert.ThrowsAsync<CryptographicException>(async () => await store.UnwrapAsync(bad, context, Cancel))).Message);
        await Refused(wrapped, "file 2"u8.ToArray());
        await Refused(wrapped with { Bytes = [.. wrapped.Bytes[..^5], (byte)'!', .. wrapped.Bytes[^4..]] }, s_context);
        await Refused(wrapped with { Bytes = [] }, s_context);
        await Refused(wrapped with { Kek = vault.Key("kek").WithVersion("2") }, s_context);
        await Refused(wrapped with { Kek = vault.Key("absent").WithVersion("1") }, s_context);
        await Refused(wrapped with { Kek = KeyUri.Parse("vault:https://elsewhere.example/transit/kek@1") }, s_context);
        await store.RotateAsync(vault.Key("kek"), Cancel);
        await store.DestroyAsync(wrapped.Kek, Cancel);
        await Refused(wrapped, s_context);
    }

    [Fact]
    public async Task Versions_are_retired_and_destroyed_as_the_server_allows()
    {
        await using var vault = await FakeVault.StartAsync();
        using var store = VaultProvider.Open(vault.Key("kek"), vault.RootOptions);
        await store.CreateAsync(vault.Key("kek"), Cancel);
        var first = vault.Key("kek").WithVersion("1");
        Assert.Contains("newest", (await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.RetireAsync(first, Cancel))).Message);
        await store.RotateAsync(vault.Key("kek"), Cancel);
        Assert.Equal([KeyState.DecryptOnly, KeyState.Enabled], (await store.RetireAsync(first, Cancel)).Versions.Select(version => version.State));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.DestroyAsync(vault.Key("kek").WithVersion("2"), Cancel));
        Assert.Equal(["2"], (await store.DestroyAsync(first, Cancel)).Versions.Select(version => version.Id.Version));
    }

    [Fact]
    public async Task A_server_that_does_not_bind_keys_to_their_context_is_not_used()
    {
        await using var vault = await FakeVault.StartAsync();
        vault.IgnoresAssociatedData = true;
        using var store = VaultProvider.Open(vault.Key("kek"), vault.RootOptions);
        await store.CreateAsync(vault.Key("kek"), Cancel);
        using var key = SecretBytes.Random(32);
        Assert.Contains("associated_data", (await Assert.ThrowsAsync<KeyProviderException>(async () => await store.WrapAsync(vault.Key("kek"), key, s_context, Cancel))).Message);
    }

    [Fact]
    public async Task AppRole_logs_in_renews_and_logs_in_again_when_its_token_is_revoked()
    {
        await using var vault = await FakeVault.StartAsync();
        vault.LeaseSeconds = 60;
        using var root = VaultProvider.Open(vault.Key("kek"), vault.RootOptions);
        await root.CreateAsync(vault.Key("kek"), Cancel);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var store = VaultProvider.Open(vault.Key("kek"), vault.Options(("VAULT_ROLE_ID", "role-1"), ("VAULT_SECRET_ID", "secret-1")) with { Time = time });
        await store.DescribeAsync(vault.Key("kek"), Cancel);
        time.Advance(TimeSpan.FromSeconds(45));
        await store.DescribeAsync(vault.Key("kek"), Cancel);
        Assert.Single(vault.Requests, request => request.Contains("renew-self", StringComparison.Ordinal));
        vault.RevokeAllButRoot();
        await store.DescribeAsync(vault.Key("kek"), Cancel);
        Assert.Equal(2, vault.Requests.Count(request => request.Contains("approle/login", StringComparison.Ordinal)));
        using var wrong = VaultProvider.Open(vault.Key("kek"), vault.Options(("VAULT_ROLE_ID", "role-1"), ("VAULT_SECRET_ID", "wrong-value")));
        var refusal = await Assert.ThrowsAsync<KeyProviderException>(async () => await wrong.DescribeAsync(vault.Key("kek"), Cancel));
        Assert.Contains("AppRole", refusal.Message);
        Assert.DoesNotContain("wrong-value", refusal.ToString());
    }

    [Fact]
    public async Task What_stands_in_the_way_is_said_with_what_to_do_and_no_secret()
    {
        var vault = await FakeVault.StartAsync();
        var key = vault.Key("kek");
        async Task<string> Fault(KeyStoreOptions options)
        {
            using var store = VaultProvider.Open(key, options with { Retries = 0 });
            using var secret = SecretBytes.CopyOf("hunter2-hunter2-hunter2-hunter2-"u8);
            var fault = await Assert.ThrowsAsync<KeyProviderException>(async () => await store.WrapAsync(key, secret, s_context, Cancel));
            Assert.DoesNotContain(Convert.ToBase64String(secret.Span)[..20], fault.ToString());
            return $"{fault.Message} {fault.Advice}";
        }

        Assert.Contains("VAULT_TOKEN", await Fault(vault.Options()));
        Assert.Contains("missing", await Fault(vault.Options(("VAULT_TOKEN_FILE", "/nowhere/token"))));
        Assert.Contains("revoked", await Fault(vault.Options(("VAULT_TOKEN", "hvs.revoked"))));
        using (var live = VaultProvider.Open(key, vault.RootOptions))
        {
            await live.CreateAsync(key, Cancel);
            vault.Revoke("hvs.root");
            Assert.Contains("revoked", (await Assert.ThrowsAsync<KeyProviderException>(async () => await live.DescribeAsync(key, Cancel))).Message);
        }

        Assert.Contains("No trusted TLS", await Fault(vault.RootOptions with { Authorities = null }));
        vault.Busy = 2;   // looking up the token, and the request itself
        Assert.Contains("sealed", await Fault(vault.RootOptions));
        var options = vault.RootOptions;
        await vault.DisposeAsync();
        Assert.Contains("cannot be reached", await Fault(options));
    }

    [Fact]
    public async Task A_busy_server_is_asked_again_but_a_rotation_is_not_repeated()
    {
        await using var vault = await FakeVault.StartAsync();
        using var store = VaultProvider.Open(vault.Key("kek"), vault.RootOptions);
        await store.CreateAsync(vault.Key("kek"), Cancel);
        vault.Busy = 2;
        Assert.Single((await store.DescribeAsync(vault.Key("kek"), Cancel)).Versions);
        Assert.Equal(2, (await store.RotateAsync(vault.Key("kek"), Cancel)).Versions.Count);
        Assert.Single(vault.Requests, request => request.EndsWith("/rotate", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_server_below_tls_1_3_is_not_spoken_to()
    {
        await using var vault = await FakeVault.StartAsync(new SslServerAuthenticationOptions { EnabledSslProtocols = SslProtocols.Tls12 });
        using var store = VaultProvider.Open(vault.Key("kek"), vault.RootOptions);
        Assert.Contains("TLS 1.3", (await Assert.ThrowsAsync<KeyProviderException>(async () => await store.DescribeAsync(vault.Key("kek"), Cancel))).Message);
    }
}
