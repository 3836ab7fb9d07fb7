using System.Buffers.Binary;
using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Interchange;

/// <summary>The payload of an age file: a nonce of 16 bytes, then chunks of 64 KiB under ChaCha20-Poly1305, the last one marked.</summary>
/// <remarks>Key = HKDF-SHA-256(file key, salt = nonce, info = "payload"); chunk nonce = number u88 | last 0 or 1. Not thread-safe: one object a thread.</remarks>
internal sealed class AgePayload : SegmentedMessage
{
    internal const int NonceSizeInBytes = 16;
    private const int ChunkSize = 64 * 1024, TagSize = 16;
    private static readonly SegmentLayout s_layout = new(NonceSizeInBytes, ChunkSize + TagSize, ChunkSize + TagSize, 0, TagSize, FinalIsShort: false, 1L << 46);

    private readonly byte[] _nonce;
    private readonly SecretBytes _key;
    private readonly ChaCha20Poly1305 _cipher;

    private AgePayload(byte[] nonce, SecretBytes key)
        : base(s_layout)
    {
        (_nonce, _key) = (nonce, key);
        _cipher = new ChaCha20Poly1305(key.Span);
    }

    public override ReadOnlySpan<byte> Header => _nonce;

    internal static AgePayload Create(SecretBytes fileKey) => Open(fileKey, RandomNumberGenerator.GetBytes(NonceSizeInBytes));

    internal static AgePayload Open(SecretBytes fileKey, byte[] nonce) => new(nonce, SecretBytes.Create(32, fileKey.Span, (source, target) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, source, target, nonce, "payload"u8)));

    public override SegmentedMessage Fork() => new AgePayload(_nonce, SecretBytes.CopyOf(_key.Span));

    protected override void EncryptCore(long index, ReadOnlySpan<byte> plaintext, bool final, Span<byte> segment)
    {
        Span<byte> nonce = stackalloc byte[12];
        WriteNonce(index, final, nonce);
        _cipher.Encrypt(nonce, plaintext, segment[..^TagSize], segment[^TagSize..]);
    }

    protected override void DecryptCore(long index, ReadOnlySpan<byte> segment, bool final, Span<byte> plaintext)
    {
        if (plaintext.IsEmpty && index > 0)
            throw Refused();   // only a file of nothing ends in an empty chunk
        Span<byte> nonce = stackalloc byte[12];
        WriteNonce(index, final, nonce);
        _cipher.Decrypt(nonce, segment[..^TagSize], segment[^TagSize..], plaintext);
    }

    protected override void Dispose(bool disposing)
    {
        _cipher.Dispose();
        _key.Dispose();
    }

    private static void WriteNonce(long index, bool final, Span<byte> nonce)
    {
        nonce.Clear();
        BinaryPrimitives.WriteInt64BigEndian(nonce[3..], index);
        nonce[11] = final ? (byte)1 : (byte)0;
    }
}
