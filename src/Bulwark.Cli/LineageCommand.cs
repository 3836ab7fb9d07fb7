using System.CommandLine;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary>Where a model came from and where it went, as the log knows it.</summary>
internal static class LineageCommand
{
    private static readonly Argument<string> s_model = new("model") { Description = "A sealed package, its digest, or a model's name in the log." };

    internal static Command Create() => new("lineage", """
        From which data, by which run, with which privacy budget, to which deployments: what the log knows of a model.

        Example: bulwark lineage graph fraud.bulwark -o lineage.svg
        """)
    { Graph(), Export(), Prove() };

    private static Command Graph()
    {
        var output = new Option<FileInfo?>("--output", "-o") { Description = "Draw it as SVG.", HelpName = "FILE" };
        var command = new Command("graph", """
            A model's history as a tree, or with -o as a picture. Every fact names its entry in the log.

            Example: bulwark lineage graph fraud.bulwark -o lineage.svg
            """) { s_model, LineageSource.Log, output };
        command.SetAction(async (parsed, _) =>
        {
            var reader = await LineageSource.RequireAsync(parsed);
            var graph = LineageGraph.Of(reader, Find(reader, parsed.GetRequiredValue(s_model)).Statement.Subjects[0].Digest)!;
            if (parsed.GetValue(output) is { } file)
                AtomicFile.Write(file.FullName, Encoding.UTF8.GetBytes(LineagePicture.Draw(graph)));
            return new Screen(parsed).Answer(new { graph.Model, package = graph.Package, graph.Nodes, graph.Edges, file = parsed.GetValue(output)?.FullName }, console =>
            {
                Draw(console, graph);
                if (parsed.GetValue(output) is { } written)
                    console.MarkupLineInterpolated($"[green]drawn[/] in {written.FullName}");
            });
        });
        return command;
    }

    private static Command Export()
    {
        var format = new Option<string>("--format") { Description = "openlineage (2-0-2 run events), cyclonedx (1.6 ML-BOM) or slsa (the statement of the training run).", Required = true };
        format.AcceptOnlyFromAmong("openlineage", "cyclonedx", "slsa");
        var output = new Option<FileInfo?>("--output", "-o") { Description = "Where to; the default is stdout.", HelpName = "FILE" };
        var command = new Command("export", """
            The same facts in the words of others' tools.

            Example: bulwark lineage export fraud.bulwark --format cyclonedx -o bom.json
            """) { s_model, LineageSource.Log, format, output };
        command.SetAction(async (parsed, _) =>
        {
            var reader = await LineageSource.RequireAsync(parsed);
            var text = new LineageExport(reader, Find(reader, parsed.GetRequiredValue(s_model))).As(parsed.GetRequiredValue(format)).ToJsonString(Screen.JsonOptions);
            if (parsed.GetValue(output) is not { } file)
            {
                await parsed.InvocationConfiguration.Output.WriteLineAsync(text);
                return ExitCode.Yes;
            }

            AtomicFile.Write(file.FullName, Encoding.UTF8.GetBytes(text + "\n"));
            return new Screen(parsed).Answer(new { file = file.FullName, format = parsed.GetRequiredValue(format) }, console => console.MarkupLineInterpolated($"[green]{parsed.GetRequiredValue(format)}[/] in {file.FullName}"));
        });
        return command;
    }

    private static Command Prove()
    {
        var input = DataFiles.InputOrFolder("table", "The data set: CSV, Parquet, protected Parquet or a folder of it.");
        var group = new Option<int?>("--group") { Description = $"Which row group, from 0; each has {DatasetCommitment.BlockRows} rows.", HelpName = "N" };
        var row = new Option<long?>("--row") { Description = "The row group that holds this row, from 0.", HelpName = "N" };
        var output = DataFiles.Output("The proof; it holds the row group's rows in plain.");
        var table = new TableOptions();
        var access = new InputAccessOptions("prove");
        var command = new Command("prove", """
            One row group of a data set, with the proof that it is part of what the log committed to. Needs no other row to be verified: bulwark verify FILE.

            Example: bulwark lineage prove train.parquet --row 12345 -o rows.proof.json
            """) { input, group, row, output };
        table.AddTo(command);
        access.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var screen = new Screen(parsed);
            var which = (parsed.GetValue(group), parsed.GetValue(row)) switch
            {
                ({ } named, null) => named,
                (null, { } at) => checked((int)(at / DatasetCommitment.BlockRows)),
                _ => throw new CommandException("Which row group?", "--group N or --row N"),
            };
            var file = parsed.GetRequiredValue(input).FullName;
            using var opened = await ProtectedInput.OpenAsync(Workspace.Require(parsed), access.Read(parsed), [file], cancel);   // what blinded the commitment is in the workspace
            var data = await screen.ProgressAsync("reading", progress => TableFile.ReadAsync(file, table.Read(parsed, opened), progress, cancel));
            if (which < 0 || (long)which * DatasetCommitment.BlockRows >= data.Rows)
                throw new CommandException($"There is no row group {which}: the data set has {data.Rows} rows.");
            var proof = await screen.ProgressAsync("proving", _ => Task.Run(() => RowGroupProof.Of(data, which, opened.Commitments), cancel));
            var entry = await CommittedAsync(parsed, proof.Root, cancel);
            if (entry is var (envelope, place))
                proof = proof with { Statement = envelope, LogProof = place.Format() };
            var path = parsed.GetRequiredValue(output).FullName;
            AtomicFile.Write(path, proof.ToBytes());
            return screen.Answer(new { file = path, proof.Root, proof.Group, logEntry = entry?.Proof.Index }, console =>
            {
                console.MarkupLineInterpolated($"[green]Row group {which}[/] of {proof.Root} in {path}");
                console.MarkupLine(entry is null ? "[yellow]No commitment to this data set is in a log here: whoever verifies needs one.[/]" : $"committed to in entry {entry.Value.Proof.Index}");
            });
        });
        return command;
    }

    private static async Task<(byte[] Envelope, TlogProof Proof)?> CommittedAsync(ParseResult parsed, Digest root, CancellationToken cancel)
    {
        var reader = await LineageSource.RequireAsync(parsed);
        return reader.Find<DatasetCommitted>(root).FirstOrDefault(found => found.Statement.Subjects.Any(subject => subject.Digest == root)) is { } found
            ? (reader.Log.ReadEntry(found.Index).ToArray(), await reader.Log.ProofForAsync(found.Index, cancel)) : null;
    }

    /// <summary>The sealing of a package that the command line names by file, digest or name.</summary>
    internal static FoundClaim<ModelSealed> Find(LineageReader reader, string model)
    {
        Digest? digest = File.Exists(model) ? Digest.OfFile(model) : Digest.TryParse(model, out var named) ? named : null;
        var found = digest is { } known ? reader.Find<ModelSealed>(known).FirstOrDefault() : reader.All<ModelSealed>().LastOrDefault(seal => seal.Claim.Name == model || seal.Statement.Subjects[0].Name == model);
        return found ?? throw new CommandException($"No trusted statement in the log says that {model} was sealed.", "bulwark log search --type sealed-model");
    }

    private static void Draw(IAnsiConsole console, LineageGraph graph)
    {
        var tree = new Tree(new Markup($"[bold]{Printable.Escape(graph.Model)}[/]  {graph.Package}"));
        var package = graph.Nodes.First(node => node.Kind == LineageKind.Package);
        var before = tree.AddNode("[bold]made from[/]");
        foreach (var edge in graph.Edges.Where(edge => edge.To == package.Id))
            Add(before, graph, edge, back: true, []);
        var after = tree.AddNode("[bold]and then[/]");
        foreach (var edge in graph.Edges.Where(edge => edge.From == package.Id))
            Add(after, graph, edge, back: false, []);
        console.Write(tree);
    }

    private static void Add(TreeNode parent, LineageGraph graph, LineageEdge edge, bool back, HashSet<string> seen)
    {
        var node = graph.Nodes.First(one => one.Id == (back ? edge.From : edge.To));
        var drawn = parent.AddNode(new Markup($"[bold]{Printable.Escape(node.Title)}[/] [grey]({LineagePicture.Word(node.Kind)}{(node.Entry is { } entry ? $", entry {entry}" : ", not in the log")})[/]  {Printable.Escape(string.Join("; ", node.Details))}"));
        if (!seen.Add(node.Id))
            return;
        foreach (var next in graph.Edges.Where(one => back ? one.To == node.Id : one.From == node.Id))
            Add(drawn, graph, next, back, seen);
    }
}
