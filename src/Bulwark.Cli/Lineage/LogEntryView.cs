using System.Globalization;
using System.Text;
using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Cli;

/// <summary>One entry as people read it.</summary>
internal sealed record LogEntryView(long Index, string Claim, string Subjects, string Signed, bool Trusted, string? Time, JsonElement? Predicate)
{
    /// <summary>What is searched in: names and digests of subjects, and the predicate.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    internal string Text { get; private init; } = "";

    [System.Text.Json.Serialization.JsonIgnore]
    internal IReadOnlyList<Subject> About { get; private init; } = [];

    internal static LogEntryView Of(long index, ReadOnlyMemory<byte> entry, IReadOnlyCollection<VerificationKey> trusted) => Read(index, entry, trusted)
        ?? new LogEntryView(index, "(other bytes)", $"{entry.Length} bytes, {Digest.Of(entry.Span)}", "", false, null, null);

    /// <summary>A claim's short name: what it is called on the command line.</summary>
    internal static string NameOf(string predicateType) => predicateType == PredicateTypes.TrainingRun ? "training-run"
        : predicateType.StartsWith("https://bulwark.dev/", StringComparison.Ordinal) ? predicateType["https://bulwark.dev/".Length..].Split('/')[0] : predicateType;

    private static LogEntryView? Read(long index, ReadOnlyMemory<byte> entry, IReadOnlyCollection<VerificationKey> trusted)
    {
        var envelope = Dsse.Verify(entry, trusted);
        if (envelope.Verdict == DsseVerdict.Malformed || envelope.PayloadType != Statement.PayloadType)
            return null;
        try
        {
            var statement = Statement.Parse(envelope.Payload);
            var subjects = string.Join(", ", statement.Subjects.Take(4).Select(subject => $"{subject.Name} {subject.Digest.ToHex()[..12]}")) + (statement.Subjects.Count > 4 ? $" and {statement.Subjects.Count - 4} more" : "");
            return new LogEntryView(index, NameOf(statement.PredicateType), subjects, envelope.Verdict == DsseVerdict.Trusted ? "by a trusted key" : $"not trusted: {envelope.Verdict}",
                envelope.Verdict == DsseVerdict.Trusted, TimeOf(statement), statement.Predicate)
            {
                About = statement.Subjects,
                Text = string.Join(' ', statement.Subjects.Select(subject => $"{subject.Name} {subject.Digest}")) + " " + statement.Predicate.GetRawText(),
            };
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static string? TimeOf(Statement statement) =>
        statement.Predicate.TryGetProperty("time", out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()
        : Predicates.TryRead<TrainingProvenance>(statement)?.RunDetails.Metadata.FinishedOn.ToString("O", CultureInfo.InvariantCulture);
}

/// <summary>What is searched for; each part that is given must fit.</summary>
internal sealed record LogFilter(string? Type, string? Subject, string? Text, string? By, DateTimeOffset? Since, DateTimeOffset? Until)
{
    /// <summary>A quick look at the payload before the entry is read and its signature checked.</summary>
    internal bool MayMatch(ReadOnlyMemory<byte> entry) => Text is null && By is null
        || Dsse.Peek(entry) is var (_, payload) && Contains(Encoding.UTF8.GetString(payload));

    internal bool Matches(LogEntryView entry) =>
        (Type is null || string.Equals(entry.Claim, Type, StringComparison.OrdinalIgnoreCase) || string.Equals(entry.Claim.Replace("-", "", StringComparison.Ordinal), Type, StringComparison.OrdinalIgnoreCase))
        && (Subject is null || entry.About.Any(subject => subject.Name.Contains(Subject, StringComparison.OrdinalIgnoreCase)) || entry.Text.Contains(Subject, StringComparison.OrdinalIgnoreCase))
        && Contains(entry.Text)
        && ((Since is null && Until is null) || (DateTimeOffset.TryParse(entry.Time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && !(time < Since) && !(time >= Until)));

    private bool Contains(string text) => (Text is null || text.Contains(Text, StringComparison.OrdinalIgnoreCase)) && (By is null || text.Contains(By, StringComparison.Ordinal));
}
