using System.Text.Json.Serialization;

namespace Bulwark.Attestation.Dcap;

/// <summary>What Intel says of a platform's trusted computing base.</summary>
[JsonConverter(typeof(NamesOnlyConverter<TcbStatus>))]
public enum TcbStatus
{
    /// <summary>No published level fits the platform (TCB_NOT_SUPPORTED); never acceptable.</summary>
    NoMatchingLevel = 0,
    /// <summary>Nothing to do.</summary>
    UpToDate,
    /// <summary>The software must mitigate the advisories.</summary>
    SWHardeningNeeded,
    /// <summary>The platform's configuration exposes it to the advisories.</summary>
    ConfigurationNeeded,
    /// <summary>Both.</summary>
    ConfigurationAndSWHardeningNeeded,
    /// <summary>Patches are missing.</summary>
    OutOfDate,
    /// <summary>Patches are missing and the configuration is wrong.</summary>
    OutOfDateConfigurationNeeded,
    /// <summary>The platform was patched, the domain still runs on the old module.</summary>
    TDRelaunchAdvised,
    /// <summary>The same, and the configuration is wrong.</summary>
    TDRelaunchAdvisedConfigurationNeeded,
    /// <summary>The platform's keys are revoked; never acceptable.</summary>
    Revoked,
}

/// <summary>Joins the statuses of platform, quoting enclave and TDX module as Intel's verification library does.</summary>
internal static class TcbConvergence
{
    internal static TcbStatus With(this TcbStatus platform, TcbStatus part) => (platform, part) switch
    {
        (TcbStatus.NoMatchingLevel, _) or (_, TcbStatus.NoMatchingLevel) => TcbStatus.NoMatchingLevel,
        (TcbStatus.Revoked, _) or (_, TcbStatus.Revoked) => TcbStatus.Revoked,
        (TcbStatus.UpToDate or TcbStatus.SWHardeningNeeded, TcbStatus.OutOfDate) => TcbStatus.OutOfDate,
        (TcbStatus.ConfigurationNeeded or TcbStatus.ConfigurationAndSWHardeningNeeded, TcbStatus.OutOfDate) => TcbStatus.OutOfDateConfigurationNeeded,
        _ => platform,
    };

    /// <summary>Reads a status as Intel writes it; one that is not known is no level's.</summary>
    internal static TcbStatus Parse(string? text) => Enum.TryParse<TcbStatus>(text, out var status) && Enum.IsDefined(status) && !char.IsAsciiDigit(text![0]) ? status : TcbStatus.NoMatchingLevel;
}
