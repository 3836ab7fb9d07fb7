using System.CommandLine;
using Bulwark.Deployment;
using Spectre.Console;

namespace Bulwark.Cli.Deploying;

/// <summary>What a confidential pod's hardware report will say of the initdata that it was started with.</summary>
internal static class InitdataCommand
{
    internal const string FileName = "initdata.toml";

    private static readonly Argument<FileInfo> s_file = new Argument<FileInfo>("initdata") { Description = "The document (TOML), or the annotation's value." }.AcceptExistingOnly();
    private static readonly Option<string?> s_hostData = new("--host-data") { Description = "HOST_DATA of an SEV-SNP report, to be compared.", HelpName = "HEX" };
    private static readonly Option<string?> s_mrConfigId = new("--mr-config-id") { Description = "MRCONFIGID of a TDX quote, to be compared.", HelpName = "HEX" };

    internal static Command Create()
    {
        var command = new Command("initdata", """
            Predicts HOST_DATA (SEV-SNP) and MRCONFIGID (TDX) of pods that are started with this initdata: what an evidence policy must ask for, as snp.hostData
            or tdx.mrConfigId. Exit 1 when a value that was given is another.

            Example: bulwark deploy initdata manifests/initdata.toml
            """) { s_file, s_hostData, s_mrConfigId };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        var screen = new Screen(parsed);
        Initdata initdata;
        try
        {
            initdata = Initdata.Parse(File.ReadAllBytes(parsed.GetRequiredValue(s_file).FullName));
        }
        catch (FormatException failure)
        {
            throw new CommandException(failure.Message);
        }

        var same = Same(parsed.GetValue(s_hostData), initdata.HostData) && Same(parsed.GetValue(s_mrConfigId), initdata.MrConfigId);
        var answer = new { initdata.Algorithm, bytes = initdata.Document.Length, initdata.HostData, initdata.MrConfigId, annotation = initdata.Annotation(), same };
        return screen.Answer(answer, console =>
        {
            console.MarkupLineInterpolated($"initdata of {initdata.Document.Length} bytes, {initdata.Algorithm}");
            console.MarkupLineInterpolated($"  snp.hostData    {initdata.HostData}");
            console.MarkupLineInterpolated($"  tdx.mrConfigId  {initdata.MrConfigId}");
            if (!same)
                console.MarkupLine("[red]The value that was given is of another initdata.[/]");
        }, same ? ExitCode.Yes : ExitCode.No);
    }

    private static bool Same(string? given, string predicted) => given is null || given.Trim().Equals(predicted, StringComparison.OrdinalIgnoreCase);
}
