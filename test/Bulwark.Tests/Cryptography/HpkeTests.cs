using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Tests.Cryptography;

public class HpkeTests
{
    [Fact]
    public void The_p_256_vector_of_rfc_9180_is_reproduced()   // RFC 9180 §A.3.1: base mode, first message (AES-128-GCM, the RFC prints no AES-256-GCM)
    {
        using var recipient = Pair("f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2",
            "04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0");
        using var ephemeral = Pair("4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb",
            "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4");
        var info = Convert.FromHexString("4f6465206f6e2061204772656369616e2055726e");
        var (enc, ciphertext) = Hpke.Seal(Hpke.Aes128Gcm, ephemeral, recipient.PublicKey, info, "Count-0"u8, "Beauty is truth, truth beauty"u8);
        Assert.Equal(ephemeral.PublicKey, enc);
        Assert.Equal("5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434", Convert.ToHexStringLower(ciphertext));
        Assert.Equal("Beauty is truth, truth beauty"u8, Hpke.Open(Hpke.Aes128Gcm, recipient, enc, info, "Count-0"u8, ciphertext));
    }

    [Fact]
    public void The_x25519_vector_of_rfc_9180_is_reproduced()   // RFC 9180 §A.1.1: base mode, first message
    {
        using var recipient = X25519KeyPair.Import(Convert.FromHexString("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"));
        using var ephemeral = X25519KeyPair.Import(Convert.FromHexString("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736"));
        Assert.Equal("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d", Convert.ToHexStringLower(recipient.PublicKey.Bytes));
        var info = Convert.FromHexString("4f6465206f6e2061204772656369616e2055726e");
        var (enc, ciphertext) = Hpke.Seal(Hpke.Aes128Gcm, ephemeral, recipient.PublicKey.Bytes, info, "Count-0"u8, "Beauty is truth, truth beauty"u8);
        Assert.Equal("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431", Convert.ToHexStringLower(enc));
        Assert.Equal("f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a", Convert.ToHexStringLower(ciphertext));
        Assert.Equal("Beauty is truth, truth beauty"u8, Hpke.Open(Hpke.Aes128Gcm, recipient, enc, info, "Count-0"u8, ciphertext));
    }

    [Fact]
    public void A_key_of_small_order_is_refused_on_both_sides()
    {
        using var recipient = X25519KeyPair.Generate();
        Assert.Throws<ArgumentException>(() => Hpke.Seal(new X25519PublicKey(new byte[32]), [], [], []));
        Assert.Throws<CryptographicException>(() => Hpke.Open(recipient, new byte[32], [], [], new byte[48]));
    }

    [Fact]
    public void Only_the_recipient_opens_and_only_in_the_same_context()
    {
        using var recipient = HpkeKeyPair.Generate();
        using var other = HpkeKeyPair.Generate();
        var (enc, ciphertext) = Hpke.Seal(recipient.PublicKey, "info"u8, "aad"u8, "data key"u8);
        Assert.Equal("data key"u8, Hpke.Open(recipient, enc, "info"u8, "aad"u8, ciphertext));
        Assert.Throws<CryptographicException>(() => Hpke.Open(other, enc, "info"u8, "aad"u8, ciphertext));
        Assert.Throws<CryptographicException>(() => Hpke.Open(recipient, enc, "inf"u8, "aad"u8, ciphertext));
        Assert.Throws<CryptographicException>(() => Hpke.Open(recipient, enc, "info"u8, "aa"u8, ciphertext));
        Assert.Throws<CryptographicException>(() => Hpke.Open(recipient, enc.AsSpan(1), "info"u8, "aad"u8, ciphertext));
        Assert.Throws<CryptographicException>(() => Hpke.Open(recipient, enc, "info"u8, "aad"u8, ciphertext.AsSpan(0, 8)));
        foreach (var bytes in new[] { enc, ciphertext })
        {
            for (var i = 0; i < bytes.Length; i++)
            {
                bytes[i] ^= 1;
                Assert.Throws<CryptographicException>(() => Hpke.Open(recipient, enc, "info"u8, "aad"u8, ciphertext));
                bytes[i] ^= 1;
            }
        }
    }

    [Fact]
    public void A_point_off_the_curve_is_refused()
    {
        var point = new byte[65];
        point[0] = 4;
        point[64] = 1;
        Assert.Throws<ArgumentException>(() => Hpke.Seal(point, [], [], []));
    }

    private static HpkeKeyPair Pair(string privateKey, string publicKey) =>
        HpkeKeyPair.Import(Convert.FromHexString(privateKey), Convert.FromHexString(publicKey));
}
