using System.Text.RegularExpressions;
using Bulwark.Deployment;
using Bulwark.Planning;

namespace Bulwark.Tests.Planning;

public class DocumentedExampleTests
{
    [Fact]
    public void The_measures_in_the_documentation_are_valid_and_can_be_planned_with()
    {
        var set = MeasureSet.Parse(System.Text.Encoding.UTF8.GetBytes(Block("docs/planning.md", "json")));
        Assert.Equal(["robust"], Planner.Choose(set, new PlanOptions { Budget = 10_000 }).Best.Chosen);
    }

    [Fact]
    public void The_topology_in_the_documentation_and_the_sample_make_manifests()
    {
        Assert.NotEmpty(ManifestGenerator.Generate(Topology.Parse(Block("docs/deployment.md", "yaml"), "docs/deployment.md")));
        Assert.NotEmpty(ManifestGenerator.Generate(Topology.Parse(File.ReadAllText(Path.Combine(RepositoryRoot.Path, "samples/topology.yaml")), "samples/topology.yaml")));
    }

    private static string Block(string page, string language) =>
        Regex.Match(File.ReadAllText(Path.Combine(RepositoryRoot.Path, page)), $"```{language}\n(.*?)```", RegexOptions.Singleline).Groups[1].Value;
}
