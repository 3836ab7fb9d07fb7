using Bulwark.Models;
using Spectre.Console;

namespace Bulwark.Cli.Models;

/// <summary>What can be said of an ONNX file by loading it.</summary>
/// <param name="Width">Features of a row.</param>
/// <param name="Classes">Numbers of a score.</param>
/// <param name="WhiteBox">True when the graph is a chain of dense layers, so that gradient attacks can see into it.</param>
/// <param name="Schema">The features, where the file has them.</param>
internal sealed record ModelFacts(int Width, int Classes, bool WhiteBox, FeatureSchema? Schema)
{
    /// <exception cref="InvalidDataException">The bytes are no ONNX model that loads.</exception>
    /// <exception cref="NotSupportedException">The model has no float matrix as its only input, or no score.</exception>
    internal static ModelFacts Of(byte[] onnx)
    {
        using var scorer = new OnnxScorer(onnx);
        return new ModelFacts(scorer.Width, scorer.Classes, IsWhiteBox(onnx), OnnxModel.SchemaOf(onnx));
    }

    internal void Draw(IAnsiConsole console)
    {
        console.MarkupLineInterpolated($"{Width} features in, {(Classes == 1 ? "one probability" : $"{Classes} probabilities")} out; {(WhiteBox ? "a chain of dense layers: gradient attacks can see into it" : "scored as it is: attacked by queries only")}");
        if (Schema is not null)
            ModelTable.Draw(console, Schema);
        else
            console.MarkupLine("[yellow]It has no feature schema: requests cannot be screened. Import it with --schema to give it one.[/]");
    }

    private static bool IsWhiteBox(byte[] onnx)
    {
        try
        {
            OnnxModel.Import(onnx);
            return true;
        }
        catch (NotSupportedException)
        {
            return false;
        }
    }
}
