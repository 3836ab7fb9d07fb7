using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Keys;
using Bulwark.Tests.Servers;

namespace Bulwark.Tests.Data;

/// <summary>Column keys in a Vault: the texts in the file are those of Arrow's sample client, so that PyArrow opens it.</summary>
public sealed class VaultColumnKeyTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_files_keys_are_wrapped_as_Vaults_own_texts_and_the_server_opens_them()
    {
        await using var vault = await FakeVault.StartAsync();
        using var store = VaultProvider.Open(vault.Key("footer"), vault.RootOptions);
        foreach (var name in new[] { "footer", "ssn" })
            await store.CreateAsync(vault.Key(name), Cancel);
        using var ring = KeyRing.Create(_folder["ring.json"], KeyRingUnlock.KeyFile(_folder["ring.key"]));
        var policy = ProtectionPolicy.Parse("""{"format":"data-policy/v1","dataset":"d","otherwise":"keep","columns":{"ssn":{"action":"encrypt","key":"KEY"}}}""".Replace("KEY", vault.Key("ssn").ToString(), StringComparison.Ordinal));
        using var source = TableSource.Of(new Table([new TextColumn("ssn", ["a", "b"]), new NumberColumn("x", [1, 2])]));
        var report = await DataProtection.ProtectAsync(source, policy, ring, _folder["p.parquet"], new() { Store = store, FooterKey = vault.Key("footer"), ExternalKeys = true }, cancel: Cancel);
        Assert.Equal(vault.Key("ssn").WithVersion("1"), report.Columns[0].Key);

        using var materials = JsonDocument.Parse(await File.ReadAllTextAsync(_folder["_KEY_MATERIAL_FOR_p.parquet.json"], Cancel));
        using var footer = JsonDocument.Parse(materials.RootElement.GetProperty("footerKey").GetString()!);
        Assert.Equal("footer", footer.RootElement.GetProperty("masterKeyID").GetString());
        Assert.Equal("transit", footer.RootElement.GetProperty("kmsInstanceID").GetString());
        Assert.StartsWith("vault:v1:", footer.RootElement.GetProperty("wrappedKEK").GetString());

        using var opened = DataProtection.OpenColumns(_folder["p.parquet"], ["ssn", "x"], ring, store: store);
        Assert.All(opened.Accesses, access => Assert.True(access.Opened, access.Reason));
        Assert.Equal(["a", "b"], ((TextColumn)opened.Batches(Cancel).Single()["ssn"]).Values);

        await store.RotateAsync(vault.Key("footer"), Cancel);
        Assert.Equal(RewrapOutcome.Rewrapped, (await new ParquetKeyFiles(store).RewrapAsync(_folder["_KEY_MATERIAL_FOR_p.parquet.json"], Cancel)).Outcome);
        vault.KeyType = "rsa-3072";   // anybody could have wrapped by it
        using var forged = VaultProvider.Open(vault.Key("footer"), vault.RootOptions);
        Assert.Contains("public half", Assert.Throws<KeyProviderException>(() => DataProtection.OpenColumns(_folder["p.parquet"], ["x"], ring, store: forged)).Message);
        using var again = DataProtection.OpenColumns(_folder["p.parquet"], ["x"], ring, store: store);
        Assert.True(Assert.Single(again.Accesses).Opened);
    }
}
