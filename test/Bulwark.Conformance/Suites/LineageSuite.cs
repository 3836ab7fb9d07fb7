namespace Bulwark.Conformance.Suites;

internal static class LineageSuite
{
    /// <summary>Null: not built.</summary>
    internal static Suite? Cases => null;
}
