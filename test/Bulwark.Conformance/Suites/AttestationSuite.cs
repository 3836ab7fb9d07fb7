namespace Bulwark.Conformance.Suites;

internal static class AttestationSuite
{
    /// <summary>Null: not built.</summary>
    internal static Suite? Cases => null;
}
