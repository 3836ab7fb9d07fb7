using System.Buffers;
using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Models.Package;

/// <summary>The two digests of a package, of its payload and of the whole file, from one reading: on two cores where it is long, while the next bytes are read.</summary>
internal static class TwoDigests
{
    private const int SmallBuffer = 128 * 1024;
    private const int LargeBuffer = 4 * 1024 * 1024;

    /// <param name="front">The bytes of the package before its payload.</param>
    /// <param name="payload">Read from where it stands to its end.</param>
    /// <param name="cancel">Stops the reading.</param>
    internal static async Task<(Digest Payload, Digest Whole, long Bytes)> OfAsync(byte[] front, Stream payload, CancellationToken cancel)
    {
        using var part = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        whole.AppendData(front);
        var isLong = payload.CanSeek && payload.Length - payload.Position > 2 * LargeBuffer && Environment.ProcessorCount > 1;
        var size = isLong ? LargeBuffer : SmallBuffer;
        var (now, next) = (ArrayPool<byte>.Shared.Rent(size), ArrayPool<byte>.Shared.Rent(size));
        try
        {
            long bytes = front.Length;
            var read = await payload.ReadAsync(now.AsMemory(0, size), cancel).ConfigureAwait(false);
            while (read > 0)
            {
                var (buffer, count) = (now, read);
                bytes += count;
                if (isLong)
                {
                    var hashed = Task.WhenAll(
                        Task.Run(() => part.AppendData(buffer, 0, count), CancellationToken.None), Task.Run(() => whole.AppendData(buffer, 0, count), CancellationToken.None));
                    try
                    {
                        read = await payload.ReadAsync(next.AsMemory(0, size), cancel).ConfigureAwait(false);
                    }
                    finally
                    {
                        await hashed.ConfigureAwait(false);
                    }
                }
                else
                {
                    part.AppendData(buffer, 0, count);
                    whole.AppendData(buffer, 0, count);
                    read = await payload.ReadAsync(next.AsMemory(0, size), cancel).ConfigureAwait(false);
                }

                (now, next) = (next, now);
            }

            return (new Digest(part.GetHashAndReset()), new Digest(whole.GetHashAndReset()), bytes);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(now);
            ArrayPool<byte>.Shared.Return(next);
        }
    }
}
