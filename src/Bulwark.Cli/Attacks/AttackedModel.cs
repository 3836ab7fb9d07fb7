using Bulwark.Assurance;
using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Networks;

namespace Bulwark.Cli.Attacks;

/// <summary>A model opened for attack: what answers, what it knows of its features, and the network inside where there is one.</summary>
internal sealed class AttackedModel : IDisposable
{
    private static readonly string[] s_random = ["RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"];
    private static readonly string[] s_iterative = ["Loop", "Scan", "Gradient"];

    private AttackedModel(string name, ReadOnlySpan<byte> onnx, FeatureSchema? schema)
    {
        Name = name;
        Digest = Digest.Of(onnx);
        Schema = OnnxModel.SchemaOf(onnx) ?? schema;
        Network = OnnxModel.SchemaOf(onnx) is null && schema is not null ? null : NetworkOf(onnx);   // behind a foreign schema rows are not what the network reads
        Scorer = OnnxModel.OpenScorer(onnx);
        Suspects = [.. OnnxOperators.List(onnx).Select(Suspect).OfType<SuspectOperator>()];
    }

    private AttackedModel(Uri endpoint, FeatureSchema schema, long budget, string? token) =>
        (Name, Digest, Schema, Scorer) = (endpoint.AbsoluteUri, Digest.Of(System.Text.Encoding.UTF8.GetBytes(endpoint.AbsoluteUri)), schema, new RemoteScorer(endpoint, schema, budget, null, token));

    internal string Name { get; }

    /// <summary>Of the ONNX bytes; of an endpoint's address.</summary>
    internal Digest Digest { get; }

    internal FeatureSchema? Schema { get; }

    internal DenseNetwork<float>? Network { get; }

    internal IScorer Scorer { get; }

    /// <summary>Operators that make an evaluation doubtful.</summary>
    internal IReadOnlyList<SuspectOperator> Suspects { get; } = [];

    internal static AttackedModel Open(FileSystemInfo model) => Open(model, null);

    /// <summary>As <see cref="Open(FileSystemInfo)"/>, sealed packages too: verified and opened in memory with the workspace's keys.</summary>
    internal static async Task<AttackedModel> OpenAsync(FileSystemInfo model, Workspace? workspace, FeatureSchema? schema, CancellationToken cancel)
    {
        if (model is DirectoryInfo || Directory.Exists(model.FullName) || !model.Name.EndsWith(".bulwark", StringComparison.Ordinal))
            return Open(model, schema);
        using var keys = (workspace ?? throw new CommandException($"{model.Name} is sealed; there is no workspace whose keys open it.", "name it: --workspace DIR")).OpenKeys();
        await using var stream = File.OpenRead(model.FullName);
        using var opened = await SealedModel.OpenAsync(stream, keys, [keys.PublicKey(Workspace.SigningKey)], cancel);
        return new(model.Name, opened.File(ModelFolder.OnnxName).Span, schema);
    }

    /// <summary>A model behind an endpoint.</summary>
    internal static AttackedModel Remote(Uri endpoint, FeatureSchema schema, long budget, string? token) => new(endpoint, schema, budget, token);

    public void Dispose() => Scorer.Dispose();

    private static AttackedModel Open(FileSystemInfo model, FeatureSchema? schema)
    {
        var path = Path.TrimEndingDirectorySeparator(model.FullName);
        return Directory.Exists(path)
            ? new(Path.GetFileName(path), ModelFolder.Load(path).Onnx.Span, schema)
            : new(Path.GetFileName(path), File.ReadAllBytes(path), schema);
    }

    private static SuspectOperator? Suspect(OnnxOperator found) =>
        found.Training ? new("F12", found.Name) : s_random.Contains(found.Name) ? new("F6", found.Name) : s_iterative.Contains(found.Name) ? new("F7", found.Name) : null;

    /// <summary>Null where the graph is no chain of layers that can be derived: then questions are all there is.</summary>
    private static DenseNetwork<float>? NetworkOf(ReadOnlySpan<byte> onnx)
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
