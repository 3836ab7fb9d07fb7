using System.Security.Cryptography;
using Bulwark.Cryptography;
using ParquetSharp;

namespace Bulwark.Data;

/// <summary>Gives ParquetSharp the data keys that the key ring opens, and remembers which it gave and which it could not.</summary>
internal sealed class RingKeyRetriever(KeyRing keys) : DecryptionKeyRetriever
{
    /// <summary>Why the last key could not be given; null when it was.</summary>
    internal Exception? Failure { get; private set; }

    public override byte[] GetKey(string keyMetadata)
    {
        Failure = null;
        try
        {
            var key = ParquetKey.Parse(keyMetadata);
            if (!keys.List().Any(info => info.Id == key.Kek && info.State != KeyState.Destroyed))
                throw new InvalidOperationException($"{(key.Column is null ? "The file" : $"Column '{key.Column}'")} needs key {key.Kek}, which the key ring does not have or has destroyed.");
            using var secret = key.Unwrap(keys);
            return secret.Span.ToArray();
        }
        catch (Exception failure) when (failure is CryptographicException or InvalidOperationException)
        {
            Failure = failure;
            throw;
        }
    }
}
