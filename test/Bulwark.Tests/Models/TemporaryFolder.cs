namespace Bulwark.Tests.Models;

/// <summary>A folder of one test's own, gone afterwards.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory("bulwark-models-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
