using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Fuzz.Targets;

/// <summary>A bare FLOE message.</summary>
internal sealed class FloeTarget : IFuzzTarget
{
    private static readonly byte[] s_key = new byte[32];

    public string Name => "floe";

    public IEnumerable<byte[]> Seeds() => new[] { 0, 10, 100 }.Select(length => Floe.Encrypt(s_key, [], new byte[length], 64));

    public void Run(ReadOnlySpan<byte> input)
    {
        if (Floe.Decrypt(s_key, [], input).AsSpan().ContainsAnyExcept((byte)0))
            throw new InvalidOperationException("Another content was given out.");
    }

    public bool IsRefusal(Exception failure) => failure is CryptographicException;
}

/// <summary>A bare Cobblestone message.</summary>
internal sealed class CobblestoneTarget : IFuzzTarget
{
    private static readonly byte[] s_key = new byte[32];

    public string Name => "cobblestone";

    public IEnumerable<byte[]> Seeds() => new[] { 0, 10, 16_384, 20_000 }.Select(length => CobblestoneMessage.Encrypt(s_key, [], new byte[length]));

    public void Run(ReadOnlySpan<byte> input)
    {
        if (CobblestoneMessage.Decrypt(s_key, [], input).AsSpan().ContainsAnyExcept((byte)0))
            throw new InvalidOperationException("Another content was given out.");
    }

    public bool IsRefusal(Exception failure) => failure is CryptographicException;
}
