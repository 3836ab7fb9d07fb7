namespace Bulwark.Tests.Data;

/// <summary>A folder of one test, gone with it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory("bulwark-data-").FullName;

    internal string this[string name] => System.IO.Path.Combine(Path, name);

    internal string Write(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    public void Dispose() => Bulwark.Tests.TemporaryFolder.Remove(Path);
}
