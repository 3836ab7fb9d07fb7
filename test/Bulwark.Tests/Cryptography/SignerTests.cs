using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Tests.Cryptography;

public class SignerTests
{
    [Fact]
    public void The_second_vector_of_rfc_8032_is_reproduced()   // RFC 8032 §7.1, TEST 2
    {
        using var signer = Signer.FromSeed(Convert.FromHexString("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
        Assert.Equal("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", Convert.ToHexStringLower(signer.PublicKey.Bytes));
        Assert.Equal(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            Convert.ToHexStringLower(signer.Sign([0x72])));
    }

    [Fact]
    public void Only_the_signed_bytes_verify()
    {
        using var signer = Signer.Generate();
        using var other = Signer.Generate();
        var signature = signer.Sign("message"u8);
        Assert.True(signer.PublicKey.Verify("message"u8, signature));
        Assert.False(signer.PublicKey.Verify("massage"u8, signature));
        Assert.False(other.PublicKey.Verify("message"u8, signature));
        Assert.False(signer.PublicKey.Verify("message"u8, signature.AsSpan(0, 63)));
        for (var bit = 0; bit < signature.Length * 8; bit++)
        {
            signature[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(signer.PublicKey.Verify("message"u8, signature));
            signature[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void A_key_of_small_order_verifies_nothing() =>   // the point of order 1 would accept the all-zero signature of anything
        Assert.False(new VerificationKey([1, .. new byte[31]]).Verify("message"u8, [1, .. new byte[63]]));

    [Fact]
    public void A_public_key_has_one_spelling()
    {
        using var signer = Signer.Generate();
        var text = signer.PublicKey.ToString();
        Assert.Equal(signer.PublicKey, VerificationKey.Parse(text));
        Assert.Throws<FormatException>(() => VerificationKey.Parse(text + " "));
        Assert.Throws<FormatException>(() => VerificationKey.Parse("ed25519:" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(31))));
        Assert.Throws<FormatException>(() => VerificationKey.Parse("rsa:" + text[8..]));
    }
}
