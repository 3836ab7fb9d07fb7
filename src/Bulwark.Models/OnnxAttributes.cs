namespace Bulwark.Models;

/// <summary>The attributes of one node, by name.</summary>
/// <param name="Whole">Lists of whole numbers.</param>
/// <param name="Numbers">Lists of numbers.</param>
/// <param name="Texts">Lists of texts; a single text is a list of one.</param>
internal sealed record OnnxAttributes(IReadOnlyDictionary<string, long[]> Whole, IReadOnlyDictionary<string, float[]> Numbers, IReadOnlyDictionary<string, string[]> Texts);
