namespace Bulwark.Tests.Cli;

/// <summary>An option that a way of training does not read is refused before any row is read, never dropped.</summary>
public class TrainUnreadTests
{
    public static TheoryData<string, string> Unread() => new()
    {
        { "--model trees --weight-average 0.9", "--weight-average (not with --model trees)" },
        { "--model trees --batch-size 32", "--batch-size" },
        { "--model trees --epochs 3", "--epochs" },
        { "--model trees --hidden 8", "--hidden (only with --model mlp)" },
        { "--model trees --positive-weight 3", "--positive-weight" },
        { "--model trees --noise 0.1", "--noise" },
        { "--model trees --bins 4", "--bins" },
        { "--model trees --private", "--private" },
        { "--model trees --parts 5", "--parts" },
        { "--model trees --members 3", "--members" },
        { "--model trees --robust --frontier 0,1", "--frontier" },
        { "--model trees --robust --method trades", "--method" },
        { "--model trees --robust --steps 7", "--steps" },
        { "--model trees --robust --adversarial-weight 2", "--adversarial-weight" },
        { "--model trees --robust --clean-weight 0", "--clean-weight" },
        { "--model trees --robust --weight-perturbation 0.01", "--weight-perturbation" },
        { "--model trees --robust --attack-both-classes", "--attack-both-classes" },
        { "--model trees --robust --attack-prices p.json", "--attack-prices" },
        { "--model trees --epsilon 1 --attack-eps 0.2", "--epsilon (only with --private); --attack-eps (only with --robust)" },
        { "--model ebm --epochs 3", "--epochs (not with --model ebm)" },
        { "--model ebm --batch-size 3", "--batch-size" },
        { "--model ebm --learning-rate 0.1", "--learning-rate" },
        { "--model ebm --weight-average 0.9", "--weight-average" },
        { "--model ebm --parts 5", "--parts" },
        { "--model ebm --hidden 4", "--hidden" },
        { "--model ebm --private --clipping adaptive", "--clipping" },
        { "--model lr --hidden 4", "--hidden" },
        { "--model lr --trees 4 --depth 3", "--trees (only with --model trees); --depth (only with --model trees)" },
        { "--epsilon 1", "--epsilon (only with --private)" },
        { "--delta 1e-6 --budget 3", "--delta (only with --private); --budget (only with --private)" },
        { "--clipping flat", "--clipping" },
        { "--bounds-epsilon 0.1", "--bounds-epsilon" },
        { "--private --batch-size 64", "--batch-size (not with --private" },
        { "--model lr --private --private-method objective --epochs 3", "--epochs (not with --private-method objective)" },
        { "--parts 5 --budget 2", "--budget" },
        { "--robust --frontier 0,1 --parts 5", "--parts (not with --frontier)" },
        { "--robust --frontier 0,1 --adversarial-weight 2", "--adversarial-weight" },
        { "--method trades", "--method (only with --robust)" },
        { "--attack-prices p.json", "--attack-prices" },
        { "--test t.csv --test-fraction 0.3", "--test-fraction (not with --test)" },
        { "--test t.csv --split-by time", "--split-by" },
    };

    [Theory]
    [MemberData(nameof(Unread))]
    public async Task What_would_not_be_read_is_refused_by_name(string options, string said)
    {
        var (code, _, error) = await CommandContractTests.RunAsync(["train", "absent.csv", "--label", "y", "-o", "out", .. options.Split(' ')]);
        Assert.Equal(2, code);
        Assert.Contains("would not read", error, StringComparison.Ordinal);
        Assert.Contains(said, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--model trees --trees 4 --depth 3 --learning-rate 0.2 --robust --attack-eps 0.1 --mutable a --seed 3 --test-fraction 0.3 --split-by time")]
    [InlineData("--model ebm --private --epsilon 1 --bins 5 --budget 3")]
    [InlineData("--model mlp --hidden 4 --epochs 2 --batch-size 8 --weight-average 0.9 --robust --method trades --adversarial-weight 2")]
    [InlineData("--model lr --parts 5 --epochs 2 --learning-rate 0.1")]
    [InlineData("--private --epsilon 1 --clipping adaptive --epochs 3")]
    public async Task What_is_read_is_not(string options)
    {
        var (code, _, error) = await CommandContractTests.RunAsync(["train", "absent.csv", "--label", "y", "-o", "out", .. options.Split(' ')]);
        Assert.Equal(2, code);
        Assert.Contains("There is no file", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Images_too()
    {
        using var folder = new TemporaryFolder();
        var file = folder["any"];
        await File.WriteAllTextAsync(file, "any", TestContext.Current.CancellationToken);
        var (code, _, error) = await CommandContractTests.RunAsync(["train", "images", file, file, "--test-images", file, "--test-labels", file, "--attack-eps", "0.1", "-o", "out"]);
        Assert.Equal(2, code);
        Assert.Contains("--attack-eps (only with --robust)", error, StringComparison.Ordinal);
    }
}
