using System.CommandLine;
using Bulwark.Deployment;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary>Hardened manifests out of a topology, and a checker for anyone's manifests.</summary>
internal static class DeployCommand
{
    private static readonly string[] Extensions = [".yaml", ".yml", ".json"];

    internal static Command Create() => new("deploy", "Kubernetes manifests: generate hardened ones, check anyone's. Initdata of confidential pods; manifests for Gramine.")
    {
        CreateGenerate(), CreateCheck(), Deploying.InitdataCommand.Create(), Deploying.GramineCommands.Create(),
    };

    private static Command CreateGenerate()
    {
        var topology = new Argument<FileInfo>("topology") { Description = "What shall run, in YAML or JSON; see docs/deployment.md." };
        var output = new Option<DirectoryInfo>("--output", "-o") { Description = "Where to write the manifests.", Required = true, HelpName = "DIR" };
        var command = new Command("generate", "Writes hardened manifests. Example: bulwark deploy generate topology.yaml -o manifests") { topology, output };
        command.SetAction(parsed => Generate(new Screen(parsed), parsed.GetRequiredValue(topology), parsed.GetRequiredValue(output)));
        return command;
    }

    private static Command CreateCheck()
    {
        var paths = new Argument<FileSystemInfo[]>("manifests") { Description = "Files or folders, taken together as one deployment.", Arity = ArgumentArity.OneOrMore };
        var level = new Option<SecurityLevel>("--level") { Description = "baseline and restricted are the Pod Security Standards; hardened adds what our own manifests keep.", DefaultValueFactory = _ => SecurityLevel.Restricted };
        var version = new Option<string>("--kubernetes") { Description = "The Kubernetes version whose rules apply.", DefaultValueFactory = _ => $"1.{PodSecurityStandards.LatestMinor}", HelpName = "1.N" };
        var command = new Command("check", "Checks manifests; exit 1 when a rule is broken. Example: bulwark deploy check manifests --level hardened") { paths, level, version };
        command.SetAction(parsed => Check(new Screen(parsed), parsed.GetRequiredValue(paths), parsed.GetRequiredValue(level), Minor(parsed.GetRequiredValue(version))));
        return command;
    }

    private static int Generate(Screen screen, FileInfo source, DirectoryInfo folder)
    {
        if (!source.Exists)
            throw new CommandException($"{source.FullName} is not there.", "docs/deployment.md shows a topology");
        var topology = Topology.Parse(File.ReadAllText(source.FullName), source.Name);
        var files = ManifestGenerator.Generate(topology);
        folder.Create();
        if (topology.Confidential is not null)
            Report.ReportFile.Replace(Path.Combine(folder.FullName, Deploying.InitdataCommand.FileName), Initdata.Of(topology).Document.ToArray());
        foreach (var (name, yaml) in files)
            Report.ReportFile.Replace(Path.Combine(folder.FullName, name), System.Text.Encoding.UTF8.GetBytes(yaml));
        return screen.Answer(new { folder = folder.FullName, files = files.Keys, level = SecurityLevel.Hardened }, console =>
        {
            console.MarkupLineInterpolated($"{files.Count} files in {folder.FullName}; each loads strictly and the set keeps the level hardened.");
            if (topology.Confidential is not null)
                console.WriteLine($"initdata: bulwark deploy initdata {Path.Combine(folder.ToString(), Deploying.InitdataCommand.FileName)} says what the hardware's report will hold");
            console.WriteLine($"check:  bulwark deploy check {folder} --level hardened");
            console.WriteLine($"apply:  kubectl apply -k {folder}");
        });
    }

    private static int Check(Screen screen, FileSystemInfo[] paths, SecurityLevel level, int minor)
    {
        var unreadable = new List<Finding>();
        var manifests = new List<Manifest>();
        foreach (var file in paths.SelectMany(Files))
        {
            try
            {
                manifests.AddRange(ManifestReader.Read(File.ReadAllText(file.FullName), Path.GetRelativePath(Environment.CurrentDirectory, file.FullName)));
            }
            catch (FormatException fault)
            {
                unreadable.Add(new("unreadable", SecurityLevel.Privileged, file.Name, "", fault.Message, "write valid YAML"));
            }
        }

        if (manifests.Count == 0 && unreadable.Count == 0)
            throw new CommandException("There is no manifest in what was named.", "name files or folders with .yaml, .yml or .json files");
        Finding[] findings = [.. unreadable, .. ManifestChecker.Check(manifests, level, minor)];
        var answer = new { passed = findings.Length == 0, level, kubernetes = $"1.{minor}", objects = manifests.Count, pods = manifests.Count(manifest => manifest.HasPods), findings };
        return screen.Answer(answer, console => Print(console, findings, $"{answer.objects} objects, {answer.pods} of them make pods; level {level.ToString().ToLowerInvariant()} of Kubernetes {answer.kubernetes}"), findings.Length == 0 ? ExitCode.Yes : ExitCode.No);
    }

    private static void Print(IAnsiConsole console, Finding[] findings, string scope)
    {
        foreach (var group in findings.GroupBy(finding => finding.Object))
        {
            console.MarkupLineInterpolated($"[bold]{group.Key}[/]");
            foreach (var finding in group)
            {
                console.MarkupLineInterpolated($"  [red]{finding.Rule}[/]  {finding.Path}");
                console.MarkupLineInterpolated($"    {finding.Message} Fix: {finding.Fix}.");
            }
        }

        console.WriteLine(findings.Length == 0 ? $"passed: {scope}" : $"refused: {findings.Length} findings in {scope}");
    }

    private static IEnumerable<FileInfo> Files(FileSystemInfo path) => path switch
    {
        _ when Directory.Exists(path.FullName) => new DirectoryInfo(path.FullName).EnumerateFiles("*", SearchOption.AllDirectories)
            .Where(file => Extensions.Contains(file.Extension.ToLowerInvariant())).OrderBy(file => file.FullName, StringComparer.Ordinal),
        _ when File.Exists(path.FullName) => [new FileInfo(path.FullName)],
        _ => throw new CommandException($"{path.FullName} is not there."),
    };

    private static int Minor(string version) =>
        version.TrimStart('v').Split('.') is ["1", var minor, ..] && int.TryParse(minor, out var number) && number >= 0
            ? number : throw new CommandException($"{version} is no version of Kubernetes.", "write it as 1.34");
}
