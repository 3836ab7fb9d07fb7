namespace Bulwark.Conformance.Suites;

internal static class PrivacySuite
{
    /// <summary>Null: not built.</summary>
    internal static Suite? Cases => null;
}
