using Bulwark.Cli.Keys;
using Bulwark.Cryptography;

namespace Bulwark.Cli.Doctor;

/// <summary>Looks at the workspace's keys, where there is a workspace and it opens without asking anybody.</summary>
internal static class KeyExamination
{
    internal static IEnumerable<Finding> Run(Workspace? workspace)
    {
        if (workspace is null)
            yield break;
        KeyRing? ring = null;
        string? fault = null;
        try
        {
            ring = workspace.OpenKeys();
        }
        catch (Exception failure) when (Failure.Explains(failure))
        {
            fault = failure.Message;
        }

        if (ring is null)
        {
            yield return new("keys", Health.Limited, "the keyring did not open", fault ?? "");
            yield break;
        }

        using (ring)
        {
            yield return workspace.IsUnprotected
                ? new("keyring", Health.Limited, "opened by a key file beside it", "Development only: whoever copies the folder has the keys. `bulwark keys passphrase` seals it by a passphrase.")
                : new("keyring", Health.Good, ring.UnlockedBy, "A copy of the file alone opens nothing.");
            var keys = KeyStanding.Of(ring.List(), DateTimeOffset.UtcNow);
            var warnings = keys.Select(key => key.Warning).OfType<string>().ToArray();
            if (warnings.Length == 0)
                yield return new("cryptoperiods", Health.Good, $"{keys.Count} key versions within their time", "Nothing needs to be rotated.");
            foreach (var warning in warnings)
                yield return new("cryptoperiods", Health.Limited, "past or near its end", warning);
        }
    }
}
