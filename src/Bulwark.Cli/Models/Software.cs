using System.Reflection;
using System.Text.Json;

namespace Bulwark.Cli.Models;

/// <summary>The program that is running and the packages that it was built with, for manifests.</summary>
/// <param name="Version">The product's version, with the commit where the build knew it.</param>
/// <param name="Dependencies">Packages and runtime, name to version.</param>
internal sealed record Software(string Version, IReadOnlyDictionary<string, string> Dependencies)
{
    internal static Software Current()
    {
        var assembly = typeof(Software).Assembly;
        var version = assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? assembly.GetName().Version?.ToString() ?? "unknown";
        var dependencies = new SortedDictionary<string, string>(StringComparer.Ordinal) { [".NET"] = Environment.Version.ToString() };
        foreach (var (name, packageVersion) in Packages(assembly))
            dependencies[name] = packageVersion;
        return new Software(version, dependencies);
    }

    /// <summary>Now, to the second: finer means nothing in a manifest.</summary>
    internal static DateTimeOffset Now() => DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds());

    /// <summary>From the dependency file beside the program; a single-file program has none.</summary>
    private static IEnumerable<(string Name, string Version)> Packages(Assembly assembly)
    {
        var file = Path.Combine(AppContext.BaseDirectory, $"{assembly.GetName().Name}.deps.json");
        if (!File.Exists(file))
            yield break;
        using var document = JsonDocument.Parse(File.ReadAllBytes(file));
        foreach (var library in document.RootElement.GetProperty("libraries").EnumerateObject())
        {
            var parts = library.Name.Split('/');
            if (parts.Length == 2 && library.Value.GetProperty("type").GetString() == "package")
                yield return (parts[0], parts[1]);
        }
    }
}
