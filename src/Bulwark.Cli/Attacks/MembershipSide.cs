using System.Text.Json;
using Bulwark.Assurance;
using Bulwark.Cli.Making;
using Bulwark.Cryptography;
using Bulwark.Training;

namespace Bulwark.Cli.Attacks;

/// <summary>One model's membership attacks: by its losses, and where a recipe is known by shadow models too.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Digest">Of its ONNX bytes.</param>
/// <param name="Report">The loss threshold.</param>
/// <param name="Attacks">The stronger ones.</param>
internal sealed record MembershipSide(string Model, Digest Digest, MembershipReport Report, IReadOnlyList<MembershipReport> Attacks)
{
    /// <summary>The attack that certainly finds most members at 0.1 % false positives.</summary>
    internal MembershipReport Worst => Attacks.Prepend(Report).MaxBy(report => report.Points[^1].Lower)!;

    /// <param name="model">The model.</param>
    /// <param name="recipe">Its training options; null where they are not known.</param>
    /// <param name="members">Rows that it was trained on.</param>
    /// <param name="others">Rows that it was not.</param>
    /// <param name="shadows">Shadow models; null chooses 16 where a recipe is known.</param>
    /// <param name="screen">Where it is told.</param>
    /// <param name="cancel">Stops.</param>
    internal static async Task<MembershipSide> AttackAsync(AttackedModel model, TrainingOptions? recipe, Dataset members, Dataset others, int? shadows, Screen screen, CancellationToken cancel)
    {
        var losses = MembershipAttack.Run(model.Scorer, members.Raw, members.Labels, others.Raw, others.Labels);
        if (model.Scorer.Classes != 1)
            return new(model.Name, model.Digest, losses, []);
        var attacks = new List<MembershipReport> { ShadowMembership.LabelOnly(model.Scorer, members, others) };
        if (recipe is null && shadows is null)
            screen.Note($"[yellow]{Spectre.Console.Markup.Escape(model.Name)} has no recipe beside it: no shadow models. --shadows 16 trains them as a network by default options.[/]");
        else if (shadows != 0)
            attacks.AddRange(await screen.ProgressAsync($"shadow models of {model.Name}", progress => Task.Run(() => ShadowMembership.Run(model.Scorer, recipe ?? new(), members, others, shadows ?? 16, 1, progress, cancel), cancel)));
        return new(model.Name, model.Digest, losses, attacks);
    }

    /// <summary>The training options in a model folder's report; null where there is none.</summary>
    internal static TrainingOptions? RecipeOf(FileSystemInfo model)
    {
        var file = Path.Combine(model.FullName, TrainingReport.FileName);
        if (!File.Exists(file))
            return null;
        try
        {
            return JsonSerializer.Deserialize<TrainingReport>(File.ReadAllText(file), Screen.JsonOptions)?.Options;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
