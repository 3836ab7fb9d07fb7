using System.Text.Json;

namespace Bulwark.Data;

/// <summary>Reads a policy and lists every fault with the path of its member; a member that is not known is one.</summary>
internal static class PolicyReader
{
    private const int Longest = 1 << 20;

    /// <exception cref="FormatException">The text is not a policy.</exception>
    internal static ProtectionPolicy Read(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > Longest)
            throw new FormatException($"The policy is longer than {Longest} characters.");
        using var document = Document(text);
        var faults = new List<string>();
        var policy = Policy(new Members(document.RootElement, "", faults));
        if (faults.Count == 0)
            faults.AddRange(policy.Faults());
        return faults.Count == 0 ? policy : throw new FormatException(
            $"The policy is not {ProtectionPolicy.FormatName}; it has {(faults.Count == 1 ? "a fault" : $"{faults.Count} faults")}: {string.Join(" ", faults)}");
    }

    private static JsonDocument Document(string text)
    {
        try
        {
            return JsonDocument.Parse(
                text.AsSpan().TrimStart() is ['{' or '[', ..] ? text : PolicyYaml.ToJson(text),
                new JsonDocumentOptions { AllowDuplicateProperties = false, AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip, MaxDepth = 16 });
        }
        catch (JsonException fault)
        {
            throw new FormatException($"The policy is not {ProtectionPolicy.FormatName}: {fault.Message}", fault);
        }
    }

    private static ProtectionPolicy Policy(Members root)
    {
        var policy = new ProtectionPolicy
        {
            Format = root.Text("format", required: true) ?? "",
            Dataset = root.Text("dataset", required: true) ?? "",
            Subject = root.Text("subject"),
            RowKey = root.Text("rowKey"),
            Otherwise = root.Choice<ProtectionAction>("otherwise"),
            Tags = root.Map("tags").ToDictionary(tag => tag.Name, tag => (IReadOnlyList<string>)tag.Texts(), StringComparer.Ordinal),
            Columns = root.Map("columns").ToDictionary(column => column.Name, column => Protection(column, copies: true), StringComparer.Ordinal),
            Rules = [.. root.List("rules").Select(Rule)],
        };
        root.Done();
        return policy;
    }

    private static ProtectionRule Rule(Members rule)
    {
        var (column, tag, content, confidence) = (rule.Text("column"), rule.Text("tag"), rule.Choice<SensitiveKind>("content"), rule.Number("confidence"));
        return new() { Column = column, Tag = tag, Content = content, Confidence = confidence, Protection = Protection(rule, copies: true) };
    }

    /// <summary>Reads the members of a protection and says which others there are.</summary>
    private static ColumnProtection Protection(Members members, bool copies)
    {
        var protection = new ColumnProtection
        {
            Action = members.Choice<ProtectionAction>("action", required: true) ?? ProtectionAction.Drop,
            Key = members.Text("key"),
            Alphabet = members.Text("alphabet"),
            JoinAs = members.Text("joinAs"),
            KeepFirst = members.Whole("keepFirst"),
            KeepLast = members.Whole("keepLast"),
            Bits = members.Whole("bits"),
            Days = members.Whole("days"),
            PerSubject = members.Flag("perSubject"),
            Copies = !copies ? [] : [.. members.List("copies").Select(copy => new ColumnCopy(copy.Text("as", required: true) ?? "", Protection(copy, copies: false)))],
        };
        members.Done();
        return protection;
    }
}
