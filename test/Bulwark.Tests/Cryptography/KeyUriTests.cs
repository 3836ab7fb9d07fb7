using Bulwark.Cryptography;

namespace Bulwark.Tests.Cryptography;

public class KeyUriTests
{
    [Theory]
    [InlineData("sealing", "file:sealing", null)]
    [InlineData("file:team/sealing@12", "file:team/sealing@12", "12")]
    [InlineData("pkcs11:object=kek;token=prod", "pkcs11:token=prod;object=kek", null)]
    [InlineData("pkcs11:object=my%20kek;id=%0a1?pin-source=file:/run/pin&module-path=/usr/lib/x.so", "pkcs11:object=my%20kek;id=%0A%31?module-path=/usr/lib/x.so&pin-source=file:/run/pin", "%0A%31")]
    [InlineData("vault:https://Vault.example:8200/transit/kek", "vault:https://vault.example:8200/transit/kek", null)]
    [InlineData("vault:https://vault.example/team/a/transit/kek@3", "vault:https://vault.example/team/a/transit/kek@3", "3")]
    [InlineData("vault:http://127.0.0.1:8200/transit/kek@3", "vault:http://127.0.0.1:8200/transit/kek@3", "3")]
    [InlineData("aws-kms:arn:aws:kms:eu-central-1:123456789012:alias/kek", "aws-kms:arn:aws:kms:eu-central-1:123456789012:alias/kek", null)]
    [InlineData("gcp-kms:projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/3", "gcp-kms:projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/3", "3")]
    [InlineData("azure-kv:https://name.vault.azure.net/keys/kek/0123abcd", "azure-kv:https://name.vault.azure.net/keys/kek/0123abcd", "0123abcd")]
    public void An_address_has_one_spelling(string text, string canonical, string? version)
    {
        var uri = KeyUri.Parse(text);
        Assert.Equal(canonical, uri.ToString());
        Assert.Equal(version, uri.Version);
        Assert.Equal(uri, KeyUri.Parse(canonical));
        if (version is not null)
            Assert.Equal(uri.Key.WithVersion(version).ToString(), canonical.Split('?')[0]);
    }

    [Theory]
    [InlineData("", "printable")]
    [InlineData("file:a b", "printable")]
    [InlineData("file:../ring", "keyring key")]
    [InlineData("sealing@0", "keyring key")]
    [InlineData("s3:bucket/key", "known:")]
    [InlineData("pkcs11:token=prod", "names its key")]
    [InlineData("pkcs11:object=kek?pin-value=1234", "A PIN does not belong")]
    [InlineData("pkcs11:object=kek;pin-value=1234", "A PIN does not belong")]
    [InlineData("pkcs11:object=kek;object=other", "twice")]
    [InlineData("pkcs11:object=%4", "percent")]
    [InlineData("pkcs11:object=kek;colour=red", "no attribute")]
    [InlineData("vault:https://user:secret@vault.example/transit/kek", "without user name")]
    [InlineData("vault:http://vault.example/transit/kek", "https")]
    [InlineData("vault:https://vault.example/kek", "MOUNT")]
    [InlineData("vault:https://vault.example/transit/../kek", "MOUNT")]
    [InlineData("vault:https://vault.example/transit/kek?x=1", "MOUNT")]
    [InlineData("aws-kms:alias/kek", "arn:aws")]
    [InlineData("gcp-kms:projects/p/cryptoKeys/k", "keyRings")]
    [InlineData("azure-kv:http://name.vault.azure.net/keys/kek", "https")]
    [InlineData("azure-kv:https://attacker.example/keys/kek", "vault.azure.net")]
    [InlineData("azure-kv:https://name.vault.azure.net.attacker.example/keys/kek", "vault.azure.net")]
    [InlineData("azure-kv:https://attackervault.azure.net/keys/kek", "vault.azure.net")]
    public void What_is_no_address_or_holds_a_secret_is_refused(string text, string reason)
    {
        var refusal = Assert.Throws<FormatException>(() => KeyUri.Parse(text));
        Assert.Contains(reason, refusal.Message);
        Assert.DoesNotContain("1234", refusal.Message);
        Assert.DoesNotContain("user:secret", refusal.Message);
        Assert.False(KeyUri.TryParse(text, out _));
    }

    [Fact]
    public void A_token_address_gives_its_attributes_decoded_and_leaves_the_way_to_it_behind()
    {
        var uri = KeyUri.Parse("pkcs11:token=my%20token;object=kek;id=%03?module-path=/usr/lib/x.so");
        Assert.Equal("my token"u8, uri.Pkcs11Attributes["token"]);
        Assert.Equal([3], uri.Pkcs11Attributes["id"]);
        Assert.Equal("/usr/lib/x.so"u8, uri.Pkcs11Attributes["module-path"]);
        Assert.Equal("pkcs11:token=my%20token;object=kek", uri.Key.ToString());
    }

    [Fact]
    public void A_keyring_version_and_its_address_are_the_same_thing()
    {
        KeyUri uri = new KeyId("sealing", 3);
        Assert.True(uri.TryGetKeyId(out var id));
        Assert.Equal("sealing@3", id.ToString());
        Assert.False(uri.Key.TryGetKeyId(out _));
        Assert.False(KeyUri.Parse("vault:https://v.example/transit/k@3").TryGetKeyId(out _));
    }
}
