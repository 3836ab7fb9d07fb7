using System.CommandLine;
using Bulwark.Cli.Models;

namespace Bulwark.Cli;

internal static class ModelCommand
{
    internal static Command Create() => new("model", """
        Seals a trained model into one signed, encrypted package; signs, verifies, shows and imports models.

        Example: bulwark model seal runs/fraud -o fraud.bulwark
        """)
    {
        ModelSealCommand.Create(),
        ModelVerifyCommand.Create(),
        ModelInspectCommand.Create(),
        ModelImportCommand.Create(),
        ModelPromoteCommand.Create(),
        ModelSignCommand.Create(),
        ModelVerifySignatureCommand.Create(),
        ModelSigningKeyCommand.Create(),
    };
}
