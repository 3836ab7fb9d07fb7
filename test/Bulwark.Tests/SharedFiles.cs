namespace Bulwark.Tests;

/// <summary>Finds the outside judges' vectors and data sets, which are not part of the project.</summary>
public static class SharedFiles
{
    /// <summary>The folder, or null where it is absent: <c>BULWARK_SHARED</c>, else <c>../shared</c> beside the project's root.</summary>
    public static string? Root { get; } = Find();

    /// <summary>A path below the folder; skips the calling test where it is absent.</summary>
    public static string Require(params string[] parts)
    {
        Assert.SkipWhen(Root is null, "Outside vectors are absent: set BULWARK_SHARED to the folder that holds vectors/ and data/.");
        var path = Path.Combine([Root!, .. parts]);
        Assert.SkipUnless(Path.Exists(path), $"Outside vectors lack {Path.Combine(parts)}.");
        return path;
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("BULWARK_SHARED") is { Length: > 0 } named)
            return Directory.Exists(named) ? named : null;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "Bulwark.slnx")))
                continue;
            var shared = Path.Combine(folder.Parent!.FullName, "shared");
            return Directory.Exists(shared) ? shared : null;
        }

        return null;
    }
}
