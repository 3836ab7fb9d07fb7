namespace Bulwark.Conformance.Suites;

internal static class ProtectionSuite
{
    /// <summary>Null: not built.</summary>
    internal static Suite? Cases => null;
}
