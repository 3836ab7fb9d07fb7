using System.CommandLine;
using Bulwark.Cli.Making;

namespace Bulwark.Cli;

/// <summary>Which options each way of training reads.</summary>
internal static partial class TrainCommand
{
    private static void RefuseUnread(ParseResult parsed)
    {
        var model = parsed.GetValue(s_model);
        var (robust, isPrivate) = (s_robust.IsSet(parsed), parsed.GetValue(s_private));
        var objective = isPrivate && parsed.GetValue(s_method) == "objective";
        new UnreadOptions(parsed)
            .Unless(model == "mlp", "--model mlp", s_hidden)
            .Unless(model == "trees", "--model trees", s_trees, s_depth)
            .When(model == "trees", "--model trees", [s_bins, s_epochs, s_batch, s_weight, s_private, s_noise, s_frontier, s_members, s_average, s_parts, .. s_robust.OfNetworks])
            .When(model == "ebm", "--model ebm", s_epochs, s_batch, s_rate, s_weight, s_noise, s_frontier, s_members, s_average, s_parts, s_clipping, s_method, s_select)
            .Unless(isPrivate, "--private", s_epsilon, s_delta, s_method, s_clipping, s_select, s_budget, s_bounds)
            .When(isPrivate, "--private, which draws batches of its own", s_batch)
            .When(objective, "--private-method objective", s_epochs, s_rate, s_clipping)
            .Unless(robust, "--robust", s_robust.Details)
            .When(parsed.GetValue(s_frontier) is not null, "--frontier", [s_parts, .. s_robust.Swept])
            .When(parsed.GetValue(s_test) is not null, "--test", s_fraction, s_split)
            .Refuse();
    }
}
