using Bulwark.Cryptography;
using Bulwark.Models.Package;

namespace Bulwark.Models;

/// <summary>A package whose signature and signer were verified, for opening it later; its bytes were verified, too, or are while it is opened.</summary>
/// <remarks>
/// For a worker, which must know the package's digest before it asks for the key. Where its bytes were verified before and lie in a file, whoever changes it
/// meanwhile has not the data key, so what was changed fails its tag.
/// </remarks>
public sealed class VerifiedPackage
{
    private readonly Stream _package;
    private readonly PackageFacts _facts;
    private readonly SealVerification? _verification;

    internal VerifiedPackage(Stream package, PackageFacts facts, SealVerification? verification, Digest digest) =>
        (_package, _facts, _verification, Digest) = (package, facts, verification, digest);

    /// <summary>The package's digest: found, or stated by whoever gave it, and then what opening holds it to.</summary>
    public Digest Digest { get; }

    /// <summary>The signed manifest.</summary>
    public ModelManifest Manifest => _facts.Envelope.Predicate.Manifest;

    /// <summary>Opens it in memory; once, for it closes the bytes.</summary>
    /// <param name="dataKey">The package's data key.</param>
    /// <param name="cancel">Stops the opening.</param>
    /// <exception cref="System.Security.Cryptography.CryptographicException">
    /// The key does not open it (always the same message), it is not the package that was stated or signed, or it holds other files than its manifest names.
    /// </exception>
    public Task<OpenedModel> OpenAsync(SecretBytes dataKey, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(dataKey);
        return SealedModel.OpenAsync(_package, _facts, _verification, Digest, payload => Task.FromResult(SealedFile.Open(payload, dataKey.Span)), cancel);
    }
}
