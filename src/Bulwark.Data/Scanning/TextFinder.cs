using System.Text.RegularExpressions;

namespace Bulwark.Data;

/// <summary>One stretch of a text that is personal or payment data.</summary>
/// <param name="Start">Its first character.</param>
/// <param name="Length">How many.</param>
/// <param name="Kind">What it is.</param>
internal readonly record struct TextFinding(int Start, int Length, SensitiveKind Kind)
{
    internal int End => Start + Length;
}

/// <summary>Finds personal and payment data inside free text: candidates by form, then the same rules that columns are judged by.</summary>
/// <remarks>Every search looks a bounded way ahead of each place, so that time is proportional to the text's length.</remarks>
internal static partial class TextFinder
{
    /// <summary>What was found, in order, none overlapping another; where two overlap, the surer kind stays.</summary>
    internal static List<TextFinding> Find(string text)
    {
        var found = new List<TextFinding>();
        AddEmails(text, found);
        AddCards(text, found);
        foreach (var (pattern, kind, holds) in Patterns())
        {
            for (var match = pattern.Match(text); match.Success; match = pattern.Match(text, match.Length == 0 ? match.Index + 1 : match.Index + (holds(match) ? match.Length : 1)))
            {
                var part = match.Groups["value"] is { Success: true } value ? value : match;
                if (holds(match))
                    found.Add(new(part.Index, part.Length, kind));
                if (match.Index + 1 >= text.Length)
                    break;
            }
        }

        return Disjoint(found);
    }

    private static IEnumerable<(Regex Pattern, SensitiveKind Kind, Func<Match, bool> Holds)> Patterns()
    {
        yield return (PrivateKey(), SensitiveKind.Credential, static _ => true);
        yield return (Word(), SensitiveKind.Credential, static match => SecretRule.Is(match.ValueSpan));
        yield return (LabelledSecret(), SensitiveKind.Credential, static _ => true);
        yield return (Iban(), SensitiveKind.BankAccount, static match => ContentRule.IsIban(match.ValueSpan));
        yield return (Ssn(), SensitiveKind.SocialSecurityNumber, static match => ContentRule.IsSsn(match.ValueSpan));
        yield return (NationalId(), SensitiveKind.NationalId, static match => NationalIdRule.Is(match.ValueSpan));
        yield return (Ip(), SensitiveKind.IpAddress, static match => CodeRule.IsIp(match.ValueSpan));
        yield return (Phone(), SensitiveKind.PhoneNumber, static match => ContentRule.IsPhone(match.ValueSpan));
        yield return (Birth(), SensitiveKind.BirthDate, static match => CodeRule.YearOf(match.Groups["value"].ValueSpan) > 0 || match.Groups["value"].ValueSpan.ContainsAnyInRange('a', 'z'));
        yield return (Diagnosis(), SensitiveKind.MedicalCode, static match => CodeRule.IsDiagnosis(match.ValueSpan, pointed: true));
        yield return (Person(), SensitiveKind.PersonName, static _ => true);
        yield return (Street(), SensitiveKind.PostalAddress, static _ => true);
    }

    /// <summary>From each at sign outwards.</summary>
    private static void AddEmails(string text, List<TextFinding> found)
    {
        for (var at = text.IndexOf('@'); at >= 0; at = text.IndexOf('@', at + 1))
        {
            var (start, end) = (at, at + 1);
            while (start > 0 && at - start < 64 && (char.IsAsciiLetterOrDigit(text[start - 1]) || ".!#$%&'*+/=?^_`{|}~-".Contains(text[start - 1], StringComparison.Ordinal)))
                start--;
            while (end < text.Length && end - at < 190 && (char.IsAsciiLetterOrDigit(text[end]) || text[end] is '.' or '-'))
                end++;
            while (end > at + 1 && text[end - 1] is '.' or '-')
                end--;
            while (start < at && text[start] is '.' or '\'' or '/' or '=' or '*' or '`' or '{')
                start++;
            if (ContentRule.IsEmail(text.AsSpan(start..end)))
                found.Add(new(start, end - start, SensitiveKind.EmailAddress));
        }
    }

    /// <summary>At each beginning of a run of digits, every length of a card number, longest first.</summary>
    private static void AddCards(string text, List<TextFinding> found)
    {
        Span<int> ends = stackalloc int[20];
        for (var start = 0; start < text.Length; start++)
        {
            if (!char.IsAsciiDigit(text[start]) || (start > 0 && char.IsAsciiDigit(text[start - 1])))
                continue;
            var digits = 0;
            for (var i = start; i < text.Length && digits < 19; i++)
            {
                if (char.IsAsciiDigit(text[i]))
                    ends[++digits] = i + 1;
                else if (text[i] is not (' ' or '-') || (i + 1 < text.Length && !char.IsAsciiDigit(text[i + 1])))
                    break;
            }

            for (var length = digits; length >= 13; length--)
            {
                var end = ends[length];
                if ((end < text.Length && char.IsAsciiDigit(text[end])) || !ContentRule.IsCard(text.AsSpan(start..end)))
                    continue;
                found.Add(new(start, end - start, SensitiveKind.CardNumber));
                start = end - 1;
                break;
            }
        }
    }

    private static List<TextFinding> Disjoint(List<TextFinding> found)
    {
        var kept = new List<TextFinding>();
        foreach (var one in found.Select((finding, order) => (finding, order)).OrderBy(pair => pair.order).Select(pair => pair.finding))
        {
            if (kept.TrueForAll(other => one.End <= other.Start || other.End <= one.Start))
                kept.Add(one);
        }

        kept.Sort((a, b) => a.Start.CompareTo(b.Start));
        return kept;
    }

    [GeneratedRegex(@"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?:[A-Za-z0-9+/=\s]{0,8000}-----END [A-Z ]{0,20}PRIVATE KEY-----)?")]
    private static partial Regex PrivateKey();

    [GeneratedRegex(@"(?<![A-Za-z0-9_+/=.-])[A-Za-z0-9_+/=.-]{20,512}(?![A-Za-z0-9_+/=-])")]
    private static partial Regex Word();

    [GeneratedRegex(@"\b(?:password|passwd|pwd|passphrase|secret|api[ _-]?key|access[ _-]?token)\s{0,3}(?:is|:|=)\s{0,3}[""']?(?<value>[^\s""',;]{4,128})", RegexOptions.IgnoreCase)]
    private static partial Regex LabelledSecret();

    [GeneratedRegex(@"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?![A-Za-z0-9])")]
    private static partial Regex Iban();

    [GeneratedRegex(@"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")]
    private static partial Regex Ssn();

    [GeneratedRegex(@"(?<![A-Za-z0-9.])(?:[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]|[A-Z]{6}[0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]|[XYZ0-9]\d{7}[A-Z]|\d{3}\.\d{3}\.\d{3}-\d{2}|[12] ?\d{2} ?\d{2} ?\d{2} ?\d{3} ?\d{3} ?\d{2})(?![A-Za-z0-9])")]
    private static partial Regex NationalId();

    [GeneratedRegex(@"(?<![\w.:])(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:]|\.\d)")]
    private static partial Regex Ip();

    [GeneratedRegex(@"(?<![\w+.-])(?:\+\d{1,3}[ .-]?)?(?:\(\d{1,4}\)[ .-]?)?\d{1,5}(?:[ .-]\d{2,8}){0,5}(?![\w-])")]
    private static partial Regex Phone();

    [GeneratedRegex(@"\b(?:born|dob|d\.o\.b\.|birth ?date|date of birth|birthday)\b[^0-9A-Z\r\n]{0,12}(?:on )?(?<value>\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2}\.? (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6} \d{4}|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6} \d{1,2},? \d{4})", RegexOptions.IgnoreCase)]
    private static partial Regex Birth();

    [GeneratedRegex(@"(?<![\w.-])[A-Z]\d[0-9AB]\.[0-9A-Z]{1,4}(?![\w-])")]
    private static partial Regex Diagnosis();

    [GeneratedRegex(@"\b(?:(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Herr|Frau|Mme|Sr|Sra)\.?|(?i:my name is|patient|customer|cardholder|account holder|sincerely,?|regards,?|signed by|spoke (?:to|with)))\s{1,2}(?:(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Herr|Frau)\.?\s{1,2})?(?<value>\p{Lu}[\p{L}'’-]{1,30}(?: (?:\p{Lu}\.|(?:van|de|von|der|da|di|la) )?\p{Lu}[\p{L}'’-]{1,30}){0,3})")]
    private static partial Regex Person();

    [GeneratedRegex(@"\b\d{1,5}[A-Za-z]? (?:\p{Lu}[\p{L}'’.-]{1,25} ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl)\b\.?|\b\p{Lu}[\p{L}-]{1,25}(?:straße|strasse|weg|gasse|platz) \d{1,4}[a-z]?\b")]
    private static partial Regex Street();
}
