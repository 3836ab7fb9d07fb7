namespace Bulwark.EndToEnd.Making;

/// <summary>One small demo, run once for all tests that look at what it left behind.</summary>
public sealed class DemoFixture : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-demo");

    internal string Folder => Path.Combine(_folder.FullName, "demo");

    internal string Workspace => PathOf("demo-workspace");

    internal string Package => PathOf("registry/card-fraud.bulwark");

    internal CommandLine.Answered Answered { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Answered = await RunAsync();

    public ValueTask DisposeAsync()
    {
        Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);
        return ValueTask.CompletedTask;
    }

    internal Task<CommandLine.Answered> RunAsync() => CommandLine.RunAsync("demo", "--rows", "20000", "-o", Folder, "--json");

    internal string PathOf(string file) => Path.Combine(Folder, file);

    /// <summary>A place beside the demo's folder.</summary>
    internal string Beside(string name) => Path.Combine(_folder.FullName, name);
}
