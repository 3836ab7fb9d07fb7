using System.Security.Cryptography;
using System.Text;
using Bulwark.Attestation.Tpm;

namespace Bulwark.Attestation.Sources;

/// <summary>Evidence from a TPM 2.0: a quote over platform registers by a key that never leaves it. Thread-safe.</summary>
public sealed class TpmEvidenceSource : IEvidenceSource, IDisposable
{
    private readonly TpmClient _tpm;
    private readonly TpmKey _attestation;
    private readonly TpmKey _endorsement;
    private readonly PcrSelection _selection;
    private readonly byte[] _chain;
    private readonly byte[] _eventLog;
    private readonly byte[] _bootId = RandomNumberGenerator.GetBytes(Evidence.BootIdSizeInBytes);

    /// <summary>Opens a TPM and makes its keys.</summary>
    /// <param name="address"><c>/dev/tpmrm0</c>, <c>unix:PATH</c> or <c>tcp:HOST:PORT</c>.</param>
    /// <param name="selection">The registers to quote.</param>
    /// <param name="issuers">PEM certificates of the endorsement certificate's issuers, root last; empty when the verifier has them.</param>
    /// <param name="eventLog">The firmware's event log, such as <c>/sys/kernel/security/tpm0/binary_bios_measurements</c> holds; empty for none.</param>
    /// <exception cref="IOException">There is no TPM at that address, it refuses, or this process may not use it.</exception>
    public TpmEvidenceSource(string address, PcrSelection selection, string issuers = "", byte[]? eventLog = null)
    {
        ArgumentNullException.ThrowIfNull(selection);
        (_selection, _eventLog) = (selection, eventLog ?? []);
        _tpm = TpmClient.Open(address);
        try
        {
            _attestation = _tpm.CreateAttestationKey();
            _endorsement = _tpm.CreateEndorsementKey();
            var certificate = _tpm.ReadEndorsementCertificate();
            _chain = certificate is null ? [] : Encoding.ASCII.GetBytes(PemEncoding.WriteString("CERTIFICATE", certificate) + "\n" + issuers);
        }
        catch
        {
            _tpm.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string Kind => EvidenceKinds.Tpm;

    /// <summary>The attestation key's TPM2B_PUBLIC, for an allow list.</summary>
    public ReadOnlyMemory<byte> AttestationKey => _attestation.Public;

    /// <inheritdoc/>
    public ValueTask<EvidenceIntroduction> IntroduceAsync(CancellationToken cancel) => ValueTask.FromResult(
        new EvidenceIntroduction { Kind = Kind, AttestationKey = _attestation.Public.ToArray(), EndorsementKey = _endorsement.Public.ToArray() });

    /// <inheritdoc/>
    public ValueTask<Evidence> CollectAsync(EvidenceChallenge challenge, EvidenceKeys keys, Cryptography.Digest model, CancellationToken cancel)
    {
        var evidence = EvidenceShell.Create(Kind, challenge, keys, model, _bootId);
        var parts = new Dictionary<string, byte[]>(StringComparer.Ordinal) { [EvidenceParts.AttestationKey] = _attestation.Public.ToArray() };
        if (challenge.CredentialBlob.Length > 0)
        {
            parts[EvidenceParts.Credential] = _tpm.ActivateCredential(_attestation, _endorsement, challenge.CredentialBlob, challenge.CredentialSecret);
            parts[EvidenceParts.EndorsementKey] = _endorsement.Public.ToArray();
        }

        var (attest, signature) = Quoted(evidence, parts);
        parts[EvidenceParts.Signature] = signature;
        if (_chain.Length > 0)
            parts[EvidenceParts.EndorsementChain] = _chain;
        if (_eventLog.Length > 0)
            parts[EvidenceParts.EventLog] = _eventLog;
        return ValueTask.FromResult(evidence with { Payload = attest, Parts = parts });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _attestation.Dispose();
        _endorsement.Dispose();
        _tpm.Dispose();
    }

    /// <summary>Registers read before and after a quote: whoever extends one in between makes them differ, and the quote is asked again.</summary>
    private (byte[] Attest, byte[] Signature) Quoted(Evidence evidence, Dictionary<string, byte[]> parts)
    {
        for (var tries = 0; ; tries++)
        {
            var before = Registers();
            var quote = _tpm.Quote(_attestation, evidence.QuoteData(), _selection);
            if (before.AsSpan().SequenceEqual(Registers()))
            {
                parts[EvidenceParts.Pcrs] = before;
                return quote;
            }

            if (tries == 3)
                throw new TpmException("The platform's registers change while they are quoted; try again.");
        }
    }

    private byte[] Registers() => PcrValues.Encode(new Dictionary<TpmHash, IReadOnlyDictionary<int, byte[]>> { [_selection.Hash] = _tpm.ReadPcrs(_selection) });
}
