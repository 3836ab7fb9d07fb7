namespace Bulwark.Attestation.Dcap;

/// <summary>What a quote says, as claims for people and for relying parties.</summary>
internal static class QuoteClaims
{
    internal static Dictionary<string, string> Of(Quote quote, PckFacts pck, TcbEvaluation tcb, TdReport? domain)
    {
        var claims = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["version"] = $"{quote.Version}",
            ["fmspc"] = Convert.ToHexStringLower(pck.Fmspc.Span),
            ["reportData"] = Convert.ToHexStringLower(quote.ReportData),
            ["tcbStatus"] = $"{tcb.Status}",
            ["tcbDate"] = $"{tcb.TcbDate:yyyy-MM-dd}",
        };
        if (domain is { } td)
            AddDomain(claims, td);
        else
            AddEnclave(claims, new EnclaveReport(quote.Body.ToArray()));
        return claims;
    }

    private static void AddDomain(Dictionary<string, string> claims, TdReport td)
    {
        claims["mrtd"] = Convert.ToHexStringLower(td.MrTd);
        for (var index = 0; index < 4; index++)
            claims[$"rtmr{index}"] = Convert.ToHexStringLower(td.Rtmr(index));
        claims["tdAttributes"] = Convert.ToHexStringLower(td.TdAttributes);
        claims["xfam"] = Convert.ToHexStringLower(td.Xfam);
        claims["mrSeam"] = Convert.ToHexStringLower(td.MrSeam);
        claims["mrConfigId"] = Convert.ToHexStringLower(td.MrConfigId);
        claims["teeTcbSvn"] = Convert.ToHexStringLower(td.TeeTcbSvn);
    }

    private static void AddEnclave(Dictionary<string, string> claims, EnclaveReport enclave)
    {
        claims["mrenclave"] = Convert.ToHexStringLower(enclave.MrEnclave);
        claims["mrsigner"] = Convert.ToHexStringLower(enclave.MrSigner);
        claims["isvProdId"] = $"{enclave.IsvProdId}";
        claims["isvSvn"] = $"{enclave.IsvSvn}";
        claims["attributes"] = Convert.ToHexStringLower(enclave.Attributes);
    }
}
