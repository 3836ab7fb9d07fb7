using System.CommandLine;
using Bulwark.Assurance;
using Bulwark.Cli.Attacks;
using Bulwark.Cli.Making;
using Bulwark.Cli.Models;
using Bulwark.Models;
using Bulwark.Training;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary><c>train</c>: a table in, a model folder out.</summary>
internal static partial class TrainCommand
{
    private static readonly Argument<FileSystemInfo> s_data = new("data") { Description = "The table to train on: CSV, Parquet, protected Parquet or a folder of it." };
    private static readonly InputAccessOptions s_access = new("train");
    private static readonly Option<string> s_label = new("--label") { Description = "The column to predict.", Required = true, HelpName = "NAME" };
    private static readonly Option<string[]> s_positive = new("--positive") { Description = "A value of the label that counts as positive; may be repeated.", HelpName = "VALUE", DefaultValueFactory = _ => ["1"] };
    private static readonly Option<FileInfo?> s_schema = new("--schema") { Description = "Declared features, bounds and categories: a feature schema in JSON.", HelpName = "FILE" };
    private static readonly Option<string> s_drop = new("--drop") { Description = "Columns that are no features, with commas.", HelpName = "NAMES", DefaultValueFactory = _ => "" };
    private static readonly Option<string> s_mutable = new("--mutable") { Description = "Features that an attacker can choose, with commas.", HelpName = "NAMES", DefaultValueFactory = _ => "" };
    private static readonly Option<string?> s_columns = new("--columns") { Description = "Names of the columns of a file without a header, with commas.", HelpName = "NAMES" };
    private static readonly Option<char?> s_comment = new("--comment") { Description = "Lines of the file that begin with this character are skipped.", HelpName = "CHAR" };
    private static readonly Option<string> s_model = new Option<string>("--model") { Description = "lr (logistic regression), mlp (multilayer perceptron), ebm (additive model: one curve a feature over public bins) or trees (boosted; --robust makes splits that hold within --attack-eps).", DefaultValueFactory = _ => "mlp" }.AcceptOnlyFromAmong("lr", "mlp", "ebm", "trees");
    private static readonly Option<string> s_hidden = new("--hidden") { Description = "Widths of the hidden layers of an mlp.", HelpName = "64,32", DefaultValueFactory = _ => "64,32" };
    private static readonly Option<int?> s_bins = new("--bins") { Description = "Cut every number into so many public bins of equal width between its bounds: best for lr on many rows.", HelpName = "N" };
    private static readonly Option<int?> s_epochs = new("--epochs") { Description = "Passes over the data; chosen when absent." };
    private static readonly Option<int?> s_batch = new("--batch-size") { Description = "Rows of a step; 256 when absent. A private run draws Poisson batches instead." };
    private static readonly Option<double?> s_rate = new("--learning-rate") { Description = "Largest learning rate; chosen when absent." };
    private static readonly Option<double> s_weight = new("--positive-weight") { Description = "What a positive row's loss counts against a negative one's.", DefaultValueFactory = _ => 1 };
    private static readonly Option<bool> s_private = new("--private") { Description = "Train with differential privacy." };
    private static readonly Option<double> s_epsilon = new("--epsilon") { Description = "Epsilon of a private run, the input screen's statistics included.", DefaultValueFactory = _ => 1 };
    private static readonly Option<double> s_delta = new("--delta") { Description = "Delta of a private run.", DefaultValueFactory = _ => 1e-5 };
    private static readonly Option<string> s_method = new Option<string>("--private-method") { Description = "How a private regression (lr) is found: gradient (noisy steps) or objective (the minimum of a perturbed objective).", DefaultValueFactory = _ => "gradient" }.AcceptOnlyFromAmong("gradient", "objective");
    private static readonly Option<string> s_clipping = new Option<string>("--clipping") { Description = "How a private run shortens gradients: flat, per-layer, automatic, or adaptive (follows a noisy median, which is paid for).", DefaultValueFactory = _ => "flat" }.AcceptOnlyFromAmong(Clipping.Names);
    private static readonly Option<double?> s_select = new("--private-select") { Description = "Choose step length and clipping norm privately: a secret, random number of runs with this mean, all within epsilon.", HelpName = "MEAN" };
    private static readonly Option<double?> s_budget = new("--budget") { Description = "Epsilon that the data set may ever cost, when its ledger has no budget yet; this run's when absent." };
    private static readonly Option<double?> s_bounds = new("--bounds-epsilon") { Description = "Part of epsilon to spend on bounds of the numeric features that --schema declares without any." };
    private static readonly Option<int> s_trees = new("--trees") { Description = "Number of trees of --model trees.", DefaultValueFactory = _ => 100 };
    private static readonly Option<int> s_depth = new("--depth") { Description = "Questions on the way to a leaf of --model trees, at most.", DefaultValueFactory = _ => 6 };
    private static readonly Option<int> s_members = new("--members") { Description = "Train so many networks from other initial weights and join them into one: the mean of their logits.", HelpName = "N", DefaultValueFactory = _ => 1 };
    private static readonly Option<double> s_average = new("--weight-average") { Description = "Keep a moving average of the weights: what the past counts from step to step, for example 0.995. Not for a private run.", HelpName = "SHARE", DefaultValueFactory = _ => 0 };
    private static readonly Option<int?> s_parts = new("--parts") { Description = "Train a member on each of so many disjoint parts of the rows, an odd number; the model counts their votes, certified against poisoned rows.", HelpName = "N" };
    private static readonly RobustFlags s_robust = new();
    private static readonly Option<double> s_noise = new("--noise") { Description = "Standard deviation of Gaussian noise on every scaled value while learning: for certificates by smoothing with the same --sigma.", HelpName = "SIGMA", DefaultValueFactory = _ => 0 };
    private static readonly Option<FileInfo?> s_constraints = new("--constraints") { Description = "Relations between features that the input screen shall hold rows to: docs/formats/constraints.md (JSON or YAML). A private model has no others.", HelpName = "FILE" };
    private static readonly Option<bool> s_unrelated = new("--no-relations") { Description = "Learn no relations between features for the input screen." };
    private static readonly Option<string?> s_frontier = new("--frontier") { Description = "Train one robust model for each of these adversarial weights (0 for none), attack each with the suite and print what every point of robustness costs.", HelpName = "0,0.5,1,3" };
    private static readonly Option<int> s_seed = new("--seed") { Description = "Names the random draws of a run that is not private.", DefaultValueFactory = _ => 1 };
    private static readonly Option<FileSystemInfo?> s_test = new("--test") { Description = "A table that only measures.", HelpName = "FILE" };
    private static readonly Option<double> s_fraction = new("--test-fraction") { Description = "Share of rows held out for measuring.", DefaultValueFactory = _ => 0.2 };
    private static readonly Option<string?> s_split = new("--split-by") { Description = "Hold out the last rows by this column, a time, in place of rows chosen by hash. Not for a private run: the cut would depend on the rows.", HelpName = "COLUMN" };
    private static readonly Option<string?> s_name = new("--name") { Description = "The model's name; the output folder's when absent." };
    private static readonly Option<DirectoryInfo> s_output = new("--output", "-o") { Description = "The model folder to write.", Required = true, HelpName = "DIR" };

    internal const string NotLogged = "[yellow]no workspace: this run is not logged[/] (make one with: bulwark init)";

    internal static Command Create()
    {
        var command = new Command("train", """
            Trains a model and writes it as a folder: ONNX with the preprocessing inside, input screen, report.

            Example: bulwark train transactions.csv --label fraud --test later.csv --private --epsilon 1 --schema schema.json -o model
            """)
        {
            s_data, s_label, s_positive, s_schema, s_drop, s_mutable, s_columns, s_comment, s_model, s_hidden, s_bins, s_epochs, s_batch, s_rate, s_weight,
            s_private, s_epsilon, s_delta, s_method, s_clipping, s_select, s_budget, s_bounds, s_noise, s_constraints, s_unrelated, s_frontier, s_members, s_average, s_parts, s_trees, s_depth, s_seed, s_test, s_fraction, s_split, s_name, s_output, GlobalOptions.Ledger,
        };
        s_robust.AddTo(command);
        s_access.AddTo(command);
        command.Subcommands.Add(TrainImagesCommand.Create());
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        RefuseUnread(parsed);
        var screen = new Screen(parsed);
        var workspace = Workspace.Find(parsed);
        var (train, test, from, testFrom) = await ReadAsync(parsed, workspace, cancel);
        var output = parsed.GetRequiredValue(s_output);
        if (workspace is null)
            screen.Note(NotLogged);
        if (parsed.GetValue(s_model) == "trees")
            return await GrowAsync(parsed, screen, Related(parsed, new(parsed.GetValue(s_name) ?? output.Name, train, test, new(), output) { MadeFrom = from, TestMadeFrom = testFrom }), workspace, cancel);
        var options = Options(parsed, train.Schema);
        if (parsed.GetValue(s_bounds) is { } boundsEpsilon && options.Private is not null)
            (train, test, options) = PaidBounds.Apply(train, test, options, boundsEpsilon, parsed.GetValue(s_budget), train.Commitment.ToString(), workspace);
        if ((parsed.GetValue(s_bins) ?? (parsed.GetValue(s_model) == "ebm" ? PipelineVariant.DefaultBins : null)) is { } bins)
            (train, test) = Binned(train, test, bins);
        var request = Related(parsed, new(parsed.GetValue(s_name) ?? output.Name, train, test, options, output) { BudgetEpsilon = parsed.GetValue(s_budget), MadeFrom = from, TestMadeFrom = testFrom });
        if (parsed.GetValue(s_frontier) is { } weights)
            return await SweepAsync(parsed, screen, request, FrontierSweep.Weights(weights), workspace, cancel);
        if (parsed.GetValue(s_parts) is { } parts)
        {
            var vote = await screen.ProgressAsync($"training {parts} members of {request.Name}", progress => VoteRun.RunAsync(request, parts, workspace, progress, cancel));
            return screen.Answer(vote, console => VoteRun.Draw(console, vote, output));
        }

        var report = await screen.ProgressAsync($"training {request.Name}", progress =>
            TrainingRun.RunAsync(request, workspace, new Fraction(progress), cancel));
        return screen.Answer(report, console => Print(console, report, output));
    }

    private static TrainingRequest Related(ParseResult parsed, TrainingRequest request)
    {
        var related = request with { Relations = parsed.GetValue(s_constraints) is { } file ? DeclaredRelations.Of(ConstraintsFile.Read(file)) : [], LearnRelations = !parsed.GetValue(s_unrelated) };
        FittedScreen.RequireSound(related);
        return related;
    }

    private static async Task<int> GrowAsync(ParseResult parsed, Screen screen, TrainingRequest request, Workspace? workspace, CancellationToken cancel)
    {
        if (s_robust.IsSet(parsed) && s_robust.Norm(parsed) != PerturbationNorm.Linf)
            throw new CommandException("Robust splits hold against the largest change of a value.", "leave out --attack-norm");
        var options = new TreeTrainingOptions { Trees = parsed.GetValue(s_trees), Depth = parsed.GetValue(s_depth), LearningRate = parsed.GetValue(s_rate) ?? 0.1 };
        double? epsilon = s_robust.IsSet(parsed) ? s_robust.Epsilon(parsed) : null;
        var report = await screen.ProgressAsync($"training {request.Name}", progress => TreeRun.RunAsync(request, options, epsilon, workspace, progress, cancel));
        return screen.Answer(report, console => TreeRun.Draw(console, report, request.Output));
    }

    private static async Task<int> SweepAsync(ParseResult parsed, Screen screen, TrainingRequest request, IReadOnlyList<double> weights, Workspace? workspace, CancellationToken cancel)
    {
        if (request.Options.Robust is null || request.Options.Private is not null)
            throw new CommandException("--frontier sweeps the adversarial weight of a robust run that is not private.", "add --robust; each private run would cost its own budget");
        var (prices, epsilon) = (s_robust.Prices(parsed), s_robust.Epsilon(parsed));
        var attack = prices is null
            ? new SuiteOptions { Norm = s_robust.Norm(parsed), Strengths = [epsilon] }
            : new SuiteOptions { Norm = PerturbationNorm.L2, Strengths = [Math.Sqrt(new FeatureEncoder(request.Test.Schema).EncodedWidth)], Budget = epsilon };
        var points = new List<FrontierSweep.Point>();
        foreach (var weight in weights)
        {
            points.Add(await screen.ProgressAsync($"{request.Name}, weight {weight}", progress =>
                FrontierSweep.RunAsync(request, weight, prices ?? TabularConstraints.None, attack, workspace, progress, cancel)));
        }

        return screen.Answer(new { points }, console => FrontierSweep.Draw(console, points, request.Output));
    }

    private static (Dataset Train, Dataset Test) Binned(Dataset train, Dataset test, int bins)
    {
        if (bins is < 2 or > Feature.MostBins)
            throw new CommandException($"--bins is {bins}; 2 to {Feature.MostBins}.");
        var schema = train.Schema.WithEqualBins(bins);
        return (train.WithSchema(schema), test.WithSchema(schema));
    }

    private static async Task<(Dataset Train, Dataset Test, IReadOnlyList<DataOrigin> From, IReadOnlyList<DataOrigin> TestFrom)> ReadAsync(ParseResult parsed, Workspace? workspace, CancellationToken cancel)
    {
        var data = parsed.GetRequiredValue(s_data);
        if (!data.Exists && !Directory.Exists(data.FullName))
            throw new CommandException($"There is no file {data.FullName}.");
        var paysForBounds = parsed.GetValue(s_private) && parsed.GetValue(s_bounds) is not null;
        var declared = parsed.GetValue(s_schema) is { } file ? await File.ReadAllTextAsync(file.FullName, cancel) : null;
        var schema = declared is null ? null : paysForBounds ? FeatureSchema.ParseWithoutBounds(declared) : FeatureSchema.Parse(declared);
        if (schema is null && paysForBounds)
            throw new CommandException("--bounds-epsilon pays for bounds only: which columns there are, of which kind and scaling, would still be read off private rows.", "declare the features with --schema FILE and leave out the bounds that shall be paid for");
        var columns = new SchemaOptions
        {
            Label = parsed.GetRequiredValue(s_label),
            Positive = parsed.GetRequiredValue(s_positive),
            Drop = [.. Names(parsed.GetValue(s_drop)), .. parsed.GetValue(s_split) is { } time ? [time] : Array.Empty<string>()],
            Mutable = Names(parsed.GetValue(s_mutable)),
            Features = schema?.Features ?? [],
            InferUndeclared = schema is null,
        };
        using var input = await ProtectedInput.OpenAsync(
            workspace, s_access.Read(parsed), [data.FullName, .. parsed.GetValue(s_test) is { } measured ? (string[])[measured.FullName] : []], cancel);
        var reading = input.Apply(new()
        {
            HasHeader = parsed.GetValue(s_columns) is null,
            ColumnNames = parsed.GetValue(s_columns) is { } named ? Names(named) : null,
            Comment = parsed.GetValue(s_comment),
        });
        var from = await input.BehindAsync(data.FullName, cancel);
        if (parsed.GetValue(s_test) is { } test)
        {
            var train = await DatasetFile.ReadAsync(data.FullName, reading, columns, cancel: cancel);
            input.Note(data.FullName, train.Commitment);
            return (train, await DatasetFile.ReadAsync(test.FullName, reading, columns, train.Schema, cancel: cancel), from, await input.BehindAsync(test.FullName, cancel));
        }

        if (parsed.GetValue(s_private) && parsed.GetValue(s_split) is not null)
            throw new CommandException("--split-by finds its cut in the rows themselves, and one more row could move many: a private run cannot promise anything then.", "split at a date that you choose into two files and give --test FILE, or use --test-fraction");
        var split = await DatasetFile.ReadAsync(data.FullName, reading, columns, new SplitRule(parsed.GetValue(s_fraction), parsed.GetValue(s_seed), parsed.GetValue(s_split)), cancel: cancel);
        input.Note(data.FullName, split.Train.Commitment);
        return (split.Train, split.Test, from, from);
    }

    private static TrainingOptions Options(ParseResult parsed, FeatureSchema schema) => new()
    {
        Additive = parsed.GetValue(s_model) == "ebm" ? new AdditiveOptions() : null,
        Hidden = parsed.GetValue(s_model) != "mlp" ? [] : [.. Names(parsed.GetValue(s_hidden)).Select(width => int.TryParse(width, out var value) ? value : throw new CommandException($"--hidden: '{width}' is no number.", "--hidden 64,32"))],
        Epochs = parsed.GetValue(s_epochs),
        BatchSize = parsed.GetValue(s_batch) ?? 256,
        LearningRate = parsed.GetValue(s_rate),
        PositiveWeight = parsed.GetValue(s_weight),
        Seed = (ulong)parsed.GetValue(s_seed),
        Private = parsed.GetValue(s_private) ? Clipping.Of(new PrivacyOptions { Epsilon = parsed.GetValue(s_epsilon), Delta = parsed.GetValue(s_delta), ObjectivePerturbation = parsed.GetValue(s_method) == "objective" }, parsed.GetValue(s_clipping)!) : null,
        Selection = parsed.GetValue(s_select) is { } mean ? new SelectionOptions { Mean = mean } : null,
        InputNoise = parsed.GetValue(s_noise),
        Members = parsed.GetValue(s_members),
        WeightAverage = parsed.GetValue(s_average),
        Robust = s_robust.Read(parsed, schema),
    };

    private static string[] Names(string? list) => (list ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static void Print(IAnsiConsole console, TrainingReport report, DirectoryInfo output)
    {
        var table = new Spectre.Console.Table().Border(TableBorder.Rounded).AddColumns("measure", "test rows");
        var evaluation = report.Evaluation;
        table.AddRow("accuracy", $"{evaluation.Accuracy:P2}").AddRow("AUC", $"{evaluation.Auc:f4}").AddRow("PR-AUC", $"{evaluation.PrAuc:f4}");
        foreach (var point in evaluation.RecallAtFpr)
            table.AddRow($"recall at {point.At:P1} false positives", $"{point.Value:P2}");
        console.Write(table);
        if (report.Privacy is { } privacy)
            console.MarkupLine($"private: epsilon {privacy.Epsilon:f4} at delta {privacy.Delta:g2} ({privacy.Adjacency}; {privacy.Unit})");
        if (report.ScreenRelations > 0)
            console.MarkupLine($"input screen: {report.ScreenRelations} relations between features{(report.ScreenRelationCheck is { } check ? $", {RelationTable.Said(check)}" : "")} (bulwark model screen shows them)");
        report.ScreenRefusals?.Draw(console);
        console.MarkupLine($"{Markup.Escape(report.Model)} {report.Shape}, {report.Steps} steps in {report.TrainingSeconds:f1} s");
        console.MarkupLine($"written: {Markup.Escape(output.FullName)}" + TrainedModel.Entry(report.LogIndex));
    }

    private sealed class Fraction(IProgress<double> progress) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => progress.Report(value.Fraction);
    }
}
