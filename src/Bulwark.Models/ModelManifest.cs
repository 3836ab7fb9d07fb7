using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Models;

/// <summary>One file inside a model package.</summary>
/// <param name="Name">Letters, digits, dots, hyphens and underscores; no folder.</param>
/// <param name="Bytes">Length of the plain file in bytes.</param>
/// <param name="Digest">Digest of the plain file.</param>
public sealed record ModelFile(string Name, long Bytes, Digest Digest);

/// <summary>What a model package says of its model: everyone can read it, the signature covers it.</summary>
/// <remarks>
/// In a model folder it is <c>manifest.json</c>, without files; sealing sets name, version, time and files. JSON is camelCase and strict.
/// A figure that was not measured is absent, never 0.
/// </remarks>
public sealed record ModelManifest
{
    /// <summary>Most files of one package.</summary>
    public const int MostFiles = 64;

    private const long MostWeightBytes = 1L << 40;

    /// <summary>What the model is called: letters, digits, dots, hyphens, underscores and plus signs, up to 100.</summary>
    public required string Name { get; init; }

    /// <summary>Which version this is; same characters.</summary>
    public required string Version { get; init; }

    /// <summary>When it was trained or sealed, UTC.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>Digest that binds the model to the records it was trained on; null when unknown.</summary>
    public Digest? DataCommitment { get; init; }

    /// <summary>Privacy loss ε that training cost; null without differential privacy.</summary>
    public double? Epsilon { get; init; }

    /// <summary>δ that belongs to <see cref="Epsilon"/>.</summary>
    public double? Delta { get; init; }

    /// <summary>What two data sets may differ in, for example "add or remove one record"; null without differential privacy.</summary>
    public string? PrivacyUnit { get; init; }

    /// <summary>The privacy statement (<c>privacy-statement/v1</c>): what ε counts and what not, in figures and words; null without differential privacy.</summary>
    public JsonElement? Privacy { get; init; }

    /// <summary>Share of test rows scored right, 0 to 1.</summary>
    public double? Accuracy { get; init; }

    /// <summary>Share of test rows scored right under the strongest attack that was run, 0 to 1.</summary>
    public double? RobustAccuracy { get; init; }

    /// <summary>Strength of that attack: largest change of an encoded column, 0 to 1.</summary>
    public double? RobustStrength { get; init; }

    /// <summary>Further measured figures by name, for example "auc" or "recallAtFpr1".</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init => field = value ?? new Dictionary<string, double>(); } = new Dictionary<string, double>();

    /// <summary>Version of the code that made the model.</summary>
    public string? CodeVersion { get; init; }

    /// <summary>Libraries that made the model, name to version.</summary>
    public IReadOnlyDictionary<string, string> Dependencies { get; init => field = value ?? new Dictionary<string, string>(); } = new Dictionary<string, string>();

    /// <summary>What is not as it should be in production, for example simulated evidence or a development key; shown wherever the model is.</summary>
    public IReadOnlyList<string> InsecureNotes { get; init => field = value ?? []; } = [];

    /// <summary>The files inside the package, in the order of their bytes.</summary>
    public IReadOnlyList<ModelFile> Files { get; init => field = value ?? []; } = [];

    /// <summary>Every fault, so that one edit mends them all; empty when the manifest is sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (!IsName(Name))
            yield return $"{nameof(Name)} '{Name}' must be 1 to 100 letters, digits, dots, hyphens, underscores and plus signs, and not begin with a dot.";
        if (!IsName(Version))
            yield return $"{nameof(Version)} '{Version}' must be 1 to 100 letters, digits, dots, hyphens, underscores and plus signs, and not begin with a dot.";
        if (Epsilon is not null and not >= 0)
            yield return $"{nameof(Epsilon)} is {Epsilon}; it must be 0 or above.";
        if (Delta is not null and not (>= 0 and <= 1))
            yield return $"{nameof(Delta)} is {Delta}; it must be 0 to 1.";
        if (Epsilon is null != Delta is null)
            yield return $"{nameof(Epsilon)} and {nameof(Delta)} belong together.";
        foreach (var (name, share) in new[] { (nameof(Accuracy), Accuracy), (nameof(RobustAccuracy), RobustAccuracy), (nameof(RobustStrength), RobustStrength) })
        {
            if (share is not null and not (>= 0 and <= 1))
                yield return $"{name} is {share}; it must be 0 to 1.";
        }

        foreach (var metric in Metrics.Where(metric => !double.IsFinite(metric.Value)))
            yield return $"Metric '{metric.Key}' is {metric.Value}; leave out what was not measured.";
        foreach (var fault in FileFaults())
            yield return fault;
    }

    /// <summary>The manifest as JSON text, indented for people.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ModelsJson.Indented.ModelManifest);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON, has an unknown, repeated or missing member, or <see cref="Faults"/> is not empty.</exception>
    public static ModelManifest Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            return Sound(JsonSerializer.Deserialize(json, ModelsJson.Default.ModelManifest));
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException)   // the latter for text with half a character
        {
            throw new InvalidDataException($"The manifest is not valid: {fault.Message}", fault);
        }
    }

    internal static ModelManifest Sound(ModelManifest? manifest)
    {
        if (manifest is null)
            throw new InvalidDataException("The manifest is null.");
        var faults = manifest.Faults().ToList();
        return faults.Count == 0 ? manifest : throw new InvalidDataException($"The manifest is not valid: {string.Join(" ", faults)}");
    }

    /// <summary>True for what may name a model, a version or a file in a package: no separator, no leading dot.</summary>
    public static bool IsName(string? name) =>
        name is { Length: >= 1 and <= 100 } && name[0] != '.' && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_' or '+');

    private IEnumerable<string> FileFaults()
    {
        if (Files.Count > MostFiles)
            yield return $"A package has at most {MostFiles} files, not {Files.Count}.";
        foreach (var file in Files)
        {
            if (file is null || !IsName(file.Name) || file.Bytes < 0 || file.Bytes > (file.Name == ModelFolder.WeightsName ? MostWeightBytes : int.MaxValue))
                yield return "A file needs a name of letters, digits, dots, hyphens and underscores, and 0 to 2147483647 bytes (weights: up to a tebibyte).";
        }

        if (Files.Where(file => file is not null).GroupBy(file => file.Name, StringComparer.Ordinal).Any(group => group.Count() > 1))
            yield return "A file is listed twice.";
    }
}
