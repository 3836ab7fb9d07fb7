namespace Bulwark.Conformance.Suites;

internal static class KubernetesSuite
{
    /// <summary>Null: not built.</summary>
    internal static Suite? Cases => null;
}
