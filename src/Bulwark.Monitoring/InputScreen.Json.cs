using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bulwark.Monitoring;

public sealed partial class InputScreen
{
    private const string First = "bulwark.dev/input-screen/v1";
    private const string WithRelationsFormat = "bulwark.dev/input-screen/v2";

    /// <summary>The screen as one JSON document (UTF-8, camelCase), as it is kept in a model package. Version 2 where there are relations, else version 1.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(
        new ScreenDocument
        {
            Format = Relations.Count > 0 ? WithRelationsFormat : First,
            Fields = _fields,
            Mean = _mean,
            Whitening = _whitening,
            Ridge = Ridge,
            Threshold = Threshold,
            Calibration = Calibration,
            Relations = Relations.Count > 0 ? [.. Relations] : null,
            RelationCheck = RelationCheck,
        },
        ScreenJson.Default.ScreenDocument);

    /// <summary>Reads what <see cref="ToJson"/> wrote. Strict: unknown, doubled or missing members are refused.</summary>
    /// <exception cref="InvalidDataException">It is no sound screen; the message says why.</exception>
    public static InputScreen FromJson(ReadOnlySpan<byte> json)
    {
        ScreenDocument document;
        try
        {
            document = JsonSerializer.Deserialize(json, ScreenJson.Default.ScreenDocument) ?? throw new JsonException("The document is null.");
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"The input screen is no sound JSON document: {failure.Message}", failure);
        }

        if (Faults(document).FirstOrDefault() is { } fault)
            throw new InvalidDataException($"The input screen is refused: {fault}");
        var relations = RelationSet.Of(document.Fields, document.Relations ?? [], document.RelationCheck, out var faults);
        if (faults.Count > 0)
            throw new InvalidDataException($"The input screen is refused: {string.Join(" ", faults)}");
        return new(document.Fields, document.Mean, document.Whitening, document.Ridge, document.Threshold, document.Calibration, relations);
    }

    private static IEnumerable<string> Faults(ScreenDocument document)
    {
        if (document.Format is not (First or WithRelationsFormat)) yield return $"its format is {document.Format}; this version reads {First} and {WithRelationsFormat}.";
        if (document.Format == First && (document.Relations is not null || document.RelationCheck is not null)) yield return $"{First} has no relations.";
        if (document.Format == WithRelationsFormat && document.Relations is not { Length: > 0 }) yield return $"{WithRelationsFormat} has relations, and there are none.";
        if (document.Fields.Length == 0) yield return "it has no field.";
        foreach (var fault in document.Fields.SelectMany(f => f is null ? ["a field is null."] : f.Faults()))
            yield return fault;
        long width = document.Mean.Length;
        if (document.Whitening.Length != width * (width + 1) / 2) yield return $"its whitening has {document.Whitening.Length} values for a mean of {width}.";
        if (!document.Mean.All(float.IsFinite) || !document.Whitening.All(float.IsFinite)) yield return "a moment is not finite.";
        if (!(document.Threshold >= 0) || !float.IsFinite(document.Threshold)) yield return $"its threshold is {document.Threshold}; it must be finite and at least 0.";
        for (int i = 0, start = 0; i < width && start + i < document.Whitening.Length; start += ++i)
            if (!(document.Whitening[start + i] > 0)) yield return $"its whitening is no inverse of a Cholesky factor: diagonal {i} is not above 0.";
    }
}

internal sealed record ScreenDocument
{
    public required string Format { get; init; }
    public required ScreenField[] Fields { get; init; }
    public required float[] Mean { get; init; }
    public required float[] Whitening { get; init; }
    public required double Ridge { get; init; }
    public required float Threshold { get; init; }
    public ScreenCalibration? Calibration { get; init; }
    public ScreenRelation[]? Relations { get; init; }
    public RelationCheck? RelationCheck { get; init; }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ScreenDocument))]
internal sealed partial class ScreenJson : JsonSerializerContext;
