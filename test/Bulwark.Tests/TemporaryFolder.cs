namespace Bulwark.Tests;

/// <summary>A folder of one test's own, deleted with everything in it when the test ends.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("bulwark-test-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Remove(Path);

    /// <summary>Deletes a folder with everything in it; what is written into it meanwhile is waited for a while, and left at last.</summary>
    internal static void Remove(string path)
    {
        for (var attempt = 0; Directory.Exists(path) && attempt < 100; attempt++)
        {
            try
            {
                Directory.Delete(path, recursive: true);
            }
            catch (IOException)
            {
                Thread.Sleep(20);   // a log's tree may be following its last entry
            }
        }
    }
}
