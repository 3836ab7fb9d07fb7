namespace Bulwark.Conformance.Suites;

internal static class RobustnessSuite
{
    /// <summary>Null: not built.</summary>
    internal static Suite? Cases => null;
}
