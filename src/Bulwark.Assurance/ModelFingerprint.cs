using System.Text.Json;
using System.Text.Json.Serialization;
using Bulwark.Assurance.Ownership;
using Bulwark.Models;

namespace Bulwark.Assurance;

/// <summary>What comparing a suspect with a fingerprint says.</summary>
/// <param name="Derived">True when the suspect follows the owner's peculiarities beyond the threshold; false is no proof of innocence.</param>
/// <param name="Score">The partial correlation, -1 to 1.</param>
/// <param name="Threshold">What an independent model exceeds with the chance that the fingerprint was made for.</param>
/// <param name="Deviations">How far the score lies above independent models' mean, in their standard deviations.</param>
public sealed record OwnershipVerdict(bool Derived, double Score, double Threshold, double Deviations);

/// <summary>Rows to ask a suspect model, and what the owner's model answers there that independent models of the same data do not.</summary>
/// <remarks>
/// Two models that learnt from the same data agree in what the data say and differ in what chance gave each. At the fingerprint's
/// rows, independently trained reference models explain a part of the owner's logits. A suspect that was copied or fine-tuned follows the rest, too: the partial
/// correlation of its logits with the owner's, given all references', is high. One that was distilled or extracted does not. A suspect's rounding, temperature or
/// base rate does not matter. The threshold is a one-sided prediction bound of Student's t over further independent models, which chose nothing.
/// Keep it secret: whoever knows the rows can answer them apart. How far off
/// are recipes that no reference has is not known: measure with models of your own. Related ideas: Lukas et al., ICLR 2021 (arXiv:1912.00888); Maini et al., ICLR 2021 (arXiv:2104.10706).
/// </remarks>
public sealed record ModelFingerprint
{
    /// <summary>Version of the document.</summary>
    public const string CurrentFormat = "bulwark.dev/fingerprint/v1";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary><see cref="CurrentFormat"/>.</summary>
    public required string Format { get; init; }

    /// <summary>Digest of the owner's ONNX file.</summary>
    public required string Model { get; init; }

    /// <summary>Numbers in a row.</summary>
    public required int Width { get; init; }

    /// <summary>Shape (rows, <see cref="Width"/>), row-major: the raw rows to ask.</summary>
    public required float[] Rows { get; init; }

    /// <summary>The owner's logit at each row.</summary>
    public required double[] Owner { get; init; }

    /// <summary>For each reference model its logit at each row.</summary>
    public required double[][] References { get; init; }

    /// <summary>Mean score of independent models, after Fisher's transformation.</summary>
    public required double IndependentMean { get; init; }

    /// <summary>Standard deviation of independent models' scores, after Fisher's transformation.</summary>
    public required double IndependentDeviation { get; init; }

    /// <summary>From how many independent models.</summary>
    public required int IndependentModels { get; init; }

    /// <summary>The chance of calling an independent model derived that the threshold was made for.</summary>
    public required double FalsePositiveRate { get; init; }

    /// <summary>The score above which a suspect is called derived.</summary>
    public required double Threshold { get; init; }

    /// <summary>How many rows.</summary>
    [JsonIgnore]
    public int Count => Owner.Length;

    /// <summary>Asks a suspect all rows and judges its answers.</summary>
    /// <param name="suspect">Any binary model of the same raw rows.</param>
    /// <exception cref="ArgumentException">It takes other rows, or has more than two classes.</exception>
    public OwnershipVerdict Identify(IScorer suspect)
    {
        ArgumentNullException.ThrowIfNull(suspect);
        if (suspect.Width != Width || suspect.Classes != 1)
            throw new ArgumentException($"The fingerprint is of a binary model with {Width} features; the suspect takes {suspect.Width} and gives {suspect.Classes} scores.", nameof(suspect));
        var answers = new float[Count];
        suspect.Score(Rows, Count, answers);
        return Identify(answers);
    }

    /// <summary>Judges answers that were collected elsewhere, from a remote model for example.</summary>
    /// <param name="probabilities">The suspect's probability of the positive class at each row, in order; rounded ones will do.</param>
    /// <exception cref="ArgumentException">There are not as many as rows, or one is no probability.</exception>
    public OwnershipVerdict Identify(IReadOnlyList<float> probabilities)
    {
        ArgumentNullException.ThrowIfNull(probabilities);
        if (probabilities.Count != Count)
            throw new ArgumentException($"{probabilities.Count} answers are not those to {Count} rows.", nameof(probabilities));
        if (probabilities.Any(answer => !(answer >= 0 && answer <= 1)))
            throw new ArgumentException("An answer is no probability between 0 and 1.", nameof(probabilities));
        var score = new PartialCorrelation(References).Of([.. probabilities.Select(answer => Logit.Of(answer))], Owner);
        return new(score > Threshold, score, Threshold, (Math.Atanh(Math.Min(score, 1 - 1e-9)) - IndependentMean) / IndependentDeviation);
    }

    /// <summary>The document, indented JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, s_json);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is no such document, of another version, or contradicts itself.</exception>
    public static ModelFingerprint Parse(string json)
    {
        ModelFingerprint? read;
        try
        {
            read = JsonSerializer.Deserialize<ModelFingerprint>(json, s_json);
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"The file is no fingerprint: {fault.Message}", fault);
        }

        var sound = read is { Format: CurrentFormat, Width: > 0, Count: >= 8 } && read.Rows.Length == (long)read.Count * read.Width && read.References.All(list => list?.Length == read.Count)
            && read.References.Append(read.Owner).All(list => list.All(double.IsFinite)) && double.IsFinite(read.Threshold) && read.IndependentDeviation > 0;
        return sound ? read! : throw new InvalidDataException("The file is no fingerprint, of another version, or its lists do not fit each other.");
    }
}
