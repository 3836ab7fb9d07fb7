using System.Globalization;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>Follows the digests from a package back to its data and forward to its deployments.</summary>
internal sealed class LineageGraphBuilder(LineageReader reader)
{
    private const int Deepest = 16;
    private readonly Dictionary<string, LineageNode> _nodes = new(StringComparer.Ordinal);
    private readonly HashSet<LineageEdge> _edges = [];

    internal LineageGraph? Build(Digest package)
    {
        if (reader.Find<ModelSealed>(package).FirstOrDefault(found => found.Statement.Subjects.Any(subject => subject.Digest == package)) is not { } sealing)
            return null;
        var seal = sealing.Claim;
        var id = Add(new($"package {package.ToHex()}", LineageKind.Package, $"{seal.Name} {seal.Version}", [
            sealing.Statement.Subjects[0].Name, Short(package), .. Figures(("accuracy", seal.Accuracy), ("robust accuracy", seal.RobustAccuracy), ("ε", seal.Epsilon))], sealing.Index));
        foreach (var file in seal.Files)
            Files(file.Digest, id);
        Attacks(package, id);
        foreach (var promotion in reader.Find<ModelPromoted>(package))
            Link(id, Add(new($"promotion {promotion.Index}", LineageKind.Promotion, promotion.Claim.Stage, [promotion.Claim.Promoted ? $"promoted {Day(promotion.Claim.Time)}" : "not promoted: " + string.Join(", ", promotion.Claim.Gates.Where(gate => !gate.Passed).Select(gate => gate.Name))], promotion.Index)), "promoted to");
        Deployments(package, id);
        return new LineageGraph($"{seal.Name} {seal.Version}", package, [.. _nodes.Values], [.. _edges]);
    }

    private void Files(Digest file, string package)
    {
        foreach (var run in reader.Find<TrainingProvenance>(file).Where(found => found.Statement.Subjects.Any(subject => subject.Digest == file)))
        {
            var (definition, details) = (run.Claim.BuildDefinition, run.Claim.RunDetails);
            var privacy = details.Bulwark_privacy is { } spent
                ? string.Create(CultureInfo.InvariantCulture, $"spent ε {spent.Epsilon:0.####}, δ {spent.Delta:0.##e0}") : "no differential privacy";
            var id = Add(new($"run {run.Index}", LineageKind.Training, $"training of {run.Statement.Subjects[0].Name}", [privacy, Day(details.Metadata.FinishedOn), .. Code(definition)], run.Index));
            Link(id, package, "sealed in");
            if (run.Claim.Dataset is { } data)
                Link(Data(data, 0), id, "trained on");
        }

        foreach (var measured in reader.Find<ModelEvaluated>(file).TakeLast(1))
        {
            var id = Add(new($"evaluation {measured.Index}", LineageKind.Evaluation, "evaluation", [.. measured.Claim.Figures.OrderBy(figure => figure.Key, StringComparer.Ordinal).Take(4).Select(figure => string.Create(CultureInfo.InvariantCulture, $"{figure.Key} {figure.Value:0.####}"))], measured.Index));
            Link(package, id, "measured");
            Link(Data(measured.Claim.Dataset, 0), id, "measured on");
        }

        Attacks(file, package);
    }

    private void Attacks(Digest model, string package)
    {
        foreach (var attack in reader.Find<ModelAttacked>(model).Where(found => found.Statement.Subjects.Any(subject => subject.Digest == model)).GroupBy(found => found.Claim.Attack).Select(group => group.Last()))
            Link(package, Add(new($"attack {attack.Index}", LineageKind.Attack, $"attack: {attack.Claim.Attack}", [Day(attack.Claim.Time)], attack.Index)), "attacked");
    }

    /// <summary>A data set, what it was made from, and how much of its privacy was spent by whom.</summary>
    private string Data(Digest root, int depth)
    {
        var id = $"data {root.ToHex()}";
        if (_nodes.ContainsKey(id))
            return id;
        // The same rows may have been committed to by several steps: made by one, learnt from by another.
        var all = reader.Find<DatasetCommitted>(root).Where(one => one.Statement.Subjects.Any(subject => subject.Digest == root)).ToArray();
        var found = all.FirstOrDefault();
        // Rows that came from outside are first known by their protection.
        var guarded = found is null ? reader.Find<DataProtected>(root).FirstOrDefault(one => one.Claim.Commitment == root) : null;
        var details = new List<string> { Short(root) };
        if ((found?.Claim.Rows ?? guarded?.Claim.Rows) is { } rows)
            details.Add(string.Create(CultureInfo.InvariantCulture, $"{rows:N0} rows"));
        details.AddRange(Spent(root));
        var known = found?.Statement ?? guarded?.Statement;
        Add(new(id, LineageKind.Data, known?.Subjects.FirstOrDefault(subject => subject.Digest == root)?.Name ?? "data set", details, found?.Index ?? guarded?.Index));
        foreach (var (claim, source) in depth < Deepest ? all.SelectMany(one => one.Claim.Sources.Where(source => source != root).Select(source => (one.Claim, source))) : [])
            Link(Source(source, claim.Settings.GetValueOrDefault(DatasetCommitted.ReadSetting), depth + 1), id, claim.Step);
        return id;
    }

    /// <summary>The source itself, or the protected version of it that was read; where no version is named, the first there is.</summary>
    private string Source(Digest root, string? read, int depth)
    {
        if (read == DatasetCommitted.ReadPlain
            || reader.Find<DataProtected>(root).FirstOrDefault(one => one.Claim.Commitment == root && (read is null || read.Split(", ").Contains(one.Claim.Dataset))) is not { } guarded)
            return Data(root, depth);
        var columns = guarded.Claim.Columns.Where(column => column.Action != "keep").ToArray();
        var id = Add(new($"protection {guarded.Index}", LineageKind.Protection, guarded.Statement.Subjects[^1].Name,
            [$"{columns.Length} of {guarded.Claim.Columns.Count} columns protected", .. columns.GroupBy(column => column.Action).Select(group => $"{group.Key}: {string.Join(", ", group.Select(column => column.Name))}")], guarded.Index));
        Link(Data(root, depth), id, "protected");
        return id;
    }

    private IEnumerable<string> Spent(Digest root)
    {
        var runs = reader.Find<TrainingProvenance>(root).Where(run => run.Claim.Dataset == root && run.Claim.RunDetails.Bulwark_privacy is not null).ToArray();
        if (runs.Length > 0)
            yield return string.Create(CultureInfo.InvariantCulture, $"private runs: {runs.Length}, ε {string.Join(" + ", runs.TakeLast(4).Select(run => $"{run.Claim.RunDetails.Bulwark_privacy!.Epsilon:0.##}"))}");
    }

    private void Deployments(Digest package, string id)
    {
        foreach (var group in reader.Find<KeyReleased>(package).Where(found => found.Claim.Model == package).GroupBy(found => (found.Claim.Verdict, found.Claim.Kind, found.Claim.Measurement, found.Claim.Insecure)))
        {
            var last = group.Last();
            var ((verdict, kind, measurement, insecure), count) = (group.Key, group.Count());
            Link(id, Add(new($"deployment {last.Index}", LineageKind.Deployment, verdict == "released" ? "worker with the key" : "worker without the key", [
                $"{kind} evidence{(insecure ? ", INSECURE" : "")}", measurement is { } code ? $"runs {(code.Length > 19 ? code[..19] + "…" : code)}" : "runs unknown code",
                $"{count} time{(count == 1 ? "" : "s")}, last {Day(last.Claim.Time)}", .. verdict == "released" ? Array.Empty<string>() : [$"refused: {last.Claim.Reason}"]], last.Index)), verdict == "released" ? "served by" : "refused to");
        }
    }

    private string Add(LineageNode node)
    {
        _nodes.TryAdd(node.Id, node);
        return node.Id;
    }

    private void Link(string from, string to, string label) => _edges.Add(new(from, to, label));

    private static IEnumerable<string> Code(BuildDefinition definition) =>
        definition.ResolvedDependencies.Where(input => input.Name == TrainingProvenance.Code && input.Digest.ContainsKey("gitCommit")).Select(input => $"code {input.Digest["gitCommit"][..12]}");

    private static IEnumerable<string> Figures(params (string Name, double? Value)[] figures) =>
        figures.Where(figure => figure.Value is not null).Select(figure => string.Create(CultureInfo.InvariantCulture, $"{figure.Name} {figure.Value:0.####}"));

    private static string Short(Digest digest) => "sha256:" + digest.ToHex()[..12] + "…";

    private static string Day(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}
