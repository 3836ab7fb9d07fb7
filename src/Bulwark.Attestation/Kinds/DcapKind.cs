using Bulwark.Attestation.Dcap;

namespace Bulwark.Attestation.Kinds;

/// <summary>A TDX or SGX quote with Intel's collateral.</summary>
internal sealed class DcapKind(string name) : EvidenceKind(name, EvidenceParts.Collateral, EvidenceParts.EventLog)
{
    internal override EvidenceFindings Appraise(Legs legs, EvidenceCase one)
    {
        var tee = Name == EvidenceKinds.Tdx ? QuoteTee.Tdx : QuoteTee.Sgx;
        if ((tee is QuoteTee.Tdx ? one.Policy.Tdx : one.Policy.Sgx) is not { } section)
            return NoPolicy(legs, Name);
        var readable = Quote.TryRead(one.Evidence.Payload, out var quote, out _, out _);
        legs.Check("tee", readable && quote!.Tee == tee, $"the quote is about {quote?.Tee}", reached: readable);
        var platform = Judge(one, section, one.Evidence.Payload, one.Evidence.ReportData());
        Take(legs, Name, platform);
        if (tee is QuoteTee.Tdx)
            Log(legs, one, quote);
        return EvidenceFindings.Of(platform, quote is null ? null : Measured(quote));
    }

    internal static PlatformAppraisal Judge(EvidenceCase one, DcapPolicy section, ReadOnlyMemory<byte> quote, ReadOnlySpan<byte> reportData)
    {
        var collateral = one.Part(EvidenceParts.Collateral);
        if (collateral.IsEmpty && one.Collateral is { } folder && Quote.TryRead(quote.Span, out var read, out _, out _))
            collateral = folder.ForQuote(read);
        var policy = section with
        {
            Measurements = [.. one.Policy.Measurements.Select(let => let.Sha384 ?? let.Sha256).OfType<string>()],
            MaximumCollateralAge = Days(one.Policy.MaximumCollateralAgeDays),
        };
        return new DcapVerifier(policy, one.Time).Verify(quote.Span, collateral.Span, reportData);
    }

    internal static string Measured(Quote quote) => ReferenceValue.Name(quote.Tee is QuoteTee.Tdx ? new TdReport(quote.Body.ToArray()).MrTd : new EnclaveReport(quote.Body.ToArray()).MrEnclave);

    /// <summary>A log (CCEL) is believed only when it gives the quoted registers; its register 1 is RTMR0.</summary>
    private static void Log(Legs legs, EvidenceCase one, Quote? quote)
    {
        var bytes = one.Part(EvidenceParts.EventLog);
        if (bytes.IsEmpty)
        {
            legs.Waive("event-log", "there is none");
            return;
        }

        var read = Tpm.MeasuredLog.TryRead(bytes.Span, out var log);
        var replayed = read ? log!.Replay(Tpm.TpmHash.Sha384) : new Dictionary<int, byte[]>();
        var fits = quote is not null && replayed.Count > 0 && replayed.All(register => register.Key is >= 1 and <= 4 && new TdReport(quote.Body.ToArray()).Rtmr(register.Key - 1).SequenceEqual(register.Value));
        legs.Check("event-log", read && fits, read ? "the event log does not give the quoted registers" : "the event log cannot be read", reached: quote is not null, code: "EventLog");
    }
}
