using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bulwark.Cli.Report;

/// <summary>Reads and writes <c>report-model.json</c>: camelCase, strict, every member of <see cref="ReportModel"/> by its name.</summary>
public static class ReportFile
{
    /// <summary>The file's name inside a run's folder.</summary>
    public const string ModelName = "report-model.json";

    /// <summary>The drawn report's name inside a run's folder.</summary>
    public const string HtmlName = "report.html";

    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        PropertyNameCaseInsensitive = false,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        AllowOutOfOrderMetadataProperties = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    /// <summary>The model as UTF-8 JSON.</summary>
    public static byte[] ToJson(ReportModel model) => JsonSerializer.SerializeToUtf8Bytes(model, Strict);

    /// <summary>Reads a model.</summary>
    /// <exception cref="InvalidDataException">The bytes are no such document; the message says where.</exception>
    public static ReportModel FromJson(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize<ReportModel>(json, Strict) ?? throw new InvalidDataException("The report model is null.");
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"The report model is not as expected: {fault.Message}", fault);
        }
    }

    /// <summary>Writes the model and the drawn report into a folder, each file whole or not at all.</summary>
    /// <param name="directory">The run's folder; made when absent.</param>
    /// <param name="model">What to show.</param>
    /// <returns>The path of the drawn report.</returns>
    public static string Write(string directory, ReportModel model)
    {
        Directory.CreateDirectory(directory);
        Replace(Path.Combine(directory, ModelName), ToJson(model));
        var html = Path.Combine(directory, HtmlName);
        Replace(html, System.Text.Encoding.UTF8.GetBytes(HtmlReport.Render(model)));
        return html;
    }

    internal static void Replace(string path, byte[] bytes)
    {
        var fresh = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = new FileStream(fresh, FileMode.CreateNew, FileAccess.Write))
            {
                stream.Write(bytes);
                stream.Flush(flushToDisk: true);
            }

            File.Move(fresh, path, overwrite: true);
        }
        finally
        {
            File.Delete(fresh);
        }
    }
}
