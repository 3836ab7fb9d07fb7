namespace Bulwark.Tests;

public class FrameTests
{
    [Fact]
    public void The_solution_lists_every_project_in_src()
    {
        var root = RepositoryRoot.Path;
        var solution = File.ReadAllText(Path.Combine(root, "Bulwark.slnx"));
        Assert.All(Directory.EnumerateFiles(Path.Combine(root, "src"), "*.csproj", SearchOption.AllDirectories),
            project => Assert.Contains(Path.GetRelativePath(root, project).Replace('\\', '/'), solution));
    }
}
