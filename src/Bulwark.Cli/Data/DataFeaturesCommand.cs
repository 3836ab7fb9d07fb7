using System.CommandLine;
using Bulwark.Data;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli;

internal static class DataFeaturesCommand
{
    internal static Command Create()
    {
        var input = DataFiles.InputOrFolder("payments", "Payments: CSV, Parquet, protected Parquet or a folder of it, with columns time, customer_id, terminal_id, amount, is_fraud.");
        var output = DataFiles.Output("Where to write: .csv, .tsv or .parquet.");
        var delay = new Option<double>("--delay") { Description = "Days until fraud is known; younger labels are not looked at.", DefaultValueFactory = _ => 7, HelpName = "DAYS" };
        var table = new TableOptions();
        var access = new InputAccessOptions("features", withPurpose: false);
        var command = new Command("features", """
            Turns payments into 15 features, using at each row only what was known by then.

            Example: bulwark data features protected.parquet -o features.parquet
            """) { input, output, delay };
        table.AddTo(command);
        access.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var screen = new Screen(parsed);
            var path = DataFiles.Writable(parsed.GetRequiredValue(output), ".csv", ".tsv", ".parquet");
            var file = parsed.GetRequiredValue(input).FullName;
            using var opened = await ProtectedInput.OpenAsync(Workspace.Find(parsed), access.Read(parsed), [file], cancel);
            var options = new FraudFeatureOptions { LabelDelay = TimeSpan.FromDays(parsed.GetValue(delay)) };
            string[] needed = [options.Time, options.Customer, options.Terminal, options.Amount, options.Label];
            var payments = await screen.ProgressAsync("reading", progress => TableFile.ReadAsync(file, table.Read(parsed, opened) with { Columns = needed }, progress, cancel));
            var features = await screen.ProgressAsync("computing", _ => Task.Run(() => FraudFeatures.Compute(payments, options), cancel));
            await screen.ProgressAsync("writing", async progress =>
            {
                await TableFile.WriteAsync(features, path, progress, cancel);
                return true;
            });
            var read = DatasetCommitment.Of(payments, opened.Commitments, cancel: cancel).Root;
            var result = DatasetCommitment.Of(features, opened.Commitments, cancel: cancel).Root;
            opened.Note(file, read);
            var origin = await screen.ProgressAsync("committing", _ => opened.OriginAsync(file, table.Read(parsed, opened), cancel));
            var source = origin?.Root ?? read;
            var entry = await DataFiles.LogAsync(parsed, screen, opened.Ring, Statement.Of(Path.GetFileName(path), result, new DatasetCommitted
            {
                Step = "features",
                Rows = features.Rows,
                Columns = [.. features.Columns.Select(column => column.Name)],
                Sources = [source],
                SourceColumns = needed,
                Settings = DataOrigin.Settings(origin is null ? [] : [origin], ("delayDays", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{options.LabelDelay.TotalDays}"))),
            }), cancel);
            var answer = new { file = path, rows = features.Rows, features = FraudFeatures.Names, bytes = new FileInfo(path).Length, source, commitment = result, logIndex = entry };
            return screen.Answer(answer, console =>
            {
                console.MarkupLineInterpolated($"[green]{answer.rows:N0} rows of {answer.features.Count} features[/] in {answer.file} ({DataFiles.Size(answer.bytes)})");
                console.MarkupLineInterpolated($"commitment  {answer.commitment}");
            });
        });
        return command;
    }
}
