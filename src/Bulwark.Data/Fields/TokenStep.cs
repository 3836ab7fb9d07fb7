using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>Card numbers by tokens (FF1), or back.</summary>
internal sealed class CardStep(string name, KeyRing keys, KeyId key, FieldFormat format, bool reveal) : FieldStep(name)
{
    private readonly CardTokenizer _tokenizer = new(keys.Derive(key, FieldScope.Purpose("token", format.Scope)), TokenStep.Tweak(format.Scope));
    private readonly FewValues _few = new();

    internal override Column Apply(Column column, FieldRows rows)
    {
        var cells = new DistinctCells(column, reveal ? null : (row, text) => Digits(text) ?? throw Misfit(rows, row, "holds no 12 to 19 digits that pass the Luhn check, so it has no token; encrypt the column instead"));
        try
        {
            if (reveal)
                return CellKind.Restore(Name, cells.Cells(_tokenizer.Reveal(cells.Values)), format);
            var tokens = _tokenizer.Tokenize(cells.Values);
            _few.Add(tokens);
            return new TextColumn(Name, cells.Cells(tokens));
        }
        catch (ArgumentException) when (reveal)
        {
            throw new CryptographicException($"Column '{Name}' holds a value that is no token; it was changed.");
        }
    }

    internal override IEnumerable<string> Notes() => _few.Notes(Name, "tokens");

    protected override void Release() => _tokenizer.Dispose();

    /// <summary>The digits of a card number without grouping; null when it is none.</summary>
    private static string? Digits(string text)
    {
        var digits = text.Replace(" ", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
        return digits.Length is >= 12 and <= 19 && digits.All(char.IsAsciiDigit) && LuhnCheck.Holds(digits) ? digits : null;
    }
}

/// <summary>Identifiers by others of the same form (FF1 over an alphabet), or back: characters outside the alphabet stay where they are.</summary>
internal sealed class TokenStep(string name, KeyRing keys, KeyId key, FieldFormat format, bool reveal) : FieldStep(name)
{
    private const int TweakSize = 8;
    private readonly Ff1 _ff1 = New(keys, key, format);
    private readonly byte[] _tweak = Tweak(format.Scope);
    private readonly FewValues _few = new();

    /// <summary>Which scope the tokens are for; not secret.</summary>
    internal static byte[] Tweak(string scope) => SHA256.HashData(Encoding.UTF8.GetBytes(FieldScope.Purpose("token", scope)))[..TweakSize];

    internal override Column Apply(Column column, FieldRows rows)
    {
        var cells = new DistinctCells(column);
        string[] texts = [.. cells.Values.Select(text => string.Concat(text.Where(IsSymbol)))];
        try
        {
            var replaced = reveal ? _ff1.DecryptMany(texts, _tweak) : _ff1.EncryptMany(texts, _tweak);
            string[] whole = [.. cells.Values.Zip(replaced, Merge)];
            if (reveal)
                return CellKind.Restore(Name, cells.Cells(whole), format);
            _few.Add(whole);
            return new TextColumn(Name, cells.Cells(whole));
        }
        catch (ArgumentException)
        {
            var row = cells.RowOf(Array.FindIndex(texts, text => text.Length < 2 || text.Length * Math.Log(format.Alphabet!.Length) < Math.Log(Ff1.MinimumDomain) - 1e-9));
            throw Misfit(rows, row, $"has too few characters of its alphabet: with fewer than {Ff1.MinimumDomain:N0} possible values a token hides nothing");
        }
    }

    internal override IEnumerable<string> Notes() => _few.Notes(Name, "tokens");

    protected override void Release() => _ff1.Dispose();

    private static Ff1 New(KeyRing keys, KeyId key, FieldFormat format)
    {
        using var derived = keys.Derive(key, FieldScope.Purpose("token", format.Scope));
        return new(derived.Span, format.Alphabet!);
    }

    private bool IsSymbol(char c) => format.Alphabet!.Contains(c, StringComparison.Ordinal);

    private string Merge(string form, string symbols)
    {
        var next = 0;
        return string.Concat(form.Select(c => IsSymbol(c) ? symbols[next++] : c));
    }
}
