using Bulwark.Cryptography;

namespace Bulwark.Models;

/// <summary>A package that was verified: opening it does not read it a second time to verify it.</summary>
/// <remarks>
/// For a worker, which must know the package's digest before it asks for the key, and has the package in memory of its own. Where it lies in a file instead, whoever changes
/// it meanwhile has not the data key, so what was changed fails its tag.
/// </remarks>
public sealed class VerifiedPackage
{
    private readonly Stream _package;
    private readonly long _payload;

    internal VerifiedPackage(Stream package, SealVerification verification, long payload) => (_package, Verification, _payload) = (package, verification, payload);

    /// <summary>The verdict, which is <see cref="SealVerdict.Trusted"/>, and what it rests on.</summary>
    public SealVerification Verification { get; }

    /// <summary>Opens it in memory; once, for it closes the bytes.</summary>
    /// <param name="dataKey">The package's data key.</param>
    /// <param name="cancel">Stops the opening.</param>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The key does not open it (always the same message), or it holds other files than its manifest names.</exception>
    public Task<OpenedModel> OpenAsync(SecretBytes dataKey, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(dataKey);
        _package.Position = _payload;
        return SealedModel.OpenPayloadAsync(Verification, SealedFile.Open(_package, dataKey.Span), cancel);
    }
}
