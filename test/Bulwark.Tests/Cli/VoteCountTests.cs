using Bulwark.Cli.Making;

namespace Bulwark.Tests.Cli;

/// <summary>What is certified is what the exported graph counts.</summary>
public class VoteCountTests
{
    [Theory]
    [InlineData(4 / 7f, 4, 7, 4)]
    [InlineData(3 / 7f, 4, 7, 3)]   // a member at its threshold: the graph's vote is certified, not the one cast in training
    [InlineData(5000 / 9999f, 5000, 9999, 5000)]
    [InlineData(2 / 7f, 4, 7, null)]   // two votes apart: another model
    [InlineData(0.5f, 4, 7, null)]   // no share of seven
    [InlineData(float.NaN, 0, 7, null)]
    [InlineData(8 / 7f, 7, 7, null)]
    public void A_score_is_read_as_votes_of_the_graph(float score, int cast, int parts, int? expected) =>
        Assert.Equal(expected, VoteRun.Counted(score, cast, parts));
}
