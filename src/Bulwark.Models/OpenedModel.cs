using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Models;

/// <summary>A verified package, opened: its files stand in pinned memory, never on a disk, and are wiped when disposed.</summary>
public sealed class OpenedModel : IDisposable
{
    private readonly Dictionary<string, byte[]> _files;

    internal OpenedModel(SealVerification verification, Dictionary<string, byte[]> files, ModelWeights? weights)
    {
        Weights = weights;
        Verification = verification;
        _files = files;
    }

    /// <summary>The verdict, which is <see cref="SealVerdict.Trusted"/>, and what it rests on.</summary>
    public SealVerification Verification { get; }

    /// <summary>The signed manifest.</summary>
    public ModelManifest Manifest => Verification.Manifest!;

    /// <summary>Digest of the package, which names the model in receipts.</summary>
    public Digest PackageDigest => Verification.PackageDigest;

    /// <summary>The weights that the model keeps outside of its ONNX file; null when it holds all of them.</summary>
    public ModelWeights? Weights { get; }

    /// <summary>The files' names, but for the weights.</summary>
    public IReadOnlyCollection<string> Names => _files.Keys;

    /// <summary>True when there is a file of that name.</summary>
    public bool Contains(string name) => _files.ContainsKey(name);

    /// <summary>One file, in place; do not keep it after <see cref="Dispose"/>.</summary>
    /// <exception cref="FileNotFoundException">The package has no such file.</exception>
    public ReadOnlyMemory<byte> File(string name) => _files.TryGetValue(name, out var bytes)
        ? bytes : throw new FileNotFoundException($"The package {Manifest.Name} has no file '{name}'.");

    /// <summary>One text file, or null where it is absent.</summary>
    public string? Text(string name) => _files.TryGetValue(name, out var bytes) ? Encoding.UTF8.GetString(bytes) : null;

    /// <summary>The schema inside the model, or null where it has none.</summary>
    /// <exception cref="InvalidDataException">The model or its schema is not valid.</exception>
    public FeatureSchema? Schema() => OnnxModel.SchemaOf(File(ModelFolder.OnnxName).Span);

    /// <summary>A scorer of the model: the managed engine for a network of ours, else ONNX Runtime.</summary>
    /// <exception cref="InvalidDataException">The model is not valid.</exception>
    /// <exception cref="NotSupportedException">The model has no single float matrix as input, or no score.</exception>
    public IScorer OpenScorer() => OnnxModel.OpenScorer(File(ModelFolder.OnnxName).Span, Weights);

    /// <summary>Wipes the files.</summary>
    public void Dispose()
    {
        foreach (var bytes in _files.Values)
            CryptographicOperations.ZeroMemory(bytes);
        _files.Clear();
        Weights?.Dispose();
    }
}
