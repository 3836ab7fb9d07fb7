using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Fuzz.Targets;

/// <summary>A sealed file: opened anywhere and forward, it gives the sealed content or nothing.</summary>
internal sealed class SealedFileTarget : IFuzzTarget
{
    private static readonly byte[] s_content = [.. Enumerable.Range(0, 40_000).Select(i => (byte)(i * 7))];
    private readonly X25519KeyPair _pair = X25519KeyPair.Import(new byte[32]);   // fixed, so that a finding can be replayed

    public string Name => "sealed-file";

    public IEnumerable<byte[]> Seeds()
    {
        foreach (var suite in Enum.GetValues<SealSuite>())
        {
            foreach (var length in new[] { 0, 100, s_content.Length })
            {
                using var file = new MemoryStream();
                SealedFile.SealAsync(new MemoryStream(s_content, 0, length), file, new SealOptions
                {
                    Recipients = [SealRecipient.X25519(X25519KeyPair.Generate().PublicKey), SealRecipient.X25519(_pair.PublicKey)],
                    Suite = suite,
                    SlotCapacityInBytes = 512,
                    Context = new Dictionary<string, string> { ["a"] = "b" },
                }).GetAwaiter().GetResult();
                yield return file.ToArray();
            }
        }
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        var bytes = input.ToArray();
        SealIdentity[] identities = [SealIdentity.X25519(_pair)];
        using var forward = new MemoryStream();
        var opens = true;
        try
        {
            SealedFile.OpenToAsync(new MemoryStream(bytes), forward, identities, threads: 1).GetAwaiter().GetResult();
        }
        catch (CryptographicException)
        {
            opens = false;
        }

        if (!s_content.AsSpan().StartsWith(forward.ToArray()))
            throw new InvalidOperationException("Another content was given out.");
        using var opened = SealedFile.OpenAsync(new MemoryStream(bytes), identities).GetAwaiter().GetResult();
        var all = new byte[opened.Length];
        if (opened.ReadAt(0, all) != all.Length || !s_content.AsSpan().StartsWith(all) || !opens)
            throw new InvalidOperationException("Opening anywhere and forward differ, or another content was given out.");
        _ = SealedFile.ReadInfo(new MemoryStream(bytes));
    }

    public bool IsRefusal(Exception failure) => failure is CryptographicException;
}
