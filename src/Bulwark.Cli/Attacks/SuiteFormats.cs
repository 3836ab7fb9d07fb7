using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Xml;

namespace Bulwark.Cli.Attacks;

/// <summary>A suite's answer for other tools: SARIF for code scanning, JUnit for build servers.</summary>
internal static class SuiteFormats
{
    internal static readonly IReadOnlyDictionary<string, string> Rules = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["F1"] = "Distance 0 must change nothing",
        ["F2"] = "More room must not help the defender",
        ["F3"] = "More effort must find nothing new",
        ["F4"] = "Gradients must not vanish",
        ["F5"] = "Attacks must climb logits, not probabilities",
        ["F6"] = "The same row must get the same answer",
        ["F7"] = "The model must not optimise while it answers",
        ["F8"] = "Questions must not beat gradients",
        ["F9"] = "Transfer must not beat gradients",
        ["F10"] = "Random points must not beat attacks",
        ["F11"] = "Attacks must not fail by themselves",
        ["F12"] = "The model must not be in training mode",
        ["F13"] = "Preprocessing must be the same inside and outside",
        ["F14"] = "Robustness must exceed that of features which cannot move",
        ["gate"] = "Rows that hold must be as many as asked",
    };

    /// <summary>SARIF 2.1.0 (OASIS): one run, one result a flag, one for a gate that failed.</summary>
    internal static string Sarif(SuiteAnswer answer)
    {
        var results = answer.Report.Flags.Select(flag => Result(flag.Id, "warning", flag.Finding, answer)).ToList();
        if (answer.Gate is { Passed: false, Why: { } why })
            results.Add(Result("gate", "error", why, answer));
        return JsonSerializer.Serialize(
            new Dictionary<string, object>
            {
                ["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json",
                ["version"] = "2.1.0",
                ["runs"] = new object[]
                {
                    new
                    {
                        tool = new { driver = new { name = "Bulwark attack suite", rules = Rules.Select(rule => new { id = rule.Key, shortDescription = new { text = rule.Value } }) } },
                        results,
                    },
                },
            },
            Screen.JsonOptions);
    }

    /// <summary>One test case a flag that can be raised and one for the gate.</summary>
    internal static string JUnit(SuiteAnswer answer)
    {
        var (text, failures) = (new StringBuilder(), answer.Report.Flags.GroupBy(flag => flag.Id).ToDictionary(group => group.Key, group => string.Join(" ", group.Select(flag => flag.Finding))));
        if (answer.Gate is { Passed: false, Why: { } why })
            failures["gate"] = why;
        using (var xml = XmlWriter.Create(text, new XmlWriterSettings { Indent = true, OmitXmlDeclaration = true }))
        {
            xml.WriteStartElement("testsuite");
            xml.WriteAttributeString("name", "bulwark attack suite");
            xml.WriteAttributeString("tests", Rules.Count.ToString(CultureInfo.InvariantCulture));
            xml.WriteAttributeString("failures", failures.Count.ToString(CultureInfo.InvariantCulture));
            foreach (var (id, rule) in Rules)
            {
                xml.WriteStartElement("testcase");
                xml.WriteAttributeString("classname", answer.Model);
                xml.WriteAttributeString("name", $"{id}: {rule}");
                if (failures.TryGetValue(id, out var finding))
                {
                    xml.WriteStartElement("failure");
                    xml.WriteAttributeString("message", finding);
                    xml.WriteEndElement();
                }
                else if (id == "gate" ? answer.Gate is null : !answer.Report.Options.Checks)
                {
                    xml.WriteStartElement("skipped");
                    xml.WriteEndElement();
                }

                xml.WriteEndElement();
            }

            xml.WriteEndElement();
        }

        return text.ToString();
    }

    private static object Result(string rule, string level, string text, SuiteAnswer answer) => new
    {
        ruleId = rule,
        level,
        message = new { text },
        locations = new[] { new { physicalLocation = new { artifactLocation = new { uri = Uri.EscapeDataString(answer.Model) } } } },
    };
}
