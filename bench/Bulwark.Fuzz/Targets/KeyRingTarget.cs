using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Fuzz.Targets;

/// <summary>A key ring's file: refused whole, or opened unchanged.</summary>
internal sealed class KeyRingTarget : IFuzzTarget
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bulwark-fuzz-").FullName;

    private string RingPath => Path.Combine(_folder, "keyring.json");

    private KeyRingUnlock Unlock => KeyRingUnlock.KeyFile(Path.Combine(_folder, "keyring.key"));

    public string Name => "keyring";

    public IEnumerable<byte[]> Seeds()
    {
        File.Delete(RingPath);
        using (var ring = KeyRing.Create(RingPath, Unlock))
            ring.CreateSymmetric("data");
        yield return File.ReadAllBytes(RingPath);
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        File.WriteAllBytes(RingPath, input);
        using var ring = KeyRing.Open(RingPath, Unlock);
        if (ring.List().Count > 1)
            throw new InvalidOperationException("A broken ring opened.");
    }

    public bool IsRefusal(Exception failure) => failure is CryptographicException or InvalidDataException;
}
