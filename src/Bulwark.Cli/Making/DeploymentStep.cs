using System.Text;
using Bulwark.Cryptography;
using Bulwark.Deployment;

namespace Bulwark.Cli.Making;

/// <summary>Manifests for the sealed model of a run, checked by our own checker at its strictest level.</summary>
internal static class DeploymentStep
{
    internal static Task<StepRecord<DeploymentFinding>> RunAsync(RunFolder folder, RunFindings run, CancellationToken cancel)
    {
        var topology = Topology(run);
        var written = new List<string>();
        return folder.StepAsync("deploy", topology, written, async () =>
        {
            var files = ManifestGenerator.Generate(Bulwark.Deployment.Topology.Parse(topology, "topology.yaml"));
            var target = folder.File("deploy");
            Directory.CreateDirectory(target);
            var manifests = new List<Manifest>();
            foreach (var (name, yaml) in files)
            {
                cancel.ThrowIfCancellationRequested();
                written.Add(Path.Combine(target, name));
                await AtomicFile.WriteAsync(written[^1], async stream => await stream.WriteAsync(Encoding.UTF8.GetBytes(yaml), cancel), cancel);
                manifests.AddRange(ManifestReader.Read(yaml, name));
            }

            var findings = ManifestChecker.Check(manifests, SecurityLevel.Hardened);
            return new DeploymentFinding(target, files.Count, findings.Count);
        });
    }

    /// <summary>The image's digest stands for the user's own build: the package's digest fills its place, so that the manifests say what they must.</summary>
    private static string Topology(RunFindings run) => $"""
        name: {run.Pipeline.Name}
        namespace: bulwark
        image: registry.invalid/bulwark@sha256:{run.Seal!.Result.PackageDigest.ToString()["sha256:".Length..]}
        replicas: 2
        """;
}
