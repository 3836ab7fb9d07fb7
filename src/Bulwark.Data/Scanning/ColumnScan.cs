using System.Globalization;

namespace Bulwark.Data;

/// <summary>Counts what one column's values look like and says what that comes to.</summary>
internal sealed class ColumnScan
{
    private static readonly SensitiveKind[] ByContent =
        [
            SensitiveKind.CardNumber, SensitiveKind.SocialSecurityNumber, SensitiveKind.BankAccount, SensitiveKind.EmailAddress, SensitiveKind.NationalId, SensitiveKind.IpAddress, SensitiveKind.Credential,
            SensitiveKind.PhoneNumber, SensitiveKind.MedicalCode, SensitiveKind.BirthDate, SensitiveKind.PersonName, SensitiveKind.FreeText,
        ];

    /// <summary>Texts of which so many are searched through: enough to know whether a column holds personal data in its sentences.</summary>
    private const int SearchedTexts = 2000;

    private readonly Column _column;
    private readonly SensitiveKind? _named;
    private readonly Dictionary<SensitiveKind, int> _matches = ByContent.ToDictionary(kind => kind, _ => 0);
    private readonly HashSet<string> _distinct = new(StringComparer.Ordinal);
    private readonly Dictionary<SensitiveKind, int> _inside = [];
    private readonly HashSet<int> _years = [];
    private int _values, _holdCards, _searched, _pointed;

    internal ColumnScan(Column column, IEnumerable<int> rows)
    {
        _column = column;
        _named = NameRule.Of(column.Name);
        foreach (var row in rows)
        {
            if (column.Text(row) is { } text)
                Count(text.Trim());
        }
    }

    internal SensitiveFinding? Finding()
    {
        if (_values == 0)
            return _named is { } only ? Make(only, 0, []) : null;
        var (kind, matched) = _matches.MaxBy(pair => (pair.Value, -Array.IndexOf(ByContent, pair.Key)));
        var convincing = matched * 2 > _values && Suffices(kind);
        if (convincing && !(kind is SensitiveKind.FreeText && _named is not null))
            return Make(kind, matched, [$"{Of(matched)} values {Rule(kind)}", .. Inside(kind)], atMost: kind is SensitiveKind.BirthDate && _named is null ? 0.6 : 1);
        if (_holdCards > 0)
            return Make(SensitiveKind.FreeText, _matches[SensitiveKind.FreeText], [$"{Of(_holdCards)} values hold a card number (issuer prefix, Luhn check) inside other text"], atLeast: 0.9);
        if (_named is { } named)
            return Make(named, _matches.GetValueOrDefault(named), convincing ? [$"{Of(matched)} values {Rule(kind)}"] : [], atLeast: convincing ? 0.9 : 0);
        return Identifier();
    }

    private void Count(string text)
    {
        _values++;
        _distinct.Add(text);
        if (_column is TimeColumn)
        {
            TallyDate(text.EndsWith("T00:00:00Z", StringComparison.Ordinal) ? int.Parse(text.AsSpan(0, text.IndexOf('-', 1)), CultureInfo.InvariantCulture) : 0);
            return;
        }

        Tally(SensitiveKind.CardNumber, ContentRule.IsCard(text));
        if (_column is NumberColumn)
        {
            Tally(SensitiveKind.NationalId, NationalIdRule.IsPesel(text) || NationalIdRule.IsNir(text));
            return;
        }

        TallyDate(CodeRule.YearOf(text));
        var ip = CodeRule.IsIp(text);
        Tally(SensitiveKind.IpAddress, ip);
        Tally(SensitiveKind.NationalId, NationalIdRule.Is(text));
        Tally(SensitiveKind.Credential, !ContentRule.IsIban(text) && SecretRule.Is(text));
        Tally(SensitiveKind.MedicalCode, CodeRule.IsDiagnosis(text, pointed: false));
        _pointed += CodeRule.IsDiagnosis(text, pointed: true) ? 1 : 0;
        Tally(SensitiveKind.SocialSecurityNumber, ContentRule.IsSsn(text));
        Tally(SensitiveKind.BankAccount, ContentRule.IsIban(text));
        Tally(SensitiveKind.EmailAddress, ContentRule.IsEmail(text));
        Tally(SensitiveKind.PhoneNumber, !ip && !ContentRule.IsSsn(text) && ContentRule.IsPhone(text));
        Tally(SensitiveKind.PersonName, ContentRule.IsName(text));
        Tally(SensitiveKind.FreeText, ContentRule.IsSentence(text));
        if (text.Length > 19 && ContentRule.HoldsCard(text))
            _holdCards++;
        if (ContentRule.IsSentence(text) && _searched < SearchedTexts)
        {
            _searched++;
            foreach (var kind in TextMask.Count(text).Keys)
                _inside[kind] = _inside.GetValueOrDefault(kind) + 1;
        }
    }

    /// <summary>A date of birth is a day of some year between a hundred and ten years and one year ago.</summary>
    private void TallyDate(int year)
    {
        var plausible = year > 0 && DateTime.UtcNow.Year - year is >= 1 and <= 110;
        Tally(SensitiveKind.BirthDate, plausible);
        if (plausible)
            _years.Add(year);
    }

    /// <summary>What a kind needs beside a majority: forms without check digits fit other things too.</summary>
    private bool Suffices(SensitiveKind kind) => kind switch
    {
        SensitiveKind.PersonName => _distinct.Count > 20,
        // Spread as people's ages are, and unlike the dates of things that happened lately.
        SensitiveKind.BirthDate => _named is SensitiveKind.BirthDate || (_years.Count >= 30 && _years.Count(year => DateTime.UtcNow.Year - year >= 15) >= 25),
        SensitiveKind.MedicalCode => _named is SensitiveKind.Health || (_pointed * 10 > _values && _distinct.Count >= 10),
        SensitiveKind.NationalId => _distinct.Count >= 3 || _named is SensitiveKind.SocialSecurityNumber,
        _ => true,
    };

    /// <summary>What was found inside sentences, for a column of them.</summary>
    private IEnumerable<string> Inside(SensitiveKind kind) => kind is not SensitiveKind.FreeText ? [] : _inside.OrderByDescending(pair => pair.Value)
        .Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Value:N0} of {_searched:N0} texts hold {TextMask.Word(pair.Key)[1..^1]}"));

    private void Tally(SensitiveKind kind, bool matches) => _matches[kind] += matches ? 1 : 0;

    private SensitiveFinding? Identifier()
    {
        var unique = _values >= 50 && _distinct.Count > 0.9 * _values && (_column is TextColumn || _column is NumberColumn { Integral: true });
        var named = NameRule.IsIdentifier(_column.Name);
        if (!unique && !named)
            return null;
        var why = new List<string>();
        if (unique)
            why.Add($"{_distinct.Count.ToString("N0", CultureInfo.InvariantCulture)} different among {_values.ToString("N0", CultureInfo.InvariantCulture)} values");
        if (named)
            why.Add($"the name '{_column.Name}' says identifier");
        return new(_column.Name, SensitiveKind.Identifier, (unique, named) switch { (true, true) => 0.95, (true, false) => 0.6, _ => 0.5 }, unique ? _values : 0, _values, ProtectionAction.Keep, why);
    }

    private SensitiveFinding Make(SensitiveKind kind, int matched, IEnumerable<string> why, double atLeast = 0, double atMost = 1)
    {
        var named = _named == kind;
        var share = _values == 0 ? 0 : (double)matched / _values;
        var confidence = Math.Min(atMost, Math.Max(atLeast, 1 - (1 - share) * (named ? 0.5 : 1)));
        List<string> reasons = [.. why];
        if (named)
            reasons.Add($"the name '{_column.Name}' says so");
        if (named && matched == 0 && ByContent.Contains(kind) && reasons.Count == 1)
            reasons.Add($"but none of {_values.ToString("N0", CultureInfo.InvariantCulture)} values {Rule(kind)}");
        return new(_column.Name, kind, Math.Round(confidence, 2), matched, _values, Advice(kind, share), reasons);
    }

    private string Of(int count) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} of {_values:N0}");

    private static string Rule(SensitiveKind kind) => kind switch
    {
        SensitiveKind.CardNumber => "have an issuer's prefix and length and pass the Luhn check",
        SensitiveKind.SocialSecurityNumber => "are social security numbers by format and range",
        SensitiveKind.BankAccount => "are IBANs whose check digits hold (mod 97)",
        SensitiveKind.EmailAddress => "are e-mail addresses by format",
        SensitiveKind.PhoneNumber => "are telephone numbers by format",
        SensitiveKind.NationalId => "are national identity numbers by form and check digits",
        SensitiveKind.IpAddress => "are Internet addresses",
        SensitiveKind.Credential => "are keys or tokens by an issuer's form or by their entropy",
        SensitiveKind.MedicalCode => "are ICD-10 codes by form",
        SensitiveKind.BirthDate => "are days within a lifetime, spread over many years",
        SensitiveKind.PersonName => "are two to four capitalised words, like names",
        _ => "are sentences of five words or more",
    };

    /// <summary>Tokens need card numbers: a column that is one by name only is encrypted.</summary>
    private static ProtectionAction Advice(SensitiveKind kind, double share) => kind switch
    {
        SensitiveKind.CardSecurityCode or SensitiveKind.Credential => ProtectionAction.Drop,
        SensitiveKind.CardNumber => share >= 0.99 ? ProtectionAction.Tokenise : ProtectionAction.Encrypt,
        SensitiveKind.Identifier => ProtectionAction.Keep,
        _ => ProtectionAction.Encrypt,
    };
}
