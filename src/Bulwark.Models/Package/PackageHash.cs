using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Models.Package;

/// <summary>The two digests of a package: of what its envelope signs, and of the whole file. Of version 2 the one is a step on the way to the other, so each byte is hashed once.</summary>
internal sealed class PackageHash : IDisposable
{
    private readonly IncrementalHash _whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly IncrementalHash? _payload;   // of version 1 alone

    internal PackageHash(PackageHead head, ReadOnlySpan<byte> envelope = default)
    {
        _whole.AppendData(head.Write());
        if (head.Version != 1)
            return;
        _whole.AppendData(envelope);
        _payload = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    }

    internal static PackageHash Of(PackageFacts facts) => new(facts.Head, facts.EnvelopeBytes);

    /// <summary>Takes the payload's next bytes.</summary>
    internal void Append(ReadOnlySpan<byte> payload)
    {
        _whole.AppendData(payload);
        _payload?.AppendData(payload);
    }

    /// <summary>What the envelope has to state, once all of the payload was taken.</summary>
    internal Digest Signed() => new(_payload?.GetCurrentHash() ?? _whole.GetCurrentHash());

    /// <summary>Ends it.</summary>
    internal Digest Whole(ReadOnlySpan<byte> envelope)
    {
        if (_payload is null)
            _whole.AppendData(envelope);
        return new(_whole.GetHashAndReset());
    }

    public void Dispose()
    {
        _whole.Dispose();
        _payload?.Dispose();
    }
}
