using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Networks;

namespace Bulwark.Cli.Attacks;

/// <summary>A model opened for attack: what answers, what it knows of its features, and the network inside where there is one.</summary>
internal sealed class AttackedModel : IDisposable
{
    private AttackedModel(string name, byte[] onnx)
    {
        Name = name;
        Digest = Digest.Of(onnx);
        Schema = OnnxModel.SchemaOf(onnx);
        Network = NetworkOf(onnx);
        Scorer = OnnxModel.OpenScorer(onnx);
    }

    internal string Name { get; }

    /// <summary>Of the ONNX bytes.</summary>
    internal Digest Digest { get; }

    internal FeatureSchema? Schema { get; }

    internal DenseNetwork<float>? Network { get; }

    internal IScorer Scorer { get; }

    internal static AttackedModel Open(FileSystemInfo model)
    {
        var path = Path.TrimEndingDirectorySeparator(model.FullName);
        return Directory.Exists(path)
            ? new(Path.GetFileName(path), ModelFolder.Load(path).Onnx.ToArray())
            : new(Path.GetFileName(path), File.ReadAllBytes(path));
    }

    public void Dispose() => Scorer.Dispose();

    /// <summary>Null where the graph is no chain of dense layers: then queries are all there is.</summary>
    private static DenseNetwork<float>? NetworkOf(byte[] onnx)
    {
        try
        {
            return OnnxModel.Import(onnx).Network;
        }
        catch (NotSupportedException)
        {
            return null;
        }
    }
}
