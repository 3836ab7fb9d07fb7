using System.Text.Json;
using System.Xml.Linq;

namespace Bulwark.Tests.Architecture;

public class WallTests
{
    private static readonly string s_source = Path.Combine(RepositoryRoot.Path, "src");

    [Fact]
    public void Architecture_md_names_every_room_and_its_references()
    {
        Assert.Equal(Projects(), PageRows());
    }

    [Fact]
    public void The_rooms_on_the_ground_reference_nothing_of_ours()
    {
        var projects = Projects();
        Assert.All(["Cryptography", "Networks", "Privacy", "Monitoring", "Policy", "Deployment", "Planning"],
            room => Assert.Equal("", projects[room]));
    }

    [Fact]
    public void No_room_references_a_program()
    {
        Assert.All(Projects().Where(project => project.Key is not ("Cli" or "Server")),
            project => Assert.DoesNotContain(project.Value.Split(", "), name => name is "Cli" or "Server" or "Worker"));
    }

    [Fact]
    public void The_solution_lists_every_project_in_src()
    {
        var solution = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "Bulwark.slnx"));
        Assert.All(Projects().Keys, room => Assert.Contains($"src/Bulwark.{room}/Bulwark.{room}.csproj", solution));
    }

    [Fact]
    public void The_workers_closure_is_what_was_approved()
    {
        var approved = File.ReadAllLines(Path.Combine(RepositoryRoot.Path, "test", "Bulwark.Tests", "Architecture", "worker-closure.txt"))
            .Where(line => line.Length > 0 && line[0] != '#');
        Assert.Equal(approved, WorkerClosure());
    }

    /// <summary>Every library that the built worker would load, from its dependency file, without versions.</summary>
    private static IEnumerable<string> WorkerClosure()
    {
        var built = Directory.GetParent(AppContext.BaseDirectory.TrimEnd('/', '\\'))!.Parent!;
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Name;
        var file = Path.Combine(built.FullName, "Bulwark.Worker", configuration, "Bulwark.Worker.deps.json");
        using var dependencies = JsonDocument.Parse(File.ReadAllBytes(file));
        return [.. dependencies.RootElement.GetProperty("libraries").EnumerateObject()
            .Select(library => library.Name.Split('/')[0])
            .Order(StringComparer.Ordinal)];
    }

    private static SortedDictionary<string, string> Projects() => new(
        Directory.EnumerateFiles(s_source, "Bulwark.*.csproj", SearchOption.AllDirectories).ToDictionary(
            file => Room(Path.GetFileNameWithoutExtension(file)),
            file => string.Join(", ", XDocument.Load(file).Descendants("ProjectReference")
                .Select(reference => Room(Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/'))))
                .Order(StringComparer.Ordinal))),
        StringComparer.Ordinal);

    private static SortedDictionary<string, string> PageRows() => new(
        File.ReadLines(Path.Combine(RepositoryRoot.Path, "ARCHITECTURE.md"))
            .Where(line => line.StartsWith("| `Bulwark.", StringComparison.Ordinal))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .ToDictionary(cells => Room(cells[1].Trim('`')), cells => cells[3] == "—" ? "" : cells[3]),
        StringComparer.Ordinal);

    private static string Room(string project) => project["Bulwark.".Length..];
}
