namespace Bulwark.Conformance.Suites;

internal static class JoseSuite
{
    /// <summary>Null: not built.</summary>
    internal static Suite? Cases => null;
}
