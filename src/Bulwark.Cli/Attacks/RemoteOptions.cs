using System.CommandLine;
using Bulwark.Models;
using Bulwark.Training;

namespace Bulwark.Cli.Attacks;

/// <summary>Options of attacks that need answers only: an endpoint in place of a model, and what its rows hold.</summary>
internal sealed class RemoteOptions
{
    private readonly Option<string?> _endpoint = new("--endpoint") { Description = "In place of --model: an Open Inference Protocol v2 model, for example https://host/v2/models/fraud. Its questions are paid from --query-budget; a bearer token comes from BULWARK_TOKEN.", HelpName = "URL" };
    private readonly Option<long> _budget = new("--query-budget") { Description = "Questions that the whole run may ask an endpoint.", DefaultValueFactory = _ => 100_000 };
    private readonly Option<FileInfo?> _schema = new("--schema") { Description = "Feature schema of an endpoint or of a model that has none (JSON).", HelpName = "FILE" };

    internal void AddTo(Command command)
    {
        command.Options.Add(_endpoint);
        command.Options.Add(_budget);
        command.Options.Add(_schema);
    }

    /// <summary>The model and labelled rows for it.</summary>
    internal async Task<(AttackedModel Model, FileInfo File, Dataset Data)> ReadAsync(ParseResult parsed, AttackOptions common, Option<FileInfo?> data, CancellationToken cancel)
    {
        var file = parsed.GetValue(data) is { Exists: true } named ? named : throw new CommandException("There are no rows to attack with.", "name a file: --data FILE");
        var model = await OpenAsync(parsed, common, cancel);
        try
        {
            return (model, file, await AttackData.ReadAsync(file, model, common.Columns(parsed), null, cancel));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private async Task<AttackedModel> OpenAsync(ParseResult parsed, AttackOptions common, CancellationToken cancel)
    {
        var schema = parsed.GetValue(_schema) is { } file ? FeatureSchema.Parse(await File.ReadAllTextAsync(file.FullName, cancel)) : null;
        var (local, endpoint) = (parsed.GetValue(common.Model), parsed.GetValue(_endpoint));
        if (local is null == endpoint is null)
            throw new CommandException("Name one model.", "--model DIR|FILE.onnx|FILE.bulwark, or --endpoint URL --schema FILE");
        if (local is not null)
            return await AttackedModel.OpenAsync(local, Workspace.Find(parsed), schema, cancel);
        return schema is null
            ? throw new CommandException("An endpoint does not say what its rows hold.", "name its feature schema: --schema FILE")
            : AttackedModel.Remote(new Uri(endpoint!), schema, parsed.GetValue(_budget), Environment.GetEnvironmentVariable("BULWARK_TOKEN"));
    }
}
