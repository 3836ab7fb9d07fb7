using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Tests.Cryptography;

/// <summary>A ring that was changed or cut anywhere is refused, or opens to the very keys that it had; a refusal leaves the file as it is.</summary>
public sealed class KeyRingDamageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _whole;
    private readonly byte[] _derived;

    public KeyRingDamageTests()
    {
        using (var ring = KeyRing.Create(_folder["ring"], KeyRingUnlock.KeyFile(_folder["ring.key"])))
        {
            ring.CreateSymmetric("data");
            ring.CreateSymmetric("data");
            ring.Retire(ring.List()[0].Id);
            _derived = ring.Derive("data", "columns").Span.ToArray();
        }

        _whole = File.ReadAllBytes(_folder["ring"]);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_flipped_bit_in_any_byte_is_refused_or_changes_nothing()
    {
        var refused = 0;
        for (var i = 0; i < _whole.Length; i++)
        {
            var bad = (byte[])_whole.Clone();
            bad[i] ^= (byte)(1 << (i % 8));
            refused += Refuses(bad, $"bit {i % 8} of byte {i}") ? 1 : 0;
        }

        Assert.True(refused > _whole.Length * 9 / 10, $"{refused} of {_whole.Length} were refused");
        Assert.False(Refuses(_whole, "nothing"));
    }

    [Fact]
    public void A_ring_cut_anywhere_is_refused()
    {
        for (var length = 0; length < _whole.Length - 1; length++)
            Assert.True(Refuses(_whole[..length], $"cut to {length}") || _whole.AsSpan(length).Trim(" \r\n"u8).IsEmpty, $"cut to {length} of {_whole.Length} bytes it opened");
    }

    private bool Refuses(byte[] bytes, string what)
    {
        File.WriteAllBytes(_folder["ring"], bytes);
        try
        {
            using var ring = KeyRing.Open(_folder["ring"], KeyRingUnlock.KeyFile(_folder["ring.key"]));
            Assert.True(_derived.AsSpan().SequenceEqual(ring.Derive("data", "columns").Span), $"{what}: another key");
            Assert.Equal([KeyState.DecryptOnly, KeyState.Enabled], ring.List().Select(key => key.State));
            return false;
        }
        catch (Exception refusal) when (refusal is CryptographicException or InvalidDataException)
        {
            Assert.Equal(bytes, File.ReadAllBytes(_folder["ring"]));
            return true;
        }
    }
}
