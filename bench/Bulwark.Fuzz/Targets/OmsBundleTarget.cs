using Bulwark.Cryptography;
using Bulwark.Models;

namespace Bulwark.Fuzz.Targets;

/// <summary>Model signatures: only what the key signed may be trusted, whatever the bundle around it says.</summary>
internal sealed class OmsBundleTarget : IFuzzTarget, IDisposable
{
    private readonly EcdsaPemSigner _signer = EcdsaPemSigner.Generate();
    private readonly byte[] _seed;
    private readonly Digest _root;

    public OmsBundleTarget()
    {
        var folder = Directory.CreateTempSubdirectory("bulwark-fuzz-");
        File.WriteAllText(Path.Combine(folder.FullName, "weights"), "w");
        File.WriteAllText(Path.Combine(folder.FullName, "config.json"), "{}");
        var signature = Path.Combine(folder.FullName, ModelSignature.FileName);
        _root = ModelSignature.SignAsync(folder.FullName, signature, _signer).GetAwaiter().GetResult().Root;
        _seed = File.ReadAllBytes(signature);
        folder.Delete(recursive: true);
    }

    public string Name => "oms-bundle";

    public IEnumerable<byte[]> Seeds() => [_seed];

    public void Run(ReadOnlySpan<byte> input)
    {
        var bytes = input.ToArray();
        _ = ModelSignature.IsMatch(bytes);
        var report = ModelSignature.VerifyStatement(bytes, SignatureTrust.Key(_signer.PublicKey));
        if (report.IsTrusted && report.Root != _root)
            throw new InvalidOperationException("A statement that was never signed is trusted.");
    }

    public bool IsRefusal(Exception failure) => false;

    public void Dispose() => _signer.Dispose();
}
