namespace Bulwark.Models;

/// <summary>A model that scores raw rows: a network of ours or any ONNX model.</summary>
/// <remarks>Thread-safe: one scorer serves all requests.</remarks>
public interface IScorer : IDisposable
{
    /// <summary>Numbers in a raw row.</summary>
    int Width { get; }

    /// <summary>Numbers that a row's score has: 1 for a binary model (the probability of the positive label), else the number of classes.</summary>
    int Classes { get; }

    /// <summary>Scores <paramref name="rows"/> raw rows.</summary>
    /// <param name="rawRows">Shape (rows, <see cref="Width"/>), row-major; NaN where a value is missing.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="probabilities">Shape (rows, <see cref="Classes"/>); overwritten with probabilities in [0, 1].</param>
    /// <exception cref="InvalidDataException">The model gave something else than a probability a row and class.</exception>
    /// <exception cref="ArgumentException">A span is of the wrong length for <paramref name="rows"/>.</exception>
    void Score(ReadOnlySpan<float> rawRows, int rows, Span<float> probabilities);
}
