using System.CommandLine;
using Bulwark.Policy;
using Spectre.Console;

namespace Bulwark.Cli.Serving;

/// <summary>Which of the known entities may do something.</summary>
internal static class PolicyWhoCanCommand
{
    internal static Command Create()
    {
        var file = new Argument<FileInfo>("policies") { Description = "A file of Cedar policies." }.AcceptExistingOnly();
        var entities = new Option<FileInfo>("--entities") { Description = "The entities, in Cedar's JSON form.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
        var action = new Option<string>("--action") { Description = "Such as Action::\"infer\".", Required = true, HelpName = "ENTITY" };
        var resource = new Option<string>("--resource") { Description = "Such as Model::\"fraud\".", Required = true, HelpName = "ENTITY" };
        var context = new Option<FileInfo>("--context") { Description = "The context, a JSON object; empty without.", HelpName = "FILE" }.AcceptExistingOnly();
        var type = new Option<string>("--type") { Description = "The type of the principals that are asked about.", DefaultValueFactory = _ => "Client", HelpName = "TYPE" };
        var command = new Command("who-can", "Lists the principals, of those in the entities' file, that may do an action on a resource. Exit 1 when none may. Example: bulwark policy who-can gateway.cedar --entities clients.json --action 'Action::\"infer\"' --resource 'Model::\"fraud\"'")
        {
            file, entities, action, resource, context, type,
        };
        command.SetAction(parsed =>
        {
            var policies = PolicySet.Parse(File.ReadAllText(parsed.GetRequiredValue(file).FullName));
            var store = EntityStore.Parse(File.ReadAllText(parsed.GetRequiredValue(entities).FullName));
            var facts = parsed.GetValue(context) is { } given ? CedarRecord.Parse(File.ReadAllText(given.FullName)) : CedarRecord.Empty;
            var (does, to) = (EntityUid.Parse(parsed.GetRequiredValue(action)), EntityUid.Parse(parsed.GetRequiredValue(resource)));
            var asked = store.Entities.Where(one => one.Uid.Type == parsed.GetValue(type)).Select(one => one.Uid).OrderBy(uid => uid.Id, StringComparer.Ordinal).ToList();
            if (asked.Count == 0)
                throw new CommandException($"The file holds no entity of the type {parsed.GetValue(type)}.", "name another with --type");
            var answers = asked.Select(who => (Who: who, Answer: policies.Authorize(new(who, does, to, facts), store))).ToList();
            var able = answers.Where(one => one.Answer.Decision == Decision.Allow && one.Answer.Errors.Count == 0).ToList();
            return new Screen(parsed).Answer(
                new { asked = asked.Count, able = able.Select(one => new { principal = one.Who.ToString(), by = one.Answer.Reasons }), errors = answers.SelectMany(one => one.Answer.Errors).Distinct() },
                console =>
                {
                    foreach (var (who, answer) in able)
                        console.MarkupLineInterpolated($"{who}  by {string.Join(", ", answer.Reasons)}");
                    console.MarkupLineInterpolated($"{able.Count} of {asked.Count} may.");
                }, able.Count > 0 ? ExitCode.Yes : ExitCode.No);
        });
        return command;
    }
}
