namespace Bulwark.Conformance.Suites;

internal static class PolicySuite
{
    /// <summary>Null: not built.</summary>
    internal static Suite? Cases => null;
}
