using System.CommandLine;

namespace Bulwark.Cli.Certificates;

/// <summary><c>certify</c>: what holds against every attack, not only against those that were tried.</summary>
internal static class CertifyCommand
{
    internal static Command Create() => new("certify", """
        Proves what no attack within a bound can change, where it can be proven.

        Example: bulwark certify rows --model runs/fraud --data test.csv --eps 0.02
        """)
    {
        CertifyRowsCommand.Create(),
        CertifyPoisoningCommand.Create(),
    };
}
