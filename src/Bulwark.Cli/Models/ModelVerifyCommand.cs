using System.CommandLine;
using Bulwark.Models;

namespace Bulwark.Cli.Models;

internal static class ModelVerifyCommand
{
    private static readonly Argument<FileInfo> s_package = new Argument<FileInfo>("package") { Description = "The sealed model." }.AcceptExistingOnly();
    private static readonly Option<string[]> s_keys = ModelTrust.Option();

    internal static Command Create()
    {
        var command = new Command("verify", """
            Checks a sealed model: form, signature, signer, every byte. Needs no secret. Exit 1 names the check that refused.

            Example: bulwark model verify fraud.bulwark --key ed25519:…
            """) { s_package, s_keys };
        command.SetAction(async (parsed, cancel) =>
        {
            var screen = new Screen(parsed);
            var trusted = ModelTrust.Keys(parsed, s_keys, screen);
            await using var package = parsed.GetRequiredValue(s_package).OpenRead();
            return Answer(screen, await SealedModel.VerifyAsync(package, trusted, cancel));
        });
        return command;
    }

    /// <summary>Prints a verdict; also what <c>bulwark verify</c> says of a package.</summary>
    internal static int Answer(Screen screen, SealVerification verification) => screen.Answer(
        new
        {
            trusted = verification.IsTrusted,
            verification.Verdict,
            verification.Reason,
            digest = verification.PackageDigest.IsNone ? null : verification.PackageDigest.ToString(),
            verification.Signer,
            verification.PackageBytes,
            verification.Manifest,
        },
        console => ModelTable.Draw(console, verification),
        verification.IsTrusted ? ExitCode.Yes : ExitCode.No);
}
