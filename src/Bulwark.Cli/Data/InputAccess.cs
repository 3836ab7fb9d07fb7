using System.CommandLine;
using Bulwark.Cli.Keys;
using Bulwark.Cryptography;

namespace Bulwark.Cli;

/// <summary>What a command may open of protected input.</summary>
/// <param name="Use">What the keys are used for, as the log will say: <c>train</c>, <c>attack</c>.</param>
/// <param name="Purpose">For what encrypted columns are read; null leaves them shut.</param>
/// <param name="Stores">Keys in stores beside the key ring, which may then be asked.</param>
internal sealed record InputAccess(string Use, string? Purpose, IReadOnlyList<KeyUri> Stores)
{
    /// <summary>Kept columns only, by the key ring.</summary>
    internal static InputAccess Kept(string use) => new(use, null, []);
}

/// <summary>The options that say it.</summary>
internal sealed class InputAccessOptions(string use, bool withPurpose = true)
{
    private readonly Option<string?> _purpose = new("--purpose") { Description = "Also read encrypted columns of protected input, for this purpose: it goes into the log first.", HelpName = "TEXT" };
    private readonly Option<string[]> _kek = new("--kek") { Description = "A master key of protected input in another key store (vault:…, pkcs11:…), which may then be asked; may be repeated.", HelpName = "ADDRESS" };

    internal void AddTo(Command command)
    {
        if (withPurpose)
            command.Add(_purpose);
        command.Add(_kek);
    }

    internal InputAccess Read(ParseResult parsed) =>
        new(use, withPurpose ? parsed.GetValue(_purpose) : null, [.. (parsed.GetValue(_kek) ?? []).Select(text => KeyAddress.Parse(text)!)]);
}
