using System.Security.Cryptography;
using Bulwark.Interchange;

namespace Bulwark.Fuzz.Targets;

/// <summary>A Tink streaming file, opened anywhere and forward.</summary>
internal sealed class TinkTarget : IFuzzTarget
{
    private static readonly byte[] s_content = [.. Enumerable.Range(0, 20_000).Select(i => (byte)(i * 7))];
    private readonly TinkKeyset _keys = TinkKeyset.Parse("""{"primaryKeyId":1,"key":[{"keyData":{"typeUrl":"type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey","value":"EgcIgCAQIBgDGiAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==","keyMaterialType":"SYMMETRIC"},"status":"ENABLED","keyId":1,"outputPrefixType":"RAW"}]}"""u8);

    public string Name => "tink";

    public IEnumerable<byte[]> Seeds()
    {
        foreach (var length in new[] { 0, 100, s_content.Length })
        {
            using var file = new MemoryStream();
            TinkFile.SealAsync(new MemoryStream(s_content, 0, length), file, _keys).GetAwaiter().GetResult();
            yield return file.ToArray();
        }
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        var bytes = input.ToArray();
        using var forward = new MemoryStream();
        try
        {
            TinkFile.OpenToAsync(new MemoryStream(bytes), forward, _keys.Primary, threads: 1).GetAwaiter().GetResult();
        }
        catch (Exception refusal) when (IsRefusal(refusal))
        {
            // what was given out before is judged below
        }

        using var opened = TinkFile.Open(new MemoryStream(bytes), _keys);
        using var all = new MemoryStream();
        opened.CopyTo(all);
        if (!s_content.AsSpan().StartsWith(all.ToArray()) || !s_content.AsSpan().StartsWith(forward.ToArray()))
            throw new InvalidOperationException("Another content was given out.");
    }

    public bool IsRefusal(Exception failure) => failure is CryptographicException;
}

/// <summary>A Tink keyset in JSON.</summary>
internal sealed class TinkKeysetTarget : IFuzzTarget
{
    public string Name => "tink-keyset";

    public IEnumerable<byte[]> Seeds() => [TinkKeyset.Generate().ToJson(), TinkKeyset.Generate(TinkStreamingKey.FourKilobytes).ToJson()];

    public void Run(ReadOnlySpan<byte> input)
    {
        using var keyset = TinkKeyset.Parse(input);
        using var again = TinkKeyset.Parse(keyset.ToJson());
        if (again.Primary.SegmentSizeInBytes != keyset.Primary.SegmentSizeInBytes || again.Keys.Count != keyset.Keys.Count)
            throw new InvalidOperationException("A keyset changed when it was written again.");
    }

    public bool IsRefusal(Exception failure) => failure is InvalidDataException;
}
