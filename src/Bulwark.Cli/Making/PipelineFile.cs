using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Bulwark.Cli.Making;

/// <summary>A making line in one declarative file: which data, which features, which variants to train, how hard to attack them, which to seal.</summary>
/// <remarks>Read strictly: an unknown or repeated member is an error with its line.</remarks>
internal sealed class PipelineFile
{
    public string Name { get; set; } = "";
    public PipelineData Data { get; set; } = new();
    public string Label { get; set; } = "";
    public List<string> Positive { get; set; } = [];
    public List<string> Drop { get; set; } = [];
    public List<PipelineFeature> Features { get; set; } = [];
    public PipelineAttack Attack { get; set; } = new();
    public List<PipelineVariant> Variants { get; set; } = [];
    public string? Seal { get; set; }
    public int Seed { get; set; } = 1;

    /// <summary>About how many rows are positive, known beforehand; see the training options.</summary>
    public double? BaseRate { get; set; }

    /// <exception cref="CommandException">The file is not a pipeline; the message names the line or lists every fault.</exception>
    internal static PipelineFile Load(FileInfo file)
    {
        if (!file.Exists)
            throw new CommandException($"There is no pipeline file {file.FullName}.", "see samples/adult.yaml for one");
        var text = File.ReadAllText(file.FullName);
        try
        {
            RequireValues(file, text);
            var pipeline = new DeserializerBuilder()
                .WithNamingConvention(CamelCaseNamingConvention.Instance)
                .WithDuplicateKeyChecking()
                .Build()
                .Deserialize<PipelineFile>(text) ?? new PipelineFile();
            var faults = pipeline.Faults().ToArray();
            return faults.Length == 0 ? pipeline : throw new CommandException($"{file.Name} has {faults.Length} fault{(faults.Length == 1 ? "" : "s")}:\n  {string.Join("\n  ", faults)}");
        }
        catch (YamlException failure)
        {
            throw new CommandException($"{file.Name}, line {failure.Start.Line}: {Said(text, failure)}");
        }
    }

    /// <summary>A member without a value says nothing certain: "private:" alone must not train without privacy.</summary>
    private static void RequireValues(FileInfo file, string text)
    {
        var parser = new Parser(new StringReader(text));
        while (parser.MoveNext())
        {
            if (parser.Current is Scalar { Style: ScalarStyle.Plain, Value: "" or "~" or "null" or "Null" or "NULL", Start: var start })
                throw new CommandException($"{file.Name}, line {start.Line}: a value is missing.", "give one, leave the member out, or write \"\" for an empty text");
        }
    }

    /// <summary>What is wrong, with the member whose value it is: the last one before the place.</summary>
    private static string Said(string text, YamlException failure)
    {
        var said = Plain(failure.InnerException?.Message ?? failure.Message);
        var lines = text.Split('\n');
        if (failure.Start.Line < 1 || failure.Start.Line > lines.Length || said.StartsWith("there is no member", StringComparison.Ordinal))
            return said;
        var line = lines[(int)failure.Start.Line - 1];
        var members = System.Text.RegularExpressions.Regex.Matches(line[..(int)Math.Min(line.Length, Math.Max(0, failure.Start.Column - 1))], "([A-Za-z][A-Za-z0-9]*)\\s*:");
        return members.Count == 0 ? said : $"{members[^1].Groups[1].Value}: {said}";
    }

    /// <summary>The reader's sentence without its types.</summary>
    private static string Plain(string message) => message.IndexOf(" not found on type ", StringComparison.Ordinal) is > 0 and var at
        ? $"there is no member {message[..at].Replace("Property ", "", StringComparison.Ordinal)} here; docs/pipelines.md lists them." : message;

    /// <summary>Every fault, so that one edit mends them all.</summary>
    internal IEnumerable<string> Faults()
    {
        if (!IsName(Name))
            yield return "name: give the pipeline a name of letters, digits and hyphens.";
        if (Data.Train.Length == 0)
            yield return "data.train: name the file to train on.";
        if (Data.Test is null && !(Data.TestFraction is > 0 and < 1))
            yield return "data.testFraction: above 0 and below 1.";
        if (Data.Comment is { Length: not 1 } || Data.Delimiter is { Length: not 1 })
            yield return "data.comment, data.delimiter: one character each.";
        if (Label.Length == 0)
            yield return "label: name the column to predict.";
        if (Positive.Count == 0)
            yield return "positive: list the label values that count as positive.";
        foreach (var repeated in Features.GroupBy(feature => feature.Name).Where(group => group.Count() > 1))
            yield return $"features: the name {repeated.Key} is given twice.";
        foreach (var fault in VariantFaults())
            yield return fault;
        if (Seal is not null && Variants.All(variant => variant.Name != Seal))
            yield return $"seal: there is no variant {Seal}.";
        if (BaseRate is not null and not (> 0 and < 1))
            yield return "baseRate: between 0 and 1.";
        if (!(Attack.Epsilon is > 0 and <= 1))
            yield return "attack.epsilon: a share of the scaled range, above 0 and at most 1.";
        if (Attack.Strengths.Count == 0 || Attack.Strengths.Any(strength => strength is not (>= 0 and <= 1)))
            yield return "attack.strengths: each is a share of the scaled range, from 0 to 1.";
        if (Attack.Shadows != 0 && (Attack.Shadows < 4 || Attack.Shadows % 2 != 0))
            yield return $"attack.shadows is {Attack.Shadows}; an even number from 4, or 0 for none.";
        if (Attack.Samples < 1)
            yield return "attack.samples: at least 1.";
        if (Attack.FalsePositiveRate is not null and not (> 0 and < 1))
            yield return "attack.falsePositiveRate: between 0 and 1.";
    }

    private IEnumerable<string> VariantFaults()
    {
        if (Variants.Count == 0)
            yield return "variants: list at least one model to train.";
        foreach (var variant in Variants.Where(variant => !IsName(variant.Name)))
            yield return $"variants: '{variant.Name}' is no name of letters, digits and hyphens; it becomes a folder's.";
        foreach (var repeated in Variants.GroupBy(variant => variant.Name).Where(group => group.Count() > 1))
            yield return $"variants: the name {repeated.Key} is given twice.";
        foreach (var variant in Variants.Where(variant => variant.Model is not ("mlp" or "lr" or "ebm")))
            yield return $"variants: {variant.Name} asks for model {variant.Model}; there are mlp, lr and ebm.";
        foreach (var variant in Variants.Where(variant => variant.Private?.Select is not null and not (> 1 and <= 1000)))
            yield return $"variants: {variant.Name}: private.select is the expected number of runs, above 1 and at most 1000.";
        foreach (var variant in Variants.Where(variant => variant is { Model: "ebm", Robust: true }))
            yield return $"variants: {variant.Name} is an additive model, which has no adversarial training.";
        foreach (var variant in Variants.Where(variant => variant.Private is { } budget && !Clipping.Names.Contains(budget.Clipping)))
            yield return $"variants: {variant.Name} asks for clipping {variant.Private!.Clipping}; there are {string.Join(", ", Clipping.Names)}.";
        foreach (var variant in Variants.Where(variant => variant.Bins is not null and not (>= 2 and <= Bulwark.Models.Feature.MostBins)))
            yield return $"variants: {variant.Name} asks for {variant.Bins} bins; 2 to {Bulwark.Models.Feature.MostBins}.";
        foreach (var variant in Variants.Where(variant => variant.Bins is not null && variant.Robust))
            yield return $"variants: {variant.Name} is binned and robust; an attack moves values, and bins have none.";
        foreach (var variant in Variants.Where(variant => variant.Private is not null and not { Epsilon: > 0 and < double.PositiveInfinity, Delta: > 0 and < 1 }))
            yield return $"variants: {variant.Name} needs epsilon above 0 and delta between 0 and 1.";
    }

    private static bool IsName(string name) => name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}

/// <summary>Where the rows are and how the files are written.</summary>
internal sealed class PipelineData
{
    public string Train { get; set; } = "";
    public string? Test { get; set; }

    /// <summary>Rows like the training rows that no variant sees: membership inference compares with them. Else with the test rows.</summary>
    public string? Holdout { get; set; }
    public double TestFraction { get; set; } = 0.2;
    public string? SplitBy { get; set; }
    public bool Header { get; set; } = true;
    public List<string> Columns { get; set; } = [];
    public List<string> Missing { get; set; } = ["", "?", "NA"];
    public string? Comment { get; set; }
    public string? Delimiter { get; set; }
}

/// <summary>One declared feature; see the feature schema.</summary>
internal sealed class PipelineFeature
{
    public string Name { get; set; } = "";
    public string Kind { get; set; } = "numeric";
    public double? Minimum { get; set; }
    public double? Maximum { get; set; }
    public string? Scaling { get; set; }
    public List<string> Categories { get; set; } = [];

    /// <summary>Inner edges of public bins; see the feature schema.</summary>
    public List<double> Bins { get; set; } = [];
    public bool Mutable { get; set; }

    /// <summary>True when a value may be missing, in training and in requests; else a request without it is refused.</summary>
    public bool Missing { get; set; }
}

/// <summary>The attacker that the robust variants train against and that every variant is measured with.</summary>
internal sealed class PipelineAttack
{
    public double Epsilon { get; set; } = 0.05;
    public List<double> Strengths { get; set; } = [0.01, 0.02, 0.05, 0.1];
    public int Samples { get; set; } = 1000;

    /// <summary>Shadow models of the membership attack; even, from 4; 0 for losses and labels alone.</summary>
    public int Shadows { get; set; } = 8;

    /// <summary>Alarms are raised from the score at which this share of honest test rows is alarmed; null for a threshold of one half.</summary>
    public double? FalsePositiveRate { get; set; }
}

/// <summary>One model to train.</summary>
internal sealed class PipelineVariant
{
    public string Name { get; set; } = "";
    public string Model { get; set; } = "mlp";
    public List<int> Hidden { get; set; } = [64, 32];
    public int? Epochs { get; set; }
    public int? BatchSize { get; set; }
    public double? LearningRate { get; set; }
    public double? PositiveWeight { get; set; }

    /// <summary>So many public bins of equal width for every number; such a variant has no value that a gradient attack could move.</summary>
    public int? Bins { get; set; }
    public PipelinePrivacy? Private { get; set; }
    public bool Robust { get; set; }

    /// <summary>The features as this variant sees them.</summary>
    internal Bulwark.Models.FeatureSchema Schema(Bulwark.Models.FeatureSchema declared) => (Bins ?? (Model == "ebm" ? DefaultBins : null)) is { } bins ? declared.WithEqualBins(bins) : declared;

    /// <summary>Bins of an additive model for which nobody declared any.</summary>
    internal const int DefaultBins = 16;
}

/// <summary>The privacy that one variant may spend.</summary>
internal sealed class PipelinePrivacy
{
    public double Epsilon { get; set; } = 1;
    public double Delta { get; set; } = 1e-5;

    /// <summary>Expected number of runs of a private choice of hyper-parameters; null for one run.</summary>
    public double? Select { get; set; }

    /// <summary>How gradients are shortened: flat, per-layer, automatic or adaptive.</summary>
    public string Clipping { get; set; } = "flat";
}
