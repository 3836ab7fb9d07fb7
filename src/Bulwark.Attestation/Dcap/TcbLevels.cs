using System.Globalization;
using System.Text.Json;

namespace Bulwark.Attestation.Dcap;

/// <summary>What evaluating a platform against its TCB information came to.</summary>
/// <param name="Status">The status, of platform, quoting enclave and module together.</param>
/// <param name="Advisories">What applies, in Intel's order.</param>
/// <param name="TcbDate">The date of the platform's level; null when none fits.</param>
internal sealed record TcbEvaluation(TcbStatus Status, IReadOnlyList<string> Advisories, DateTimeOffset? TcbDate);

/// <summary>The levels of TCB information and identities, evaluated as Intel's verification library does (steps 4.1.2.4.17 and 4.1.2.4.18).</summary>
internal static class TcbLevels
{
    /// <summary>The first level whose <c>isvsvn</c> is not above the given one; no level when none fits.</summary>
    internal static (TcbStatus Status, IReadOnlyList<string> Advisories) OfIsvSvn(JsonElement levels, int isvSvn)
    {
        foreach (var level in levels.EnumerateArray())
        {
            if (level.GetProperty("tcb").GetProperty("isvsvn").GetInt32() <= isvSvn)
                return (Status(level), Advisories(level));
        }

        return (TcbStatus.NoMatchingLevel, []);
    }

    /// <summary>Evaluates a quote's platform.</summary>
    /// <param name="tcbInfo">The TCB information.</param>
    /// <param name="pck">The platform's PCK certificate.</param>
    /// <param name="report">The TD's report; null for SGX.</param>
    /// <param name="qe">What the quoting enclave's level says.</param>
    internal static TcbEvaluation Evaluate(JsonElement tcbInfo, PckFacts pck, TdReport? report, (TcbStatus Status, IReadOnlyList<string> Advisories) qe)
    {
        var levels = tcbInfo.GetProperty("tcbLevels");
        var level = levels.EnumerateArray().FirstOrDefault(level => HasPlatform(level, pck) && (report is not { } td || HasModule(level, td.TeeTcbSvn)));
        if (level.ValueKind is not JsonValueKind.Object)
            return new(TcbStatus.NoMatchingLevel, [], null);
        var (status, advisories) = (Status(level), Advisories(level).Concat(qe.Advisories));
        var module = report is { } domain ? Module(tcbInfo, domain.TeeTcbSvn) : null;
        if (module is { } of)
            advisories = advisories.Concat(of.Advisories);
        var converged = module is { } part ? status.With(qe.Status).With(part.Status) : status.With(qe.Status);
        if (report is { } relaunched && module?.Status is TcbStatus.OutOfDate && status is TcbStatus.OutOfDate && qe.Status is TcbStatus.UpToDate)
            converged = Relaunch(tcbInfo, levels, pck, relaunched) ?? converged;
        return new(converged, [.. advisories.Distinct(StringComparer.Ordinal)], level.GetProperty("tcbDate").GetDateTimeOffset());
    }

    /// <summary>The identity of the module that runs: <c>TDX_01</c> and so on by its major version; null for version 0, which the TCB information's own member describes.</summary>
    internal static JsonElement? ModuleIdentity(JsonElement tcbInfo, byte version)
    {
        if (!tcbInfo.TryGetProperty("tdxModuleIdentities", out var identities))
            return null;
        var id = string.Create(CultureInfo.InvariantCulture, $"TDX_{version:X2}");
        foreach (var identity in identities.EnumerateArray())
        {
            if (identity.GetProperty("id").GetString() == id)
                return identity;
        }

        return null;
    }

    /// <summary>TD 1.5 only: the platform and its module were patched, and only a relaunch is missing.</summary>
    private static TcbStatus? Relaunch(JsonElement tcbInfo, JsonElement levels, PckFacts pck, TdReport report)
    {
        var after = report.TeeTcbSvn2;
        if (after.IsEmpty || levels.GetArrayLength() == 0)
            return null;
        var newest = levels[0];
        if (!HasPlatform(newest, pck) || !HasModule(newest, after))
            return null;
        if (after[1] > 0 && (ModuleIdentity(tcbInfo, after[1]) is not { } identity || OfIsvSvn(identity.GetProperty("tcbLevels"), after[0]).Status is not TcbStatus.UpToDate))
            return null;
        return Status(newest) switch
        {
            TcbStatus.UpToDate or TcbStatus.SWHardeningNeeded => TcbStatus.TDRelaunchAdvised,
            TcbStatus.ConfigurationNeeded or TcbStatus.ConfigurationAndSWHardeningNeeded => TcbStatus.TDRelaunchAdvisedConfigurationNeeded,
            _ => null,
        };
    }

    private static (TcbStatus Status, IReadOnlyList<string> Advisories)? Module(JsonElement tcbInfo, ReadOnlySpan<byte> svn)
    {
        if (svn[1] == 0)
            return null;
        return ModuleIdentity(tcbInfo, svn[1]) is { } identity ? OfIsvSvn(identity.GetProperty("tcbLevels"), svn[0]) : (TcbStatus.NoMatchingLevel, []);
    }

    private static bool HasPlatform(JsonElement level, PckFacts pck)
    {
        var tcb = level.GetProperty("tcb");
        return Components(tcb, "sgxtcbcomponents").Zip(pck.Components).All(pair => pair.Second >= pair.First) && pck.PceSvn >= tcb.GetProperty("pcesvn").GetInt32();
    }

    /// <summary>The module's own two numbers are judged by its identity when it has one (SVN[1] above 0).</summary>
    private static bool HasModule(JsonElement level, ReadOnlySpan<byte> svn)
    {
        var components = Components(level.GetProperty("tcb"), "tdxtcbcomponents");
        for (var index = svn[1] > 0 ? 2 : 0; index < components.Count; index++)
        {
            if (svn[index] < components[index])
                return false;
        }

        return true;
    }

    private static List<int> Components(JsonElement tcb, string name)
    {
        var numbers = tcb.GetProperty(name).EnumerateArray().Select(component => component.GetProperty("svn").GetInt32()).ToList();
        return numbers.Count == 16 ? numbers : throw new FormatException($"{name} has {numbers.Count} components, not 16.");
    }

    private static TcbStatus Status(JsonElement level) => TcbConvergence.Parse(level.GetProperty("tcbStatus").GetString());

    private static IReadOnlyList<string> Advisories(JsonElement level) => level.TryGetProperty("advisoryIDs", out var ids) ? [.. ids.EnumerateArray().Select(id => id.GetString() ?? "")] : [];
}
