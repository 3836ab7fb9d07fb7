using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Fuzz.Targets;

/// <summary>Addresses of keys in every kind of store: what is read is written back as an equal address.</summary>
internal sealed class KeyUriTarget : IFuzzTarget
{
    public string Name => "key-uri";

    public IEnumerable<byte[]> Seeds() => new[]
    {
        "sealing", "file:sealing@3", "data/card-number@12", "pkcs11:token=prod;object=kek;id=%03?module-path=/usr/lib/a.so&pin-source=file:/etc/pin",
        "pkcs11:manufacturer=A%20B;serial=00;object=k%2Fe;type=secret-key", "vault:https://vault.example:8200/transit/kek@3", "vault:http://[::1]:8200/t/u/kek",
        "aws-kms:arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab", "gcp-kms:projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/3",
        "azure-kv:https://name.vault.azure.net/keys/kek/0123456789abcdef",
    }.Select(Encoding.UTF8.GetBytes);

    public void Run(ReadOnlySpan<byte> input)
    {
        var key = KeyUri.Parse(Encoding.UTF8.GetString(input));
        if (!KeyUri.Parse(key.ToString()).Equals(key) || !KeyUri.Parse(key.Key.ToString()).Equals(key.Key))
            throw new InvalidOperationException("An address does not read back as itself.");
        if (key.Key.Version is not null || (key.Version is { } version && !key.Key.WithVersion(version).Pkcs11Attributes.Keys.All(name => key.Pkcs11Attributes.ContainsKey(name))))
            throw new InvalidOperationException("A version was lost.");
        _ = Parts(key);
    }

    public bool IsRefusal(Exception failure) => failure is FormatException;

    private static int Parts(KeyUri key) => key.Pkcs11Attributes.Values.Sum(value => value.Length) + (key.TryGetKeyId(out var id) ? id.Version : 0);
}
