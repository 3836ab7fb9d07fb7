using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>Secret bytes that are wiped when disposed and never moved by the garbage collector.</summary>
/// <remarks>Never printed: <see cref="ToString"/> says only how many there are.</remarks>
public sealed class SecretBytes : IDisposable
{
    private readonly byte[] _bytes;
    private bool _disposed;

    private SecretBytes(int length) => _bytes = GC.AllocateArray<byte>(length, pinned: true);

    internal bool IsDisposed => _disposed;

    /// <summary>How many bytes.</summary>
    public int Length => _bytes.Length;

    /// <summary>The bytes, in place; do not keep the span after <see cref="Dispose"/>.</summary>
    /// <exception cref="ObjectDisposedException">The bytes were wiped.</exception>
    public ReadOnlySpan<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _bytes;
        }
    }

    /// <summary>A copy of <paramref name="bytes"/>; the caller wipes its own.</summary>
    public static SecretBytes CopyOf(ReadOnlySpan<byte> bytes) => Create(bytes.Length, bytes, static (source, target) => source.CopyTo(target));

    /// <summary>Fresh bytes from the operating system's generator.</summary>
    /// <param name="length">How many; 0 or more.</param>
    public static SecretBytes Random(int length)
    {
        var secret = new SecretBytes(length);
        RandomNumberGenerator.Fill(secret._bytes);
        return secret;
    }

    /// <summary>Bytes that <paramref name="fill"/> writes in place, so that no other copy exists.</summary>
    /// <param name="length">How many; 0 or more.</param>
    /// <param name="source">What <paramref name="fill"/> reads.</param>
    /// <param name="fill">Writes the whole target.</param>
    public static SecretBytes Create(int length, ReadOnlySpan<byte> source, SecretFill fill)
    {
        ArgumentNullException.ThrowIfNull(fill);
        var secret = new SecretBytes(length);
        try
        {
            fill(source, secret._bytes);
            return secret;
        }
        catch
        {
            secret.Dispose();
            throw;
        }
    }

    /// <summary>Wipes the bytes.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_bytes);
        _disposed = true;
    }

    /// <summary>The length only.</summary>
    public override string ToString() => $"{Length} secret bytes";
}

/// <summary>Writes secret bytes in place.</summary>
/// <param name="source">What to read.</param>
/// <param name="target">What to fill, whole.</param>
public delegate void SecretFill(ReadOnlySpan<byte> source, Span<byte> target);
