using Bulwark.Attestation;

namespace Bulwark.Client;

/// <summary>Why a client gives no prediction.</summary>
public enum ClientFailure
{
    /// <summary>Nothing was asked.</summary>
    Unknown = 0,
    /// <summary>The gateway cannot be reached, or its certificate is not of the pinned authority.</summary>
    Unreachable,
    /// <summary>The gateway refused: identity, policy, rate, or it serves no such model.</summary>
    Refused,
    /// <summary>The worker's evidence does not pass the policy.</summary>
    EvidenceRefused,
    /// <summary>The log does not prove that this worker was given the model's key.</summary>
    ReleaseNotProved,
    /// <summary>The worker's lease of the model's key is over: it scores nothing until the key is released again.</summary>
    LeaseEnded,
    /// <summary>An approver revoked the worker's release.</summary>
    Revoked,
    /// <summary>The worker has another key than the one that was attested, and attesting again did not help.</summary>
    KeyChanged,
    /// <summary>What came back was changed, cut, exchanged or not sealed at all.</summary>
    AnswerRefused,
    /// <summary>The receipt does not prove the answer: another signer, other bodies, or not in the log.</summary>
    ReceiptRefused,
    /// <summary>The worker's input screen, or its reader, does not take these rows.</summary>
    InputRejected,
}

/// <summary>A prediction that is not given, and why. No score is in it.</summary>
public sealed class BulwarkClientException : Exception
{
    internal BulwarkClientException(ClientFailure failure, string message, Exception? inner = null, EvidenceAppraisal? appraisal = null) : base(message, inner) =>
        (Failure, Appraisal) = (failure, appraisal);

    /// <summary>Why.</summary>
    public ClientFailure Failure { get; }

    /// <summary>Every leg of the evidence, when it was the evidence.</summary>
    public EvidenceAppraisal? Appraisal { get; }
}
