using Bulwark.EndToEnd.Making;

namespace Bulwark.EndToEnd.Sealing;

/// <summary>A file that opens and then cannot be read, as on a failing disk: said so, exit code 2, and nothing is written.</summary>
public sealed class ReadErrorTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-read-errors");

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has /proc/self/mem, whose first byte nobody can read.");
        Assert.Equal(0, (await CommandLine.RunAsync("init", "-w", PathOf("w"))).Code);
    }

    public ValueTask DisposeAsync()
    {
        Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("seal", "in.csv", "out")]
    [InlineData("open", "in.sealed", "out")]
    [InlineData("open", "in.age", "out")]
    [InlineData("data protect", "in.csv", "out.parquet")]
    [InlineData("data protect", "in.csv", "out")]
    [InlineData("data protect", "in.parquet", "out")]
    public async Task It_is_said_and_nothing_is_kept(string command, string input, string output)
    {
        File.CreateSymbolicLink(PathOf(input), "/proc/self/mem");
        var (code, _, error) = await CommandLine.RunAsync([.. command.Split(' '), PathOf(input), "-o", PathOf(output), "-w", PathOf("w")]);
        Assert.True(code == 2, error);
        Assert.Contains("Input/output error", error, StringComparison.Ordinal);
        Assert.Equal([input, "w"], _folder.EnumerateFileSystemInfos().Select(entry => entry.Name).Order(StringComparer.Ordinal));
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);
}
