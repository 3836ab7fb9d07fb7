namespace Bulwark.Conformance.Suites;

internal static class X509Suite
{
    /// <summary>Null: not built.</summary>
    internal static Suite? Cases => null;
}
