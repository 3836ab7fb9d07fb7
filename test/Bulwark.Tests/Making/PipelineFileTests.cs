using Bulwark.Cli;
using Bulwark.Cli.Making;

namespace Bulwark.Tests.Making;

public sealed class PipelineFileTests : IDisposable
{
    private const string Sound = """
        name: case
        data:
          train: rows.csv
        label: bad
        positive: ["1"]
        variants:
          - { name: plain }
          - { name: private, private: { epsilon: 1, delta: 1e-5 } }
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_sound_file_loads_with_what_it_says_and_defaults_for_the_rest()
    {
        var pipeline = Load(Sound);
        Assert.Equal(("case", "rows.csv", "bad"), (pipeline.Name, pipeline.Data.Train, pipeline.Label));
        Assert.Null(pipeline.Variants[0].Private);
        Assert.Equal((1, 1e-5), (pipeline.Variants[1].Private!.Epsilon, pipeline.Variants[1].Private!.Delta));
        Assert.Equal(["", "?", "NA"], pipeline.Data.Missing);
    }

    [Theory]
    [InlineData("adult.yaml", "adult-income")]
    [InlineData("credit-default.yaml", "credit-default")]
    public void The_sample_pipelines_load_and_seal_a_variant_that_they_train(string file, string name)
    {
        var pipeline = PipelineFile.Load(new FileInfo(Path.Combine(RepositoryRoot.Path, "samples", file)));
        Assert.Equal(name, pipeline.Name);
        Assert.Contains(pipeline.Variants, variant => variant.Name == pipeline.Seal);
        Assert.Contains(pipeline.Features, feature => feature.Mutable);
    }

    [Fact]
    public void An_unknown_member_is_refused_with_its_line() =>
        Assert.Matches("line 5.*colour", Refusal(Sound.Replace("label: bad", "label: bad\ncolour: red", StringComparison.Ordinal)));

    [Fact]
    public void A_repeated_member_is_refused_with_its_line() =>
        Assert.Matches("line 5.*[Dd]uplicate key label", Refusal(Sound.Replace("label: bad", "label: bad\nlabel: good", StringComparison.Ordinal)));

    [Fact]
    public void A_value_of_the_wrong_type_is_refused_with_its_line_and_member() =>
        Assert.Contains("line 8: epsilon:", Refusal(Sound.Replace("epsilon: 1", "epsilon: much", StringComparison.Ordinal)));

    [Theory]
    [InlineData("private: { epsilon: 1, delta: 1e-5 }", "private:")]
    [InlineData("private: { epsilon: 1, delta: 1e-5 }", "private: null")]
    [InlineData("private: { epsilon: 1, delta: 1e-5 }", "private: ~")]
    public void A_variant_that_says_private_without_a_budget_is_never_trained_without_privacy(string written, string left) =>
        Assert.Contains("line 8: a value is missing", Refusal(Sound.Replace(written, left, StringComparison.Ordinal)));

    [Theory]
    [InlineData("variants:")]
    [InlineData("attack:")]
    [InlineData("features:\n  -")]
    public void A_member_without_a_value_is_refused_with_its_line(string text) =>
        Assert.Matches("line [12]: a value is missing", Refusal(text));

    [Fact]
    public void Every_fault_is_listed_at_once()
    {
        var refusal = Refusal("""
            name: "a b"
            data: { testFraction: 1, delimiter: "--" }
            features: [ { name: age }, { name: age } ]
            baseRate: 1
            attack: { epsilon: 0, strengths: [0.1, 1.1], falsePositiveRate: 0, samples: 0 }
            variants:
              - { name: x, model: tree, private: { epsilon: 0 } }
              - { name: x, private: { delta: 1 } }
              - { name: ../../elsewhere }
            seal: y
            """);
        string[] faults =
        [
            "name:", "data.train", "data.testFraction", "data.delimiter", "label:", "positive:", "features: the name age", "baseRate", "attack.epsilon", "attack.strengths",
            "attack.falsePositiveRate", "attack.samples", "the name x is given twice", "model tree", "x needs epsilon", "'../../elsewhere' is no name", "seal: there is no variant y",
        ];
        Assert.All(faults, fault => Assert.Contains(fault, refusal, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("attack: { epsilon: .nan }", "attack.epsilon")]
    [InlineData("attack: { epsilon: -0.1 }", "attack.epsilon")]
    [InlineData("attack: { epsilon: 1.5 }", "attack.epsilon")]
    [InlineData("attack: { strengths: [] }", "attack.strengths")]
    [InlineData("attack: { strengths: [.nan] }", "attack.strengths")]
    [InlineData("attack: { strengths: [-0.01] }", "attack.strengths")]
    [InlineData("baseRate: .nan", "baseRate")]
    public void Figures_out_of_their_range_are_refused_by_name(string line, string named) =>
        Assert.Contains(named, Refusal($"{Sound}\n{line}"), StringComparison.Ordinal);

    [Theory]
    [InlineData("epsilon: .inf, delta: 1e-5")]
    [InlineData("epsilon: .nan, delta: 1e-5")]
    [InlineData("epsilon: -1, delta: 1e-5")]
    [InlineData("epsilon: 1, delta: 0")]
    [InlineData("epsilon: 1, delta: .nan")]
    public void A_privacy_budget_that_is_none_is_refused(string budget) =>
        Assert.Contains("private needs epsilon above 0", Refusal(Sound.Replace("epsilon: 1, delta: 1e-5", budget, StringComparison.Ordinal)), StringComparison.Ordinal);

    [Fact]
    public void An_absent_file_is_refused_with_a_hint() =>
        Assert.Contains("samples/adult.yaml", Assert.Throws<CommandException>(() => PipelineFile.Load(new FileInfo(_folder["none.yaml"]))).Hint);

    [Fact]
    public void An_empty_file_lists_what_is_needed() => Assert.Contains("data.train", Refusal(""), StringComparison.Ordinal);

    private string Refusal(string text) => Assert.Throws<CommandException>(() => Load(text)).Message;

    private PipelineFile Load(string text)
    {
        File.WriteAllText(_folder["pipeline.yaml"], text);
        return PipelineFile.Load(new FileInfo(_folder["pipeline.yaml"]));
    }
}
