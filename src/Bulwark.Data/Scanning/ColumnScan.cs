using System.Globalization;

namespace Bulwark.Data;

/// <summary>Counts what one column's values look like and says what that comes to.</summary>
internal sealed class ColumnScan
{
    private static readonly SensitiveKind[] ByContent =
        [SensitiveKind.CardNumber, SensitiveKind.SocialSecurityNumber, SensitiveKind.BankAccount, SensitiveKind.EmailAddress, SensitiveKind.PhoneNumber, SensitiveKind.PersonName, SensitiveKind.FreeText];

    private readonly Column _column;
    private readonly SensitiveKind? _named;
    private readonly Dictionary<SensitiveKind, int> _matches = ByContent.ToDictionary(kind => kind, _ => 0);
    private readonly HashSet<string> _distinct = new(StringComparer.Ordinal);
    private int _values, _holdCards;

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
        var convincing = matched * 2 > _values && (kind is not SensitiveKind.PersonName || _distinct.Count > 20);
        if (convincing && !(kind is SensitiveKind.FreeText && _named is not null))
            return Make(kind, matched, [$"{Of(matched)} values {Rule(kind)}"]);
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
            return;
        Tally(SensitiveKind.CardNumber, ContentRule.IsCard(text));
        if (_column is NumberColumn)
            return;
        Tally(SensitiveKind.SocialSecurityNumber, ContentRule.IsSsn(text));
        Tally(SensitiveKind.BankAccount, ContentRule.IsIban(text));
        Tally(SensitiveKind.EmailAddress, ContentRule.IsEmail(text));
        Tally(SensitiveKind.PhoneNumber, !ContentRule.IsSsn(text) && ContentRule.IsPhone(text));
        Tally(SensitiveKind.PersonName, ContentRule.IsName(text));
        Tally(SensitiveKind.FreeText, ContentRule.IsSentence(text));
        if (text.Length > 19 && ContentRule.HoldsCard(text))
            _holdCards++;
    }

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

    private SensitiveFinding Make(SensitiveKind kind, int matched, IEnumerable<string> why, double atLeast = 0)
    {
        var named = _named == kind;
        var share = _values == 0 ? 0 : (double)matched / _values;
        var confidence = Math.Max(atLeast, 1 - (1 - share) * (named ? 0.5 : 1));
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
