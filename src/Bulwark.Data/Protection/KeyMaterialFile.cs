using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bulwark.Data;

/// <summary>Key material beside a Parquet file, as Parquet's key tools keep it: a JSON object of PKMT1 texts by reference.</summary>
internal static class KeyMaterialFile
{
    internal const string FooterReference = "footerKey";
    internal const string ColumnReference = "columnKey";
    internal const string Prefix = "_KEY_MATERIAL_FOR_";
    private const int LargestFile = 1 << 24;

    internal static string PathFor(string parquet) =>
        Path.Combine(Path.GetDirectoryName(Path.GetFullPath(parquet))!, $"{Prefix}{Path.GetFileName(parquet)}.json");

    /// <summary>The key metadata inside a file whose material is outside.</summary>
    internal static string Reference(string reference) =>
        new JsonObject { ["keyMaterialType"] = KeyMaterial.TypeName, ["internalStorage"] = false, ["keyReference"] = reference }.ToJsonString(KeyMaterial.Plain);

    /// <summary>The reference in such metadata; null when the material is in the metadata itself.</summary>
    /// <exception cref="CryptographicException">It is neither.</exception>
    internal static string? ReferenceIn(string metadata)
    {
        try
        {
            using var document = JsonDocument.Parse(metadata, new() { AllowDuplicateProperties = false, MaxDepth = 4 });
            var root = document.RootElement;
            if (root.GetProperty("keyMaterialType").GetString() != KeyMaterial.TypeName)
                throw new FormatException();
            return root.GetProperty("internalStorage").GetBoolean() ? null : root.GetProperty("keyReference").GetString() ?? throw new FormatException();
        }
        catch (Exception fault) when (fault is JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            throw new CryptographicException("The file's key metadata was changed, or is not that of Parquet's key tools.", fault);
        }
    }

    internal static byte[] Write(IReadOnlyDictionary<string, KeyMaterial> materials)
    {
        var json = new JsonObject();
        foreach (var (reference, material) in materials)
            json[reference] = material.ToJson(inFile: false);
        return Encoding.UTF8.GetBytes(json.ToJsonString(KeyMaterial.Plain));
    }

    /// <exception cref="CryptographicException">It is missing or not PKMT1.</exception>
    internal static Dictionary<string, KeyMaterial> Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > LargestFile)
                throw new FormatException("it is too large");
            return Parse(File.ReadAllBytes(path));
        }
        catch (FileNotFoundException fault)
        {
            throw new CryptographicException($"The keys of {Path.GetFileName(path)[Prefix.Length..^".json".Length]} are kept beside it, and {Path.GetFileName(path)} is missing.", fault);
        }
        catch (FormatException fault)
        {
            throw new CryptographicException($"{Path.GetFileName(path)} is no key material: {fault.Message}.", fault);
        }
    }

    /// <exception cref="FormatException">It is no such object.</exception>
    /// <exception cref="CryptographicException">A material in it is not PKMT1.</exception>
    internal static Dictionary<string, KeyMaterial> Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new() { AllowDuplicateProperties = false, MaxDepth = 4 });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.EnumerateObject().ToDictionary(entry => entry.Name, entry => KeyMaterial.Parse(entry.Value.GetString() ?? throw new FormatException("a reference has no material")), StringComparer.Ordinal)
                : throw new FormatException("it is no object");
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw new FormatException("it is no JSON of texts", fault);
        }
    }
}
