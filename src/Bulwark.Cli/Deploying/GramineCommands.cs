using System.CommandLine;
using Bulwark.Cryptography;
using Bulwark.Deployment;
using Spectre.Console;

namespace Bulwark.Cli.Deploying;

/// <summary>Manifests for Gramine: written for the worker (experimental), and anyone's searched for insecure options.</summary>
internal static class GramineCommands
{
    private static readonly Argument<DirectoryInfo> s_worker = new Argument<DirectoryInfo>("worker") { Description = "The folder with the worker, published with its runtime." }.AcceptExistingOnly();
    private static readonly Option<FileInfo> s_output = new("--output", "-o") { Description = "The manifest to write.", Required = true, HelpName = "FILE" };
    private static readonly Option<DirectoryInfo> s_gramine = new("--gramine") { Description = "Gramine's libraries.", DefaultValueFactory = _ => new("/usr/lib/x86_64-linux-gnu/gramine"), HelpName = "DIR" };
    private static readonly Option<DirectoryInfo[]> s_library = new("--library") { Description = "A folder of system libraries, each file of it to be listed by its digest; may be given several times.", HelpName = "DIR", AllowMultipleArgumentsPerToken = false };
    private static readonly Option<string[]> s_argument = new("--argument") { Description = "An argument of the worker; may be given several times.", HelpName = "TEXT", AllowMultipleArgumentsPerToken = false };
    private static readonly Option<int> s_size = new("--enclave-gib") { Description = "The enclave's size in GiB, a power of two.", DefaultValueFactory = _ => 4 };
    private static readonly Argument<FileInfo> s_manifest = new Argument<FileInfo>("manifest") { Description = "A rendered manifest." }.AcceptExistingOnly();

    internal static Command Create() => new("gramine", "Manifests for Gramine (SGX). Experimental for .NET: docs/deployment.md.") { CreateGenerate(), CreateCheck() };

    private static Command CreateGenerate()
    {
        var command = new Command("generate", """
            Writes a manifest for the published worker: every file by its digest, no insecure option. EXPERIMENTAL: .NET under Gramine is not proven.

            Example: bulwark deploy gramine generate publish/worker -o worker.manifest --library /lib/x86_64-linux-gnu
            """) { s_worker, s_output, s_gramine, s_library, s_argument, s_size };
        command.SetAction(parsed =>
        {
            var output = parsed.GetRequiredValue(s_output);
            try
            {
                var manifest = GramineManifest.Write(parsed.GetRequiredValue(s_worker).FullName, parsed.GetRequiredValue(s_gramine).FullName,
                    [.. (parsed.GetValue(s_library) ?? []).Select(folder => folder.FullName)], parsed.GetValue(s_argument) ?? [], (long)parsed.GetRequiredValue(s_size) << 30);
                AtomicFile.Write(output.FullName, System.Text.Encoding.UTF8.GetBytes(manifest));
            }
            catch (Exception failure) when (failure is ArgumentException or IOException)
            {
                throw new CommandException(failure.Message);
            }

            return new Screen(parsed).Answer(new { manifest = output.FullName, experimental = true }, console =>
                console.MarkupLineInterpolated($"{output.FullName} [yellow](experimental: .NET under Gramine is not proven)[/]"));
        });
        return command;
    }

    private static Command CreateCheck()
    {
        var command = new Command("check", """
            Names every option of a manifest that opens the enclave to its host; exit 1 when there is one.

            Example: bulwark deploy gramine check worker.manifest
            """) { s_manifest };
        command.SetAction(parsed =>
        {
            IReadOnlyList<Finding> findings;
            try
            {
                findings = GramineRules.Check(File.ReadAllText(parsed.GetRequiredValue(s_manifest).FullName));
            }
            catch (FormatException failure)
            {
                throw new CommandException(failure.Message);
            }

            return new Screen(parsed).Answer(new { passed = findings.Count == 0, findings }, console =>
            {
                foreach (var finding in findings)
                    console.MarkupLineInterpolated($"[red]{finding.Rule}[/]  {finding.Path}: {finding.Message} Fix: {finding.Fix}.");
                console.WriteLine(findings.Count == 0 ? "passed: no insecure option" : $"refused: {findings.Count} insecure options");
            }, findings.Count == 0 ? ExitCode.Yes : ExitCode.No);
        });
        return command;
    }
}
