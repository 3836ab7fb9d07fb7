using System.Text.Json;

namespace Bulwark.Conformance.Suites;

/// <summary>Reading published vectors whose names are not known beforehand, and judging refusals.</summary>
internal static class Vectors
{
    /// <summary>Every JSON file below the directory, with its path as the beginning of its cases' ids.</summary>
    internal static IEnumerable<(string Id, JsonElement Root)> JsonFiles(DirectoryInfo directory)
    {
        foreach (var file in directory.EnumerateFiles("*.json", SearchOption.AllDirectories).OrderBy(file => file.FullName, StringComparer.Ordinal))
        {
            JsonDocument? document;
            try
            {
                document = JsonDocument.Parse(File.ReadAllBytes(file.FullName));
            }
            catch (JsonException)
            {
                continue;   // some families hold broken JSON on purpose; they are not of this form
            }

            using (document)
                yield return (Path.GetRelativePath(directory.FullName, file.FullName), document.RootElement.Clone());
        }
    }

    internal static byte[] Hex(this JsonElement element, string name) => Convert.FromHexString(element.Text(name));

    internal static string Text(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    internal static bool Has(this JsonElement element, params string[] names) =>
        element.ValueKind == JsonValueKind.Object && names.All(name => element.TryGetProperty(name, out _));

    internal static IEnumerable<JsonElement> List(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [];

    /// <summary>The first element of an array, or an undefined one.</summary>
    internal static JsonElement First(this JsonElement element) =>
        element.ValueKind == JsonValueKind.Array && element.GetArrayLength() > 0 ? element[0] : default;

    /// <summary>Runs one case; an exception that the case does not expect is a failure of that case, not of the suite.</summary>
    internal static CaseResult Judge(string id, Func<CaseResult> judge)
    {
        try
        {
            return judge();
        }
        catch (Exception failure)
        {
            return CaseResult.Fail(id, $"{failure.GetType().Name}: {failure.Message}");
        }
    }
}
