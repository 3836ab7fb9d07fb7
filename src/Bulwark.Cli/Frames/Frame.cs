using System.Text.Json;

namespace Bulwark.Cli.Frames;

/// <summary>One thing that a law, standard or guide asks for, in words of our own, and the checks whose findings speak of it.</summary>
/// <param name="Id">Its number there, for example <c>10.3.4</c>.</param>
/// <param name="Asks">What it asks, as far as a program can show it.</param>
/// <param name="Checks">Names of <see cref="EvidenceChecks"/>.</param>
internal sealed record Requirement(string Id, string Asks, IReadOnlyList<string> Checks);

/// <summary>A law, standard or guide as questions to the evidence: what is asked that a program can show, and what no program shows.</summary>
/// <param name="Id">Its name on the command line.</param>
/// <param name="Title">Its name and edition.</param>
/// <param name="Outside">What stays to be shown by people.</param>
/// <param name="Requirements">The requirements of which Bulwark leaves evidence; never all of the frame's.</param>
internal sealed record Frame(string Id, string Title, string Outside, IReadOnlyList<Requirement> Requirements)
{
    private static readonly JsonSerializerOptions s_strict = new(JsonSerializerOptions.Strict) { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>Every frame that this program knows.</summary>
    internal static IReadOnlyList<Frame> All { get; } = Load();

    private static Frame[] Load()
    {
        using var stream = typeof(Frame).Assembly.GetManifestResourceStream("frames.json")!;
        return JsonSerializer.Deserialize<Frame[]>(stream, s_strict)!;
    }
}
