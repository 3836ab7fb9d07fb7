using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Monitoring;

namespace Bulwark.Worker;

/// <summary>A model that was opened in memory: its scorer, its screen, and the encoder that the screen's distance needs. Thread-safe.</summary>
public sealed class WorkerModel : IDisposable
{
    private readonly IScorer _scorer;
    private readonly FeatureEncoder? _encoder;
    private volatile bool _disposed;

    private readonly OutputHardening? _hardening;

    private WorkerModel(string name, string version, Digest package, IScorer scorer, InputScreen screen, FeatureEncoder? encoder, OutputHardening? hardening)
    {
        _hardening = hardening;
        Name = name;
        Version = version;
        Package = package;
        _scorer = scorer;
        Screen = screen;
        _encoder = encoder;
    }

    /// <summary>The model's name.</summary>
    public string Name { get; }

    /// <summary>Its version.</summary>
    public string Version { get; }

    /// <summary>Digest of the package that it came in.</summary>
    public Digest Package { get; }

    /// <summary>What rows must be.</summary>
    public InputScreen Screen { get; }

    /// <summary>Values in a raw row.</summary>
    public int Width => _scorer.Width;

    /// <summary>Values in a row's score.</summary>
    public int Classes => _scorer.Classes;

    /// <summary>Makes a model from the plain files of a package.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="version">Its version.</param>
    /// <param name="package">Digest of the package.</param>
    /// <param name="onnx">The graph; it must carry its feature schema.</param>
    /// <param name="screen">The input screen; null for the schema's contract alone.</param>
    /// <param name="weights">The weights that the graph keeps apart; held until the model is disposed. Null when it holds all of them.</param>
    /// <param name="hardening">What of the scores leaves; null for all.</param>
    /// <exception cref="InvalidDataException">The graph carries no schema, or screen, schema and graph do not fit each other.</exception>
    public static WorkerModel Open(string name, string version, Digest package, ReadOnlySpan<byte> onnx, byte[]? screen, ModelWeights? weights = null, byte[]? hardening = null)
    {
        var schema = OnnxModel.SchemaOf(onnx)
            ?? throw new InvalidDataException("The model carries no feature schema, so no request could be checked against it; import it with one.");
        var encoder = new FeatureEncoder(schema);
        var loaded = screen is null ? InputScreen.OfContract(ScreenContract.Of(schema)) : InputScreen.FromJson(screen);
        var hardened = hardening is null ? null : OutputHardening.Parse(hardening);
        var scorer = new OnnxScorer(onnx, weights);
        try
        {
            if (scorer.Width != schema.Width || loaded.Width != schema.Width)
                throw new InvalidDataException($"Schema, graph and input screen have {schema.Width}, {scorer.Width} and {loaded.Width} features; they must be of one model.");
            if (loaded.MeasuresDistance && loaded.EncodedWidth != encoder.EncodedWidth)
                throw new InvalidDataException($"The input screen measures {loaded.EncodedWidth} encoded values; this model has {encoder.EncodedWidth}.");
            return new(name, version, package, scorer, loaded, loaded.MeasuresDistance ? encoder : null, hardened);
        }
        catch
        {
            scorer.Dispose();
            throw;
        }
    }

    /// <summary>Screens every row and, when all pass, scores them and hardens the scores as the package says.</summary>
    /// <param name="rows">Shape (count, <see cref="Width"/>), row-major, raw.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="scores">Shape (count, <see cref="Classes"/>); written only when all rows pass.</param>
    /// <exception cref="ObjectDisposedException">The model was wiped.</exception>
    /// <returns>The verdict of the first row that was refused, with its index; else an accepting one and -1.</returns>
    public (ScreenVerdict Verdict, int Row) Score(ReadOnlySpan<float> rows, int count, Span<float> scores)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);   // below is native memory that is gone
        if (count < 1 || rows.Length != (long)count * Width)
            return (new(ScreenOutcome.WrongWidth), 0);
        var encoded = _encoder is null ? [] : new float[_encoder.EncodedWidth];
        for (var row = 0; row < count; row++)
        {
            var raw = rows.Slice(row * Width, Width);
            var verdict = Screen.CheckContract(raw);
            if (verdict.IsAccepted && _encoder is not null)
            {
                _encoder.Encode(raw, 1, encoded);
                verdict = Screen.CheckDistance(encoded);
            }

            if (!verdict.IsAccepted)
                return (verdict, row);
        }

        _scorer.Score(rows, count, scores);
        _hardening?.Apply(rows, count, scores[..(count * Classes)]);
        return (new(ScreenOutcome.Accepted), -1);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _scorer.Dispose();
    }
}
