using System.Globalization;
using System.Text.Json.Nodes;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Cli;

/// <summary>The facts of the log in the words of others: OpenLineage run events, a CycloneDX bill of materials, the SLSA statement as it is.</summary>
/// <remarks>Sources: OpenLineage 2-0-2 (openlineage.io/spec), CycloneDX 1.6 (cyclonedx.org/docs/1.6/json), SLSA provenance v1.</remarks>
internal sealed class LineageExport(LineageReader reader, FoundClaim<ModelSealed> package)
{
    private const string Producer = "https://bulwark.dev/bulwark";
    private const string Namespace = "bulwark";

    private readonly FoundClaim<TrainingProvenance>? _run = package.Claim.Files
        .SelectMany(file => reader.Find<TrainingProvenance>(file.Digest).Where(found => found.Statement.Subjects.Any(subject => subject.Digest == file.Digest))).LastOrDefault();

    internal JsonNode As(string format) => format switch
    {
        "openlineage" => OpenLineage(),
        "cyclonedx" => CycloneDx(),
        _ => JsonNode.Parse(Run().Statement.ToBytes())!,
    };

    /// <summary>Two events: the run began, and the run was completed with what it read and wrote.</summary>
    private JsonArray OpenLineage()
    {
        var (run, claim) = (Run(), Run().Claim);
        JsonObject Event(string type, DateTimeOffset time) => new()
        {
            ["eventType"] = type,
            ["eventTime"] = time.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture),
            ["run"] = new JsonObject { ["runId"] = RunId(claim).ToString("D"), ["facets"] = RunFacets(claim) },
            ["job"] = new JsonObject { ["namespace"] = Namespace, ["name"] = $"train {package.Claim.Name}" },
            ["inputs"] = new JsonArray([.. claim.BuildDefinition.ResolvedDependencies.Where(input => input.Digest.ContainsKey("sha256")).Select(input => Dataset(NameOf(input), input.Digest["sha256"]))]),
            ["outputs"] = new JsonArray(Dataset(run.Statement.Subjects[0].Name, run.Statement.Subjects[0].Digest.ToHex()), Dataset(package.Statement.Subjects[0].Name, package.Statement.Subjects[0].Digest.ToHex())),
            ["producer"] = Producer,
            ["schemaURL"] = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        };
        return [Event("START", claim.RunDetails.Metadata.StartedOn), Event("COMPLETE", claim.RunDetails.Metadata.FinishedOn)];
    }

    private static JsonObject RunFacets(TrainingProvenance claim)
    {
        var facets = new JsonObject { ["bulwark_parameters"] = Facet("parameters", "parameters", JsonNode.Parse(claim.BuildDefinition.ExternalParameters.GetRawText())) };
        if (claim.RunDetails.Bulwark_privacy is { } privacy)
            facets["bulwark_privacy"] = Facet("privacy", "privacy", new JsonObject { ["epsilon"] = privacy.Epsilon, ["delta"] = privacy.Delta, ["adjacency"] = privacy.Adjacency });
        return facets;
    }

    private static JsonObject Facet(string schema, string name, JsonNode? value) => new()
    {
        ["_producer"] = Producer,
        ["_schemaURL"] = $"https://bulwark.dev/openlineage/{schema}/1-0-0.json",
        [name] = value,
    };

    private static JsonObject Dataset(string name, string digest) => new()
    {
        ["namespace"] = Namespace,
        ["name"] = name,
        ["facets"] = new JsonObject
        {
            ["version"] = new JsonObject
            {
                ["_producer"] = Producer,
                ["_schemaURL"] = "https://openlineage.io/spec/facets/1-0-1/DatasetVersionDatasetFacet.json",
                ["datasetVersion"] = "sha256:" + digest,
            },
        },
    };

    private JsonObject CycloneDx()
    {
        var seal = package.Claim;
        var data = DataOf(seal).ToArray();
        var digest = package.Statement.Subjects[0].Digest;
        return new JsonObject
        {
            ["bomFormat"] = "CycloneDX",
            ["specVersion"] = "1.6",
            ["serialNumber"] = $"urn:uuid:{Uuid(digest):D}",
            ["version"] = 1,
            ["metadata"] = new JsonObject
            {
                ["timestamp"] = (_run?.Claim.RunDetails.Metadata.FinishedOn ?? DateTimeOffset.UnixEpoch).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
                ["tools"] = new JsonObject { ["components"] = new JsonArray(new JsonObject { ["type"] = "application", ["name"] = "bulwark", ["version"] = _run?.Claim.RunDetails.Builder.Version.GetValueOrDefault("bulwark") ?? "0" }) },
                ["component"] = Model(seal, digest, data),
            },
            ["components"] = new JsonArray([.. data.Select(DataComponent), .. seal.Files.Select(FileComponent)]),
            ["dependencies"] = new JsonArray([new JsonObject { ["ref"] = "model", ["dependsOn"] = new JsonArray([.. data.Select(one => JsonValue.Create(one.Reference)), .. seal.Files.Select(file => JsonValue.Create($"file-{file.Name}"))]) }]),
        };
    }

    private JsonObject Model(ModelSealed seal, Digest digest, (string Reference, string Name, Digest Root)[] data)
    {
        var metrics = new JsonArray();
        foreach (var measured in seal.Files.SelectMany(file => reader.Find<ModelEvaluated>(file.Digest)).TakeLast(1))
        {
            foreach (var (name, value) in measured.Claim.Figures.OrderBy(figure => figure.Key, StringComparer.Ordinal))
                metrics.Add(new JsonObject { ["type"] = name, ["value"] = value.ToString("R", CultureInfo.InvariantCulture) });
        }

        return new JsonObject
        {
            ["type"] = "machine-learning-model",
            ["bom-ref"] = "model",
            ["name"] = seal.Name,
            ["version"] = seal.Version,
            ["hashes"] = Hashes(digest),
            ["modelCard"] = new JsonObject
            {
                ["modelParameters"] = new JsonObject
                {
                    ["approach"] = new JsonObject { ["type"] = "supervised" },
                    ["task"] = "classification",
                    ["modelArchitecture"] = Parameter("shape") ?? Parameter("kind") ?? "unknown",
                    ["datasets"] = new JsonArray([.. data.Select(one => new JsonObject { ["ref"] = one.Reference })]),
                },
                ["quantitativeAnalysis"] = new JsonObject { ["performanceMetrics"] = metrics },
            },
            ["properties"] = Properties(seal),
        };
    }

    private JsonArray Properties(ModelSealed seal)
    {
        var properties = new JsonArray();
        void Say(string name, object? value)
        {
            if (value is not null)
                properties.Add(new JsonObject { ["name"] = $"bulwark:{name}", ["value"] = Convert.ToString(value, CultureInfo.InvariantCulture) });
        }

        Say("epsilon", seal.Epsilon);
        Say("delta", seal.Delta);
        Say("adjacency", _run?.Claim.RunDetails.Bulwark_privacy?.Adjacency);
        Say("robustAccuracy", seal.RobustAccuracy);
        Say("signer", seal.Signer);
        Say("logEntry", package.Index);
        Say("codeCommit", _run?.Claim.BuildDefinition.ResolvedDependencies.FirstOrDefault(input => input.Name == TrainingProvenance.Code)?.Digest.GetValueOrDefault("gitCommit"));
        return properties;
    }

    private IEnumerable<(string Reference, string Name, Digest Root)> DataOf(ModelSealed seal)
    {
        if (_run is null)
            return seal.Dataset is { } only ? [("data-training", "training data", only)] : [];
        return _run.Claim.BuildDefinition.ResolvedDependencies.Where(input => input.Digest.ContainsKey("sha256"))
            .Select(input => ($"data-{input.Name.Split(' ')[0]}", NameOf(input), Digest.Parse("sha256:" + input.Digest["sha256"])));
    }

    private static JsonObject DataComponent((string Reference, string Name, Digest Root) data) => new()
    {
        ["type"] = "data",
        ["bom-ref"] = data.Reference,
        ["name"] = data.Name,
        ["hashes"] = Hashes(data.Root),
        ["data"] = new JsonArray(new JsonObject { ["type"] = "dataset", ["name"] = data.Name }),
    };

    private static JsonObject FileComponent(SealedFileFact file) => new() { ["type"] = "file", ["bom-ref"] = $"file-{file.Name}", ["name"] = file.Name, ["hashes"] = Hashes(file.Digest) };

    private static JsonArray Hashes(Digest digest) => [new JsonObject { ["alg"] = "SHA-256", ["content"] = digest.ToHex() }];

    /// <summary>The name that the log knows a data set by, else what it was to the run.</summary>
    private string NameOf(ResourceDescriptor input) =>
        reader.Find<DatasetCommitted>(Digest.Parse("sha256:" + input.Digest["sha256"])).FirstOrDefault()?.Statement.Subjects[0].Name ?? input.Name;

    private string? Parameter(string name) => _run?.Claim.BuildDefinition.ExternalParameters is { } parameters && parameters.TryGetProperty(name, out var value) ? value.ToString() : null;

    private FoundClaim<TrainingProvenance> Run() => _run ?? throw new CommandException($"The log knows no training run of {package.Claim.Name}: it was imported.", "--format cyclonedx");

    private static Guid RunId(TrainingProvenance claim) => Guid.TryParse(claim.RunDetails.Metadata.InvocationId, out var id) ? id : Uuid(Digest.Of(System.Text.Encoding.UTF8.GetBytes(claim.RunDetails.Metadata.InvocationId)));

    /// <summary>A name-based UUID (RFC 9562, version 8) of a digest: the same model gives the same.</summary>
    private static Guid Uuid(Digest digest)
    {
        var bytes = digest.Bytes[..16].ToArray();
        (bytes[6], bytes[8]) = ((byte)((bytes[6] & 0x0F) | 0x80), (byte)((bytes[8] & 0x3F) | 0x80));
        return new Guid(bytes, bigEndian: true);
    }
}
