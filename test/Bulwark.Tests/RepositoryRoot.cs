namespace Bulwark.Tests;

/// <summary>The checkout that these tests were built from.</summary>
internal static class RepositoryRoot
{
    internal static string Path { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Bulwark.slnx")))
                return folder.FullName;
        }

        throw new InvalidOperationException("These tests run from a checkout: Bulwark.slnx was not found above them.");
    }
}
