using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>XAES-256-GCM: AES-256-GCM whose nonces of 24 bytes may be drawn at random for as many values as one likes.</summary>
/// <remarks>
/// Source: C2SP, XAES-256-GCM v1 (a counter-mode KDF of SP 800-108r1 over CMAC turns the nonce's first half into a key, whose nonce the
/// second half is). <see cref="EncryptFresh"/> draws the first half once in <see cref="ValuesPerPrefix"/> values and the second for each,
/// so that the derived key is set up once in a while and not per value; <see cref="EncryptBatch"/> does many at once; every result is an ordinary XAES-256-GCM ciphertext. Two values
/// then collide with probability below 2^-66 for one prefix, and two prefixes as two random 96-bit numbers do. Not thread-safe.
/// </remarks>
public sealed partial class Xaes256Gcm : IDisposable
{
    /// <summary>Length of a nonce, of a tag, and of both.</summary>
    public const int NonceSizeInBytes = 24, TagSizeInBytes = 16, OverheadInBytes = NonceSizeInBytes + TagSizeInBytes;

    /// <summary>Values that share the first half of their nonce.</summary>
    public const int ValuesPerPrefix = 1 << 15;

    private const int Half = 12, Drawn = 64;
    private const string Refusal = "The ciphertext does not open: it was changed, or belongs to another key or context.";
    private readonly Cmac _mac;
    private readonly byte[] _prefix = new byte[Half], _openPrefix = new byte[Half];
    private byte[] _random = [];
    private AesGcm? _fresh, _open;
    private int _left, _drawn = Drawn;

    /// <param name="key">32 bytes.</param>
    /// <exception cref="ArgumentException">The key has another length.</exception>
    public Xaes256Gcm(ReadOnlySpan<byte> key)
    {
        if (key.Length != 32)
            throw new ArgumentException($"An XAES-256-GCM key has 32 bytes, not {key.Length}.", nameof(key));
        _mac = new Cmac(key);
    }

    /// <summary>Encrypts under a nonce that the caller chose; never the same one twice.</summary>
    /// <param name="nonce">24 bytes.</param>
    /// <param name="plaintext">Any bytes, also none.</param>
    /// <param name="output">The ciphertext and the tag: 16 bytes more than the plaintext.</param>
    /// <param name="associated">What the ciphertext belongs to.</param>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    public void Encrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext, Span<byte> output, ReadOnlySpan<byte> associated)
    {
        Require(nonce.Length == NonceSizeInBytes && output.Length == plaintext.Length + TagSizeInBytes);
        using var aes = Derive(nonce[..Half]);
        aes.Encrypt(nonce[Half..], plaintext, output[..plaintext.Length], output[plaintext.Length..], associated);
    }

    /// <summary>Encrypts under a fresh random nonce and puts it first.</summary>
    /// <param name="plaintext">Any bytes, also none.</param>
    /// <param name="output">Nonce, ciphertext, tag: 40 bytes more than the plaintext.</param>
    /// <param name="associated">What the ciphertext belongs to.</param>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    public void EncryptFresh(ReadOnlySpan<byte> plaintext, Span<byte> output, ReadOnlySpan<byte> associated)
    {
        Require(output.Length == plaintext.Length + OverheadInBytes);
        if (_left-- == 0)
        {
            RandomNumberGenerator.Fill(_prefix);
            _fresh?.Dispose();
            _fresh = Derive(_prefix);
            _left = ValuesPerPrefix - 1;
        }

        if (_drawn == Drawn)
        {
            if (_random.Length == 0)
                _random = new byte[Drawn * Half];
            RandomNumberGenerator.Fill(_random);
            _drawn = 0;
        }

        var suffix = _random.AsSpan(_drawn++ * Half, Half);
        _prefix.CopyTo(output);
        suffix.CopyTo(output[Half..]);
        _fresh!.Encrypt(suffix, plaintext, output.Slice(NonceSizeInBytes, plaintext.Length), output[^TagSizeInBytes..], associated);
    }

    /// <summary>Decrypts what stands behind its nonce.</summary>
    /// <param name="sealedValue">Nonce, ciphertext, tag.</param>
    /// <param name="output">40 bytes less; zeros when the value does not open.</param>
    /// <param name="associated">The same as when it was encrypted.</param>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong with the value.</exception>
    /// <exception cref="ArgumentException">The output has another length than the value asks for.</exception>
    public void Decrypt(ReadOnlySpan<byte> sealedValue, Span<byte> output, ReadOnlySpan<byte> associated)
    {
        if (sealedValue.Length < OverheadInBytes)
            throw new CryptographicException(Refusal);
        Require(output.Length == sealedValue.Length - OverheadInBytes);
        if (_open is null || !sealedValue[..Half].SequenceEqual(_openPrefix))
        {
            _open?.Dispose();
            _open = Derive(sealedValue[..Half]);
            sealedValue[..Half].CopyTo(_openPrefix);
        }

        try
        {
            _open.Decrypt(sealedValue[Half..NonceSizeInBytes], sealedValue[NonceSizeInBytes..^TagSizeInBytes], sealedValue[^TagSizeInBytes..], output, associated);
        }
        catch (CryptographicException)
        {
            output.Clear();
            throw new CryptographicException(Refusal);
        }
    }

    /// <summary>Wipes the keys.</summary>
    public void Dispose()
    {
        _mac.Dispose();
        _fresh?.Dispose();
        _open?.Dispose();
        _sealing?.Dispose();
        _opening?.Dispose();
        CryptographicOperations.ZeroMemory(_random);
    }

    private AesGcm Derive(ReadOnlySpan<byte> prefix)
    {
        Span<byte> key = stackalloc byte[32];
        try
        {
            DeriveKey(prefix, key);
            return new AesGcm(key, TagSizeInBytes);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>The key of one nonce prefix: two CMACs of one block each.</summary>
    private void DeriveKey(ReadOnlySpan<byte> prefix, Span<byte> key)
    {
        for (var counter = 1; counter <= 2; counter++)
        {
            var block = key.Slice((counter - 1) * 16, 16);
            new byte[] { 0, (byte)counter, (byte)'X', 0 }.CopyTo(block);
            prefix.CopyTo(block[4..]);
            Cmac.Xor(block, _mac.WholeMask);
        }

        _mac.Cipher.EncryptEcb(key, key, PaddingMode.None);
    }

    private static void Require(bool fits)
    {
        if (!fits)
            throw new ArgumentException("The lengths of nonce, value and output do not fit together.");
    }
}
