using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Tests;

namespace Bulwark.Fuzz.Targets;

/// <summary>Model packages of both versions: what is not one of the two that were signed is never trusted, and never opened.</summary>
internal sealed class ModelPackageTarget : IFuzzTarget
{
    private static readonly byte[][] s_signed = [.. new[] { 1, 2 }.Select(version => File.ReadAllBytes(Path.Combine(RepositoryRoot.Path, "test", "Bulwark.Tests", "Models", "Vectors", $"model-v{version}.bulwark")))];
    private static readonly VerificationKey[] s_publishers = [VerificationKey.Parse("ed25519:A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=")];
    private static readonly SecretBytes s_key = SecretBytes.CopyOf(Convert.FromHexString("81447ac5149468464400b1a2de8a6fb4bedea351321d0c6e0a0ece4d35eec977"));

    public string Name => "model-package";

    public IEnumerable<byte[]> Seeds() => s_signed;

    public void Run(ReadOnlySpan<byte> input)
    {
        var bytes = input.ToArray();
        var verified = SealedModel.VerifyAsync(new MemoryStream(bytes), s_publishers).GetAwaiter().GetResult();
        if (verified.IsTrusted && !s_signed.Any(signed => signed.AsSpan().SequenceEqual(bytes)))
            throw new InvalidOperationException("A package that nobody signed was trusted.");
        using var opened = SealedModel.OpenAsync(new MemoryStream(bytes), s_key, s_publishers).GetAwaiter().GetResult();
        if (!verified.IsTrusted)
            throw new InvalidOperationException("A package that is not trusted was opened.");
    }

    public bool IsRefusal(Exception failure) => failure is CryptographicException;
}
