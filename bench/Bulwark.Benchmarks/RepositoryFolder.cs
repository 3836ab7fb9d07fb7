namespace Bulwark.Benchmarks;

/// <summary>Where the repository is: the folder above the program that holds the solution.</summary>
internal static class RepositoryFolder
{
    internal static string Path { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "ARCHITECTURE.md")))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException("Run this from a build inside the repository.");
    }
}
