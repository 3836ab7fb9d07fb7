using System.Formats.Asn1;
using System.Security.Cryptography;
using Bulwark.Attestation.Certificates;

namespace Bulwark.Attestation.Tpm;

/// <summary>Appraises a TPM 2.0 quote against a policy, leg by leg, offline.</summary>
/// <param name="policy">What is let in.</param>
/// <param name="time">The verifier's clock.</param>
public sealed class TpmVerifier(TpmPolicy policy, TimeProvider time)
{
    private const string EndorsementUsage = "2.23.133.8.1";

    /// <summary>Appraises.</summary>
    /// <param name="evidence">The quote and what came with it.</param>
    /// <param name="nonce">The data that the quote must carry; empty when the caller binds it otherwise.</param>
    public PlatformAppraisal Verify(TpmEvidence evidence, ReadOnlySpan<byte> nonce)
    {
        var legs = new Legs();
        TpmPublic.TryRead(evidence.KeyPublic.Span, out var area);
        var key = area?.SubjectPublicKeyInfo ?? evidence.Key;
        legs.Check("ak-format", key.Length > 0 && (area is not null || evidence.KeyPublic.IsEmpty), "there is no attestation key that can be read", code: "Format");
        TpmQuote.TryRead(evidence.Attest.Span, out var quote);
        legs.Check("quote-format", quote is not null, "the attested structure cannot be read", code: "Format");
        var signature = evidence.BareSignature ? TpmSignature.OfBareRsa(evidence.Signature.Span) : TpmSignature.TryRead(evidence.Signature.Span, out var read) ? read : null;
        legs.Check("signature-format", signature is not null, "the signature cannot be read", code: "Format");
        legs.Check("quote-signature", signature?.Verifies(key.Span, evidence.Attest.Span) is true, "the attestation key did not sign this quote", reached: signature is not null && key.Length > 0, code: "Signature");
        legs.Check("quote-type", quote?.Type == TpmQuote.QuoteType, $"type 0x{quote?.Type:x} is no quote", reached: quote is not null, code: "Type");
        KeyAttributes(legs, area);
        var endorsement = Endorsement(legs, evidence);
        Binding(legs, evidence, area, endorsement);
        var isQuote = quote?.Type == TpmQuote.QuoteType;
        if (nonce.IsEmpty)
            legs.Waive("nonce", "the caller binds the quote otherwise");
        else
            legs.Check("nonce", isQuote && CryptographicOperations.FixedTimeEquals(quote!.ExtraData.Span, nonce), "it carries another nonce", reached: isQuote, code: "Nonce");
        Registers(legs, evidence, isQuote ? quote : null, signature);
        var platform = area is null ? Convert.ToHexStringLower(SHA256.HashData(key.Span)) : Convert.ToHexStringLower(area.Name.Span);
        if (policy.AnyPlatform)
            legs.Waive("platform", "any: the policy lets every attestation key in, also one of a machine that an attacker owns");
        else
            legs.Require("platform", policy.AttestationKeys.Contains(platform, StringComparer.OrdinalIgnoreCase) || (endorsement is not null && policy.EndorsementKeys.Contains(endorsement.KeyDigest)), "the policy does not let this TPM in", code: "Platform");
        return new() { Legs = legs.Done, PlatformId = platform, Claims = Claims(quote) };
    }

    private void KeyAttributes(Legs legs, TpmPublic? area)
    {
        if (area is null && policy.AllowBareKey)
        {
            legs.Waive("ak-restricted", "the key's attributes are known otherwise", LegKind.Evidence);
            legs.Waive("ak-fixed", "the key's attributes are known otherwise", LegKind.Evidence);
            return;
        }

        legs.Check("ak-restricted", area?.IsRestrictedSigner is true, "the key signs anything, so its quotes can be made up", reached: area is not null, code: "AkNotRestricted");
        legs.Check("ak-fixed", area?.IsFixed is true, "the key was not made in this TPM, or can leave it", reached: area is not null, code: "AkNotFixed");
    }

    /// <returns>The endorsement certificate, when one can be read.</returns>
    private DerCertificate? Endorsement(Legs legs, TpmEvidence evidence)
    {
        if (evidence.EndorsementChain.Count == 0 && policy.AllowUnendorsed)
        {
            foreach (var name in (ReadOnlySpan<string>)["ek-format", "ek-root", "ek-chain", "ek-dates", "ek-usage"])
                legs.Waive(name, "the policy asks for no endorsement certificate");
            return null;
        }

        var chain = new List<DerCertificate>();
        foreach (var bytes in evidence.EndorsementChain)
        {
            if (DerCertificate.TryRead(bytes, out var certificate))
                chain.Add(certificate!);
        }

        legs.Check("ek-format", chain.Count == evidence.EndorsementChain.Count && chain.Count > 1, "an endorsement certificate is missing or cannot be read", code: "CertFormat");
        new ChainCheck("ek", chain, policy.EndorsementRoots).AddTo(legs, time.GetUtcNow());
        legs.Check("ek-usage", chain.Count > 0 && IsEndorsement(chain[0]), "the certificate is not for an endorsement key", code: "EkUsage");
        return chain.Count > 0 ? chain[0] : null;
    }

    /// <summary>That the attestation key lives in the TPM of the endorsement certificate: only that TPM opens a credential made for both (part 1, 24).</summary>
    private void Binding(Legs legs, TpmEvidence evidence, TpmPublic? area, DerCertificate? endorsement)
    {
        if (policy.BindingKnown || (endorsement is null && policy.AllowUnendorsed))
        {
            legs.Waive("ek-binding", "the key's origin is proved otherwise");
            return;
        }

        var enrolled = area is not null && policy.AttestationKeys.Contains(Convert.ToHexStringLower(area.Name.Span), StringComparer.OrdinalIgnoreCase);
        var proved = endorsement is not null && TpmPublic.TryRead(evidence.ProvedEndorsementKey.Span, out var key) && key.SubjectPublicKeyInfo.Span.SequenceEqual(endorsement.PublicKey.Span);
        legs.Check("ek-binding", enrolled || proved, "nothing shows that the attestation key lives in the TPM of this endorsement certificate", code: "EkBinding");
    }

    private void Registers(Legs legs, TpmEvidence evidence, TpmQuote? quote, TpmSignature? signature)
    {
        var covered = quote?.Selections.Where(selection => selection.Hash == policy.Required.Hash).SelectMany(selection => selection.Indices).ToHashSet() ?? [];
        legs.Check("pcr-bank", policy.Required.Hash is TpmHash.Sha256 or TpmHash.Sha384 or TpmHash.Sha512, "the policy asks for a bank that is not sound", code: "PcrBank");
        legs.Check("pcr-selection", policy.Required.Indices.All(covered.Contains), $"the quote does not cover {policy.Required}", reached: quote is not null, code: "PcrSelection");
        var digest = quote is null || signature is null ? null : DigestOf(quote, signature.Hash, evidence.Pcrs);
        legs.Check("pcr-digest", digest is not null && CryptographicOperations.FixedTimeEquals(digest, quote!.PcrDigest.Span), "the presented registers are not the quoted ones", reached: quote is not null && signature is not null, code: "PcrDigest");
        var bank = evidence.Pcrs.GetValueOrDefault(policy.Required.Hash);
        var wrong = policy.Values.Where(entry => bank is null || !bank.TryGetValue(entry.Key, out var value) || !entry.Value.Contains(Convert.ToHexStringLower(value), StringComparer.OrdinalIgnoreCase)).Select(entry => entry.Key).ToList();
        legs.Require("pcr-values", wrong.Count == 0 && policy.Values.Keys.All(covered.Contains), $"registers that the policy does not let in: {string.Join(", ", wrong)}", code: "PcrValues");
        if (policy.AnyMeasurement)
            legs.Waive("measurement", "any: the policy leaves the registers to the caller");
        else
            legs.Require("measurement", Composite(evidence.Pcrs) is { } composite && policy.Measurements.Contains(composite, StringComparer.OrdinalIgnoreCase) && policy.Required.Indices.All(covered.Contains),
                $"the policy does not let the registers' composite {Composite(evidence.Pcrs)} in", code: "Measurement");
        Log(legs, evidence, bank, covered);
    }

    /// <summary>SHA-256 over the required registers' values, ascending: a TPM's measurement. Null when one is missing.</summary>
    internal string? Composite(IReadOnlyDictionary<TpmHash, IReadOnlyDictionary<int, byte[]>> pcrs)
    {
        var bank = pcrs.GetValueOrDefault(policy.Required.Hash);
        if (bank is null || policy.Required.Indices.Count == 0 || !policy.Required.Indices.All(bank.ContainsKey))
            return null;
        return Convert.ToHexStringLower(SHA256.HashData([.. policy.Required.Indices.Order().SelectMany(index => bank[index])]));
    }

    /// <summary>An event log is believed only when it gives every quoted register that it speaks of.</summary>
    private void Log(Legs legs, TpmEvidence evidence, IReadOnlyDictionary<int, byte[]>? bank, HashSet<int> covered)
    {
        if (evidence.EventLog.IsEmpty && !policy.RequireEventLog)
        {
            legs.Waive("event-log", "there is none, and the policy does not ask for one");
            return;
        }

        var read = MeasuredLog.TryRead(evidence.EventLog.Span, out var log);
        var replayed = read ? log!.Replay(policy.Required.Hash) : new Dictionary<int, byte[]>();
        var wrong = replayed.Where(register => covered.Contains(register.Key) && (bank is null || !bank.TryGetValue(register.Key, out var value) || !value.AsSpan().SequenceEqual(register.Value))).Select(register => register.Key).ToList();
        legs.Check("event-log", read && replayed.Count > 0 && wrong.Count == 0, !read ? "the event log is missing or cannot be read" : $"the event log does not give the quoted registers: {string.Join(", ", wrong)}", code: "EventLog");
    }

    private static byte[]? DigestOf(TpmQuote quote, TpmHash hash, IReadOnlyDictionary<TpmHash, IReadOnlyDictionary<int, byte[]>> pcrs)
    {
        if (hash.Name() is null)
            return null;
        var values = new List<byte>();
        foreach (var selection in quote.Selections)
        {
            foreach (var index in selection.Indices)
            {
                if (!pcrs.TryGetValue(selection.Hash, out var bank) || !bank.TryGetValue(index, out var value) || value.Length != selection.Hash.Size())
                    return null;
                values.AddRange(value);
            }
        }

        return hash.Hash([.. values]);
    }

    private static bool IsEndorsement(DerCertificate certificate)
    {
        if (certificate.Extension("2.5.29.37") is not { } usages)
            return false;
        try
        {
            var sequence = new AsnReader(usages, AsnEncodingRules.DER).ReadSequence();
            while (sequence.HasData)
            {
                if (sequence.ReadObjectIdentifier() == EndorsementUsage)
                    return true;
            }
        }
        catch (AsnContentException)
        {
            return false;   // the answer: an extension that cannot be read allows nothing
        }

        return false;
    }

    private static Dictionary<string, string> Claims(TpmQuote? quote) => quote is null ? [] : new(StringComparer.Ordinal)
    {
        ["extraData"] = Convert.ToHexStringLower(quote.ExtraData.Span),
        ["pcrs"] = string.Join(" ", quote.Selections),
        ["pcrDigest"] = Convert.ToHexStringLower(quote.PcrDigest.Span),
        ["resetCount"] = $"{quote.ResetCount}",
        ["restartCount"] = $"{quote.RestartCount}",
        ["firmwareVersion"] = $"0x{quote.FirmwareVersion:x}",
    };
}
