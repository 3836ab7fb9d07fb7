using System.CommandLine;
using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Interchange;

namespace Bulwark.Cli.Sealing;

/// <summary>Opens one file of whichever format, whole or a range of it.</summary>
internal sealed class Opener(ParseResult parsed, Stream source, string name, string format, int threads)
{
    private const int HeadSize = 1100;

    /// <summary>Writes all of the plaintext. A file is checked to its end before its first byte is given out; a pipe cannot be.</summary>
    /// <returns>What a sealed file says of itself; null for another tool's.</returns>
    internal async Task<SealedFileInfo?> OpenAsync(Stream destination, IProgress<long> progress, CancellationToken cancel)
    {
        var (known, content) = await DetectAsync(cancel);
        switch (known)
        {
            case "age":
                using (var keys = OpenKeys.Read(parsed, "open", needsKeys: false))
                    await AgeFile.OpenToAsync(content, destination, keys.AgeIdentities, threads, progress, cancel);
                return null;
            case "tink":
                await OpenTinkAsync(content, destination, progress, cancel);
                return null;
            default:
                using (var keys = OpenKeys.Read(parsed, "open", needsKeys: true))
                {
                    if (!source.CanSeek)
                        return await SealedFile.OpenToAsync(content, destination, keys.Identities, threads, progress, cancel);
                    await using var opened = await OpenSealedAsync(keys, cancel);
                    await opened.CopyAllAsync(destination, threads, progress, cancel);
                    return opened.Info;
                }
        }
    }

    /// <summary>Writes a range of the plaintext: only the segments that hold it are read, and the last one.</summary>
    internal async Task<SealedFileInfo?> OpenRangeAsync(ByteRange range, Stream destination, CancellationToken cancel)
    {
        if (!source.CanSeek)
            throw new CommandException("A range needs a file that can be read anywhere, not a pipe.");
        var (known, _) = await DetectAsync(cancel);
        source.Position = 0;
        using var keys = OpenKeys.Read(parsed, "open", needsKeys: known == "bulwark");
        await using var opened = known switch
        {
            "age" => OpenAge(keys),
            "tink" => TinkFile.Open(source, TinkKeys.Read(parsed), TinkKeys.Aad(parsed)),
            _ => await OpenSealedAsync(keys, cancel),
        };
        opened.CheckEnd();
        await CopyAsync(opened, range.In(opened.Length), destination, cancel);
        return (opened as SealedStream)?.Info;
    }

    private static async Task CopyAsync(SegmentedStream opened, (long Offset, long Count) range, Stream destination, CancellationToken cancel)
    {
        var buffer = new byte[1 << 20];
        try
        {
            for (var done = 0L; done < range.Count;)
            {
                var count = opened.ReadAt(range.Offset + done, buffer.AsSpan(0, (int)Math.Min(buffer.Length, range.Count - done)));
                await destination.WriteAsync(buffer.AsMemory(0, count), cancel);
                done += count;
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    private async Task<SealedStream> OpenSealedAsync(OpenKeys keys, CancellationToken cancel)
    {
        source.Position = 0;
        keys.RequireOne(SealedFile.ReadInfo(source), name);
        source.Position = 0;
        var opened = await SealedFile.OpenAsync(source, keys.Identities, readAhead: 0, cancel);
        opened.CheckEnd();
        return opened;
    }

    private SegmentedStream OpenAge(OpenKeys keys)
    {
        var head = new byte[HeadSize];
        var count = source.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        source.Position = 0;
        return AgeFile.IsArmored(head.AsSpan(0, count))
            ? throw new CommandException("Armored text cannot be read anywhere.", "open it whole, or remove its armor first")
            : AgeFile.Open(source, keys.AgeIdentities);
    }

    private async Task OpenTinkAsync(Stream content, Stream destination, IProgress<long> progress, CancellationToken cancel)
    {
        using var keyset = TinkKeys.Read(parsed);
        if (source.CanSeek)
        {
            source.Position = 0;
            await using var opened = TinkFile.Open(source, keyset, TinkKeys.Aad(parsed));
            await opened.CopyAllAsync(destination, threads, progress, cancel);
            return;
        }

        if (keyset.Keys.Count > 1)
            throw new CommandException("Which of the keyset's keys made a Tink file is found by trying: that needs a file, not a pipe.");
        await TinkFile.OpenToAsync(content, destination, keyset.Primary, TinkKeys.Aad(parsed), threads, progress, cancel);
    }

    /// <summary>Tells the format by the first bytes; those of a pipe are put back before the rest.</summary>
    private async Task<(string Format, Stream Content)> DetectAsync(CancellationToken cancel)
    {
        if (format != "auto")
            return (format, source);
        var head = new byte[HeadSize];
        var count = await source.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancel);
        Stream content = source.CanSeek ? source : new PrefixedStream(head.AsMemory(0, count), source);
        if (source.CanSeek)
            source.Position = 0;
        var begin = head.AsSpan(0, count);
        if (SealedFile.IsMatch(begin))
            return ("bulwark", content);
        if (AgeFile.IsMatch(begin))
            return ("age", content);
        return parsed.GetValue(TinkKeys.Keyset) is not null
            ? ("tink", content)
            : throw new CommandException($"{name} is neither a sealed file nor an age file.", "a Tink file does not say what it is: open it with --keyset FILE");
    }
}
