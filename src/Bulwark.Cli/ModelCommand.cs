using System.CommandLine;
using Bulwark.Cli.Models;

namespace Bulwark.Cli;

internal static class ModelCommand
{
    internal static Command Create() => new("model", """
        Seals a trained model into one signed, encrypted package; signs, verifies, scans, shows and imports models; recognises stolen ones.

        Example: bulwark model seal runs/fraud -o fraud.bulwark
        """)
    {
        ModelSealCommand.Create(),
        ModelVerifyCommand.Create(),
        ModelInspectCommand.Create(),
        ModelImportCommand.Create(),
        ModelScanCommand.Create(),
        ModelObfuscateCommand.Create(),
        ModelFingerprintCommand.Create(),
        ModelIdentifyCommand.Create(),
        ModelHardenCommand.Create(),
        ModelScreenCommand.Create(),
        ModelPromoteCommand.Create(),
        ModelSignCommand.Create(),
        ModelVerifySignatureCommand.Create(),
        ModelSigningKeyCommand.Create(),
    };
}
