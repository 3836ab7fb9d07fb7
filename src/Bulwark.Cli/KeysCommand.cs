using System.CommandLine;
using Bulwark.Cli.Keys;

namespace Bulwark.Cli;

internal static class KeysCommand
{
    internal static Command Create() => new("keys", """
        Keys in the workspace's keyring and in other stores (PKCS#11 tokens, Vault, cloud key services): made, rotated, ended, counted.

        Example: bulwark keys list
        """)
    {
        KeysList.Create(), KeysCreate.Create(), KeysCreate.CreateRotate(), KeysRewrap.Create(), KeysEnd.CreateRetire(), KeysEnd.CreateDestroy(),
        KeysImport.Create(), KeysExportPublic.Create(), KeysPassphrase.Create(), KeysInventory.Create(),
    };
}
