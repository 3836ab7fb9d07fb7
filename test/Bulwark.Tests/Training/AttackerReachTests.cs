using Bulwark.Models;
using Bulwark.Training;

namespace Bulwark.Tests.Training;

public class AttackerReachTests
{
    private static readonly FeatureEncoder s_encoder = new(new()
    {
        Label = "fraud",
        Features =
        [
            new() { Name = "amount", Kind = FeatureKind.Numeric, Minimum = 0, Maximum = 100, Mutable = true },
            new() { Name = "cards", Kind = FeatureKind.Integer, Minimum = 0, Maximum = 4, Mutable = true },
            new() { Name = "calls", Kind = FeatureKind.Integer, Minimum = 0, Maximum = 50, Mutable = true },
            new() { Name = "abroad", Kind = FeatureKind.Binary, Mutable = true },
            new() { Name = "channel", Kind = FeatureKind.Categorical, Categories = ["web", "shop"], Mutable = true },
        ],
    });

    [Theory]
    [InlineData(RobustNorm.LargestChange, 0.05, new[] { true, false, true, false, false, false })]
    [InlineData(RobustNorm.LargestChange, 0.25, new[] { true, true, true, false, false, false })]
    [InlineData(RobustNorm.Length, 1, new[] { true, true, true, true, false, false })]
    [InlineData(RobustNorm.Length, 1.5, new[] { true, true, true, true, true, true })]
    public void What_has_no_step_within_the_radius_does_not_move(RobustNorm norm, double epsilon, bool[] moves) =>
        Assert.Equal(moves, AttackerReach.Within(new() { Norm = norm, Epsilon = epsilon }, s_encoder).Mutable);

    [Fact]
    public void A_budget_counts_the_price_of_the_smallest_change()
    {
        var robust = new RobustOptions { Norm = RobustNorm.Cost, Epsilon = 1, Costs = [0.5, 8, 2, 1.5, 0.5, 0.5] };
        Assert.Equal([true, false, true, false, true, true], AttackerReach.Within(robust, s_encoder).Mutable);
    }

    [Fact]
    public void Whole_numbers_and_flags_have_units_when_the_length_of_a_change_is_bound()
    {
        Assert.Equal([0, 0.25, 0.02, 1, 0, 0], AttackerReach.Within(new() { Norm = RobustNorm.Length, Epsilon = 1 }, s_encoder).Units);
        Assert.Equal([0, 0, 0.02, 0, 0, 0], AttackerReach.Within(new() { Norm = RobustNorm.Length, Epsilon = 0.1 }, s_encoder).Units);   // what cannot move needs none
        Assert.Empty(AttackerReach.Within(new() { Epsilon = 0.5 }, s_encoder).Units);
    }

    [Fact]
    public void What_was_immutable_stays_so_and_a_mask_of_nothing_is_left_alone()
    {
        bool[] mask = [false, false, true, true, false, false];
        Assert.Equal([false, false, true, false, false, false], AttackerReach.Within(new() { Epsilon = 0.1, Mutable = mask }, s_encoder).Mutable);
        Assert.Equal(mask, AttackerReach.Within(new() { Epsilon = 0.001, Mutable = mask }, s_encoder).Mutable);
    }
}
