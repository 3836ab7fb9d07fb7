using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Interchange;

namespace Bulwark.Fuzz.Targets;

/// <summary>An age file, binary or armored: gives the sealed content, a beginning of it, or nothing.</summary>
internal sealed class AgeTarget : IFuzzTarget
{
    private static readonly byte[] s_content = [.. Enumerable.Range(0, 70_000).Select(i => (byte)(i * 7))];
    private readonly X25519KeyPair _pair = X25519KeyPair.Import(new byte[32]);   // fixed, so that a finding can be replayed

    public string Name => "age";

    public IEnumerable<byte[]> Seeds()
    {
        foreach (var (length, armored) in new[] { (0, false), (100, true), (s_content.Length, false) })
        {
            using var file = new MemoryStream();
            AgeFile.SealAsync(new MemoryStream(s_content, 0, length), file, [AgeRecipient.X25519(_pair.PublicKey), AgeRecipient.X25519(X25519KeyPair.Generate().PublicKey)], armored).GetAwaiter().GetResult();
            yield return file.ToArray();
        }

        yield return Encoding.ASCII.GetBytes("age-encryption.org/v1\n-> scrypt rF0/NwblUHHTpgQgRpe5CQ 10\ngUjEymFKMVXQEKdMMHL24oYexjE3TIC0O0zGSqJ2abk\n--- SrAokXI05aok1vecCAoCV8gWjDJDHWjJhOWzMkMWRFM\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        using var plaintext = new MemoryStream();
        try
        {
            AgeFile.OpenToAsync(new MemoryStream(input.ToArray()), plaintext, [AgeIdentity.X25519(_pair), AgeIdentity.Passphrase("p", mostLogCost: 12)], threads: 1).GetAwaiter().GetResult();
        }
        catch (CryptographicException failure) when (!s_content.AsSpan().StartsWith(plaintext.ToArray()))
        {
            throw new InvalidOperationException("Another content was given out.", failure);
        }

        if (!s_content.AsSpan().StartsWith(plaintext.ToArray()))
            throw new InvalidOperationException("Another content was given out.");
    }

    public bool IsRefusal(Exception failure) => failure is CryptographicException;
}
