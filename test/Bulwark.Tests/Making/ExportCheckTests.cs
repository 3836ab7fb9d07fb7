using Bulwark.Cli;
using Bulwark.Cli.Making;
using Bulwark.Data;
using Bulwark.Models;
using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Tests.Making;

public class ExportCheckTests
{
    private static readonly Dataset s_rows = DatasetReader.Read(
        new Table([new NumberColumn("a", [.. Enumerable.Range(0, 64).Select(i => i / 64.0)]), new NumberColumn("bad", [.. Enumerable.Range(0, 64).Select(i => (double)(i % 2))])]),
        new SchemaOptions { Label = "bad", Features = [new Feature { Name = "a", Minimum = 0, Maximum = 1 }] });

    [Theory]
    [InlineData(1f)]
    [InlineData(30f)]
    public void A_graph_scores_as_its_network_up_to_the_rounding_that_its_weights_allow(float scale)
    {
        var network = Scaled(scale);
        Assert.InRange(Check(network, network), 0, 1e-2);
    }

    [Fact]
    public void A_graph_of_another_network_is_refused()
    {
        var other = Scaled(1);
        other.Parameters[^1] += 0.001f;
        Assert.Contains("scores differently", Assert.Throws<CommandException>(() => Check(Scaled(1), other)).Message);
    }

    private static double Check(DenseNetwork<float> network, DenseNetwork<float> exported)
    {
        var encoded = s_rows.Encode();
        return ExportCheck.RequireSameScores(OnnxModel.Export(s_rows.Schema, exported), network, s_rows, encoded, Trainer.Score(network, encoded));
    }

    private static DenseNetwork<float> Scaled(float scale)
    {
        var network = DenseNetwork<float>.Create(new NetworkShape(1, [64, 32], 1), 1);
        foreach (ref var weight in network.Parameters)
            weight *= scale;
        return network;
    }
}
