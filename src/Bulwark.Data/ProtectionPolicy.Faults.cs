using System.IO.Enumeration;
using Bulwark.Cryptography;

namespace Bulwark.Data;

public sealed partial record ProtectionPolicy
{
    /// <summary>Every fault, so that one edit mends them all; empty when the policy is sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Format != FormatName)
            yield return $"format is '{Format}'; this version reads {FormatName}.";
        if (!IsName(Dataset))
            yield return $"dataset '{Dataset}' is no name: 1 to 64 of letters, digits, '.', '_', '-' and '/', beginning with a letter or digit.";
        if (Otherwise is not (null or ProtectionAction.Keep or ProtectionAction.Drop))
            yield return "otherwise may be keep or drop; name the columns to protect.";
        if (RowKey is not null && Columns.TryGetValue(RowKey, out var key) && key.Action != ProtectionAction.Keep)
            yield return $"rowKey '{RowKey}' is a column that must be kept: values are opened by it.";
        foreach (var (column, protection) in Columns)
        {
            foreach (var fault in Faults(protection, $"column '{column}'"))
                yield return fault;
        }

        foreach (var fault in Rules.SelectMany((rule, i) => Faults(rule, $"rules[{i}]")))
            yield return fault;
    }

    private IEnumerable<string> Faults(ProtectionRule rule, string place)
    {
        if ((rule.Column is null ? 0 : 1) + (rule.Tag is null ? 0 : 1) + (rule.Content is null ? 0 : 1) != 1)
            yield return $"{place}: say one of column, tag and content.";
        if (rule.Tag is not null && !Tags.ContainsKey(rule.Tag))
            yield return $"{place}: tag '{rule.Tag}' is not declared under tags.";
        if (rule.Confidence is not null && rule.Content is null)
            yield return $"{place}: confidence goes with content.";
        if (rule.Confidence is not (null or (>= 0 and <= 1)))
            yield return $"{place}: confidence is from 0 to 1.";
        foreach (var fault in Faults(rule.Protection, place))
            yield return fault;
    }

    private IEnumerable<string> Faults(ColumnProtection protection, string place)
    {
        foreach (var fault in MemberFaults(protection, place))
            yield return fault;
        foreach (var copy in protection.Copies)
        {
            if (copy.As.Length == 0)
                yield return $"{place}: a copy needs a name.";
            if (copy.Protection.Action is ProtectionAction.Drop or ProtectionAction.Keep or ProtectionAction.Encrypt)
                yield return $"{place}: the copy '{copy.As}' must replace values; drop, keep and encrypt do not.";
            foreach (var fault in MemberFaults(copy.Protection, $"{place}, copy '{copy.As}'"))
                yield return fault;
        }
    }

    private IEnumerable<string> MemberFaults(ColumnProtection protection, string place)
    {
        var action = protection.Action;
        string? Only(bool given, string member, bool taken) => given && !taken ? $"{place}: {Word(action)} takes no {member}." : null;
        string?[] misplaced =
        [
            Only(protection.Key is not null, "key", protection.NeedsKey),
            Only(protection.Alphabet is not null, "alphabet", action == ProtectionAction.Tokenise),
            Only(protection.JoinAs is not null, "joinAs", action is ProtectionAction.Tokenise or ProtectionAction.Hash or ProtectionAction.EncryptJoinable or ProtectionAction.Beacon),
            Only(protection.KeepFirst is not null, "keepFirst", action == ProtectionAction.Truncate),
            Only(protection.KeepLast is not null, "keepLast", action == ProtectionAction.Truncate),
            Only(protection.Bits is not null, "bits", action == ProtectionAction.Beacon),
            Only(protection.Days is not null, "days", action == ProtectionAction.ShiftDate),
            Only(protection.PerSubject, "perSubject", action is ProtectionAction.EncryptValue or ProtectionAction.ShiftDate),
        ];
        foreach (var fault in misplaced.OfType<string>())
            yield return fault;
        foreach (var fault in KeyFaults(protection, place))
            yield return fault;
        if (protection.JoinAs is not null && !IsName(protection.JoinAs))
            yield return $"{place}: joinAs '{protection.JoinAs}' is no name.";
        if (action == ProtectionAction.Tokenise && protection.Alphabet is { } alphabet && (alphabet.Length < 2 || alphabet.Distinct().Count() != alphabet.Length))
            yield return $"{place}: an alphabet has two characters or more, each once.";
        if (action == ProtectionAction.Beacon && protection.Bits is not (>= 1 and <= KeyedHash.MostBeaconBits))
            yield return $"{place}: a beacon needs bits, 1 to {KeyedHash.MostBeaconBits}.";
        if (protection.Days is not (null or (>= 1 and <= 3650)))
            yield return $"{place}: days is from 1 to 3650.";
        if (protection.KeepFirst is < 0 || protection.KeepLast is < 0)
            yield return $"{place}: keepFirst and keepLast are 0 or more.";
        if ((protection.PerSubject || action == ProtectionAction.ShiftDate) && Subject is null)
            yield return $"{place}: name the subject column of the dataset (subject: …) first.";
    }

    private static IEnumerable<string> KeyFaults(ColumnProtection protection, string place)
    {
        if (protection.Key is null)
            yield break;
        if (!KeyUri.TryParse(protection.Key, out var key))
            yield return $"{place}: key '{protection.Key}' is no key name.";
        else if (key!.Query.Length > 0)
            yield return $"{place}: key '{key.Key}' says how to reach its store (?…); a policy may name keys only, and this machine says how.";
        else if (key!.Path.StartsWith("subjects/", StringComparison.Ordinal))
            yield return $"{place}: keys under subjects/ are the data subjects' own; name another.";
        else if (protection.Action == ProtectionAction.Encrypt && key!.Version is not null)
            yield return $"{place}: key '{protection.Key}' names a version; a column is encrypted under the newest.";
        else if (protection.Action != ProtectionAction.Encrypt && key!.Scheme != KeyUri.FileScheme)
            yield return $"{place}: values are replaced by keys of the key ring; '{key.Scheme}:' keys can only encrypt whole columns.";
    }

    internal static string Word(ProtectionAction action) => char.ToLowerInvariant(action.ToString()[0]) + action.ToString()[1..];

    private static bool Matches(string pattern, string name) => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: true);

    private static bool IsName(string name) =>
        name.Length is >= 1 and <= 64 && char.IsAsciiLetterOrDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '/');
}
