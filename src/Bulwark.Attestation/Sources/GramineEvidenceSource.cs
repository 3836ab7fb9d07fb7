using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Attestation.Sources;

/// <summary>Evidence from Gramine's <c>/dev/attestation</c>: an SGX quote of this enclave. Thread-safe.</summary>
/// <remarks>Source: Gramine documentation, "Attestation and secret provisioning", low-level interface. The manifest must say <c>sgx.remote_attestation = "dcap"</c>.</remarks>
public sealed class GramineEvidenceSource : IEvidenceSource
{
    /// <summary>Where Gramine has it.</summary>
    public const string DefaultFolder = "/dev/attestation";

    private const int LargestQuote = 1 << 16;

    private readonly string _folder;
    private readonly Lock _lock = new();
    private readonly byte[] _bootId = RandomNumberGenerator.GetBytes(Evidence.BootIdSizeInBytes);

    /// <param name="folder">The folder of pseudo-files.</param>
    /// <exception cref="IOException">This is no Gramine enclave, or its manifest asks for another attestation than DCAP.</exception>
    public GramineEvidenceSource(string folder = DefaultFolder)
    {
        _folder = folder;
        var kind = Path.Combine(folder, "attestation_type");
        if (!File.Exists(kind))
            throw new IOException($"There is no {kind}: this process runs in no Gramine enclave.");
        var type = Encoding.ASCII.GetString(Blobs.Read(kind, 64)).Trim();
        if (type != "dcap")
            throw new IOException($"The enclave's attestation is '{type}'; set sgx.remote_attestation = \"dcap\" in its manifest.");
    }

    /// <inheritdoc/>
    public string Kind => EvidenceKinds.Sgx;

    /// <inheritdoc/>
    public ValueTask<Evidence> CollectAsync(EvidenceChallenge challenge, EvidenceKeys keys, Cryptography.Digest model, CancellationToken cancel)
    {
        var evidence = EvidenceShell.Create(Kind, challenge, keys, model, _bootId);
        lock (_lock)   // the two files are one conversation
        {
            using (var file = new FileStream(Path.Combine(_folder, "user_report_data"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
                file.Write(evidence.ReportData());
            return ValueTask.FromResult(evidence with { Payload = Blobs.Read(Path.Combine(_folder, "quote"), LargestQuote) });
        }
    }
}
