using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Models;

namespace Bulwark.Tests.Models;

/// <summary>Whoever changes a package, or puts parts of two together, is refused, and told at which check.</summary>
public sealed class SealedModelTamperingTests : SealedPackage
{
    [Fact]
    public async Task A_flipped_bit_in_any_byte_is_refused()
    {
        var envelope = Package.Length - EnvelopeLength(Package);
        var seen = new HashSet<SealVerdict>();
        for (var place = 0; place < Package.Length; place++)
        {
            var damaged = Package.ToArray();
            damaged[place] ^= (byte)(1 << (place % 8));
            var verdict = (await Verify(damaged)).Verdict;
            seen.Add(verdict);
            if (place >= 16 && place < envelope)
                Assert.Equal(SealVerdict.PayloadAltered, verdict);
            else
                Assert.Contains(verdict, new[] { SealVerdict.NotAPackage, SealVerdict.UnknownVersion, SealVerdict.Malformed, SealVerdict.BadSignature });
        }

        Assert.Equal(5, seen.Count);
    }

    [Fact]
    public async Task A_file_cut_off_anywhere_is_refused()
    {
        for (var length = 0; length < Package.Length; length += length < 40 ? 1 : 37)
            Assert.False((await Verify(Package[..length])).IsTrusted);
        var envelope = Package.Length - EnvelopeLength(Package);
        Assert.Equal(SealVerdict.PayloadAltered, (await Verify([.. Package[..(envelope - 1)], .. Package[envelope..]])).Verdict);   // the payload alone is shorter
    }

    [Fact]
    public async Task A_byte_more_is_refused_wherever_it_stands()
    {
        var envelope = Package.Length - EnvelopeLength(Package);
        Assert.Equal(SealVerdict.Malformed, (await Verify([.. Package, 0])).Verdict);
        Assert.Equal(SealVerdict.PayloadAltered, (await Verify([.. Package[..envelope], 0, .. Package[envelope..]])).Verdict);
    }

    /// <summary>Opening verifies in the same reading: whoever skips <c>VerifyAsync</c> is refused the same.</summary>
    [Fact]
    public async Task Opening_at_once_refuses_what_verifying_refuses_and_says_which()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var dataKey = (await SealedModel.UnwrapDataKeyAsync(new MemoryStream(Package), Keys, Trusted, cancel)).DataKey;
        var envelope = Package.Length - EnvelopeLength(Package);
        foreach (var place in new[] { 0, 9, 12, 16, 600, 16 + ((envelope - 16) / 2), envelope - 1, envelope, Package.Length - 1 })
        {
            var damaged = Package.ToArray();
            damaged[place] ^= 1;
            var verdict = (await Verify(damaged)).Verdict;
            var refusal = await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(new MemoryStream(damaged), dataKey, Trusted, cancel));
            Assert.Contains($"({verdict})", refusal.Message, StringComparison.Ordinal);
        }

        foreach (var other in new[] { Package[..^1], [.. Package[..(envelope - 40)], .. Package[envelope..]], [.. Package[..envelope], 0, .. Package[envelope..]] })
            await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(new MemoryStream(other), dataKey, Trusted, cancel));
    }

    /// <summary>Whoever holds the data key can seal another payload under it; the publisher's signature is what stands against that, and it must not rest on the tags.</summary>
    [Fact]
    public async Task Another_payload_under_the_same_data_key_is_refused_though_every_tag_is_right()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var dataKey = (await SealedModel.UnwrapDataKeyAsync(new MemoryStream(Package), Keys, Trusted, cancel)).DataKey;
        var stream = new MemoryStream(Package) { Position = 16 };
        var (key, associatedData, offset) = SealedFile.ExportPayloadKey(stream, dataKey.Span);
        using (key)
        {
            var plain = new byte[Info.PlainBytes];
            var message = Floe.Encrypt(key.Span, associatedData, plain, 1 << 20);
            byte[] forged = [.. Package[..(int)(16 + offset)], .. message, .. Package[^EnvelopeLength(Package)..]];
            Assert.Equal(Package.Length, forged.Length);
            var refusal = await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(new MemoryStream(forged), dataKey, Trusted, cancel));
            Assert.Contains("PayloadAltered", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_package_of_version_2_does_not_pass_as_one_of_version_1_nor_the_other_way_round()
    {
        var length = EnvelopeLength(Package);
        byte[] turned = [.. Package[..16], .. Package[^length..], .. Package[16..^length]];
        turned[9] = 1;
        Assert.Equal(SealVerdict.Malformed, (await Verify(turned)).Verdict);
        var first = await File.ReadAllBytesAsync(Path.Combine(RepositoryRoot.Path, "test", "Bulwark.Tests", "Models", "Vectors", "model-v1.bulwark"), TestContext.Current.CancellationToken);
        length = EnvelopeLength(first);
        turned = [.. first[..16], .. first[(16 + length)..], .. first[16..(16 + length)]];
        turned[9] = 2;
        Assert.Equal(SealVerdict.Malformed, (await Verify(turned)).Verdict);
    }

    [Fact]
    public async Task The_payload_of_another_package_is_refused()
    {
        await SealedModel.SealAsync(Folder(), Manifest, Keys, "models", Publisher, Output, TestContext.Current.CancellationToken);
        var other = await File.ReadAllBytesAsync(Output, TestContext.Current.CancellationToken);
        Assert.Equal(SealVerdict.PayloadAltered, (await Verify([.. other[..^EnvelopeLength(other)], .. Package[^EnvelopeLength(Package)..]])).Verdict);
    }

    [Theory]
    [InlineData("[{\"keyid\":\"00\",\"sig\":\"AA==\"}]", SealVerdict.BadSignature)]
    [InlineData("[ORIGINAL,{\"keyid\":\"00\",\"sig\":\"AA==\"}]", SealVerdict.Malformed)]
    [InlineData("[]", SealVerdict.Malformed)]
    [InlineData("[null]", SealVerdict.Malformed)]
    [InlineData("null", SealVerdict.Malformed)]
    public async Task An_envelope_with_other_signatures_is_refused(string signatures, SealVerdict expected)
    {
        var length = EnvelopeLength(Package);
        var envelope = System.Text.Encoding.UTF8.GetString(Package[^length..]);
        var start = envelope.IndexOf("[{\"keyid\"", StringComparison.Ordinal);
        var other = envelope[..start] + signatures.Replace("ORIGINAL", envelope[(start + 1)..^2]) + "}";
        var bytes = System.Text.Encoding.UTF8.GetBytes(other);
        var head = Package[..16];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(12), bytes.Length);
        Assert.Equal(expected, (await Verify([.. head, .. Package[16..^length], .. bytes])).Verdict);
    }

    /// <param name="at">Where in the payload; its header comes first, and no key store may be asked about a header that nobody signed.</param>
    [Theory, InlineData(0.5), InlineData(0), InlineData(0.01), InlineData(0.02)]
    public async Task A_tampered_package_is_never_opened(double at)
    {
        var damaged = Package.ToArray();
        damaged[16 + (int)(at * damaged.Length)] ^= 1;
        var refusal = await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(new MemoryStream(damaged), Keys, Trusted, TestContext.Current.CancellationToken));
        Assert.Contains("PayloadAltered", refusal.Message);
        await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.UnwrapDataKeyAsync(new MemoryStream(damaged), Keys, Trusted, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Random_bytes_behind_a_right_head_are_refused_and_never_crash()
    {
        var random = new Random(2);
        for (var trial = 0; trial < 2000; trial++)
        {
            var damaged = Package.ToArray();
            for (var flips = random.Next(1, 6); flips > 0; flips--)
                damaged[random.Next(2) == 0 ? 8 + random.Next(8) : damaged.Length - 1 - random.Next(Math.Min(2500, damaged.Length - 16))] = (byte)random.Next(256);
            var verification = await Verify(damaged);
            Assert.True(!verification.IsTrusted || damaged.AsSpan().SequenceEqual(Package));
        }
    }
}
