using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bulwark.Cryptography;

namespace Bulwark.Attestation;

/// <summary>What the broker decided.</summary>
[JsonConverter(typeof(NamesOnlyConverter<KeyReleaseVerdict>))]
public enum KeyReleaseVerdict
{
    /// <summary>Nothing was decided; there is no key.</summary>
    [JsonStringEnumMemberName("undecided")] Undecided = 0,
    /// <summary>The key was sealed to the attested worker.</summary>
    [JsonStringEnumMemberName("released")] Released,
    /// <summary>The key stays where it is.</summary>
    [JsonStringEnumMemberName("refused")] Refused,
}

/// <summary>A model's data key, sealed to the key that the evidence binds. Only that worker can open it, and only as the answer to that nonce.</summary>
public sealed record ReleasedKey
{
    /// <summary>The release's name in the log: 32 hexadecimal digits.</summary>
    public required string ReleaseId { get; init; }

    /// <summary>The model package that the key opens.</summary>
    public required Digest Model { get; init; }

    /// <summary>Until when the key may be used; the seal covers it. Whole milliseconds.</summary>
    public required DateTimeOffset LeaseEnds { get; init; }

    /// <summary>How long the key may be used, in seconds from when it was asked for; the seal covers it. It needs no calendar.</summary>
    public required int LeaseSeconds { get; init; }

    /// <summary>The encapsulated key (RFC 9180 §4.1), 65 bytes.</summary>
    public required byte[] Encapsulated { get; init; }

    /// <summary>The sealed data key.</summary>
    public required byte[] Ciphertext { get; init; }

    /// <summary>Opens the key in the worker.</summary>
    /// <param name="keys">The pair whose public half the evidence bound.</param>
    /// <param name="evidence">The evidence that was shown for it.</param>
    /// <exception cref="CryptographicException">It was sealed to another key, for another nonce or model, or was changed.</exception>
    public SecretBytes Open(HpkeKeyPair keys, Evidence evidence)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        var opened = Hpke.Open(keys, Encapsulated, Info(ReleaseId, Model, evidence.Nonce, LeaseEnds, LeaseSeconds), evidence.ReportData(), Ciphertext);
        try
        {
            return SecretBytes.CopyOf(opened);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(opened);
        }
    }

    internal static byte[] Info(string releaseId, Digest model, byte[] nonce, DateTimeOffset leaseEnds, int leaseSeconds)
    {
        var (ends, seconds) = (new byte[sizeof(long)], new byte[sizeof(int)]);
        BinaryPrimitives.WriteInt64BigEndian(ends, leaseEnds.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt32BigEndian(seconds, leaseSeconds);
        return LengthPrefixed.Bytes("bulwark.dev/release/v2", Encoding.ASCII.GetBytes(releaseId), model.ToArray(), nonce, ends, seconds);
    }
}

/// <summary>One decision as the log keeps it: who asked, what was checked, what was decided. No secret in it.</summary>
public sealed record KeyReleaseRecord
{
    /// <summary>The release's name: 32 hexadecimal digits.</summary>
    public required string ReleaseId { get; init; }
    /// <summary>When, by the broker's clock.</summary>
    public required DateTimeOffset Time { get; init; }
    /// <summary>What was decided.</summary>
    public required KeyReleaseVerdict Verdict { get; init; }
    /// <summary>The first leg that failed; empty when the key was released.</summary>
    public required string Reason { get; init; }
    /// <summary>The model package whose key was asked for.</summary>
    public required Digest Model { get; init; }
    /// <summary>Digest of the evidence.</summary>
    public required Digest Evidence { get; init; }
    /// <summary>The key that the evidence binds and the worker signs its receipts with.</summary>
    public required VerificationKey ReceiptKey { get; init; }
    /// <summary>The evidence's kind.</summary>
    public required string Kind { get; init; }
    /// <summary>What runs, as the evidence says; null when that could not be read.</summary>
    public string? Measurement { get; init; }
    /// <summary>Which machine; null when the evidence does not say.</summary>
    public string? Platform { get; init; }
    /// <summary>The vendor's word for the platform's patches; null where there is none.</summary>
    public string? TcbStatus { get; init; }
    /// <summary>What was asked: <c>release</c> or <c>renewal</c>.</summary>
    public string? Purpose { get; init; }
    /// <summary>The release that is renewed; null for a first one.</summary>
    public string? Renews { get; init; }
    /// <summary>The first release of the chain of renewals that this one belongs to; null when it was refused.</summary>
    public string? Root { get; init; }
    /// <summary>The worker's start, hexadecimal.</summary>
    public string? BootId { get; init; }
    /// <summary>Until when the key may be used; null when it was refused.</summary>
    public DateTimeOffset? LeaseEnds { get; init; }
    /// <summary>Number of the evidence policy.</summary>
    public int? PolicyVersion { get; init; }
    /// <summary>The first date at which a certificate or a piece of collateral ends; null when none was read.</summary>
    public DateTimeOffset? ValidUntil { get; init; }
    /// <summary>Digest of the evidence policy.</summary>
    public required Digest Policy { get; init; }
    /// <summary>The names of all legs that failed.</summary>
    public required IReadOnlyList<string> FailedLegs { get; init; }
    /// <summary>True unless real hardware vouched.</summary>
    public required bool Insecure { get; init; }
}

/// <summary>What the broker answers; see <see cref="ToJson"/> for its form between processes.</summary>
/// <param name="Record">The decision, as it was logged.</param>
/// <param name="Appraisal">Every leg.</param>
/// <param name="Key">The sealed key; null unless it was released.</param>
public sealed record KeyReleaseAnswer(KeyReleaseRecord Record, EvidenceAppraisal Appraisal, ReleasedKey? Key = null)
{
    /// <summary>The decision as the broker signed and logged it, a DSSE envelope; empty from a broker in this process, which logs by itself.</summary>
    [JsonIgnore]
    public ReadOnlyMemory<byte> Envelope { get; init; }

    /// <summary>The answer as JSON, as <see cref="KeyBrokerClient"/> reads it.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, AttestationJson.Default.KeyReleaseAnswer);
}
