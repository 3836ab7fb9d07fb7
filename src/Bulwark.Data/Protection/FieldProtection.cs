using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>Replaces values before they are written: card numbers by tokens, others by keyed hashes.</summary>
internal static class FieldProtection
{
    private const int HashBytes = 16;

    /// <summary>The table as the file is to hold it: without dropped columns, with tokens and hashes in place.</summary>
    internal static Table Protect(Table table, ProtectionManifest manifest, KeyRing keys, IProgress<double>? progress, CancellationToken cancel)
    {
        var columns = new List<Column>();
        foreach (var (column, protection) in table.Columns.Zip(manifest.Columns))
        {
            cancel.ThrowIfCancellationRequested();
            if (protection.Action != ProtectionAction.Drop)
                columns.Add(Protect(column, protection, manifest, keys));
            progress?.Report((double)columns.Count / table.Columns.Count);
        }

        return new Table(columns);
    }

    /// <summary>True when the column can be turned back cell for cell: tokens forget how a card number was grouped.</summary>
    internal static bool IsExact(Column column, ProtectionAction action) => action switch
    {
        ProtectionAction.Drop or ProtectionAction.Hash => false,
        ProtectionAction.Tokenise => Enumerable.Range(0, column.Rows).All(row => column.Text(row) is not { } text || !text.AsSpan().ContainsAny(' ', '-')),
        _ => true,
    };

    private static Column Protect(Column column, ProtectedColumn protection, ProtectionManifest manifest, KeyRing keys) => protection.Action switch
    {
        ProtectionAction.Hash => Hash(column, protection, manifest, keys),
        ProtectionAction.Tokenise => Tokenise(column, protection, manifest, keys),
        _ => column,
    };

    /// <summary>HMAC-SHA-256 over the whole value, keyed for this dataset's name and column (PCI DSS 4.0.1, 3.5.1.1).</summary>
    private static TextColumn Hash(Column column, ProtectedColumn protection, ProtectionManifest manifest, KeyRing keys)
    {
        using var key = keys.Derive(protection.Key!.Value, Purpose("hash", column.Name, manifest));
        var seen = new Dictionary<string, string>(StringComparer.Ordinal);
        var hashes = new string?[column.Rows];
        for (var row = 0; row < hashes.Length; row++)
        {
            if (column.Text(row) is not { } text)
                continue;
            if (!seen.TryGetValue(text, out hashes[row]))
                seen.Add(text, hashes[row] = Convert.ToHexStringLower(HMACSHA256.HashData(key.Span, Encoding.UTF8.GetBytes(text)).AsSpan(0, HashBytes)));
        }

        return new(column.Name, hashes);
    }

    /// <summary>Turns the tokens of <paramref name="column"/> back into card numbers.</summary>
    internal static TextColumn Reveal(TextColumn column, ProtectedColumn protection, ProtectionManifest manifest, KeyRing keys)
    {
        using var tokenizer = Tokenizer(protection, manifest, keys);
        return Replace(column, token => token, tokens => tokenizer.Reveal(tokens));
    }

    private static TextColumn Tokenise(Column column, ProtectedColumn protection, ProtectionManifest manifest, KeyRing keys)
    {
        using var tokenizer = Tokenizer(protection, manifest, keys);
        return Replace(column, Digits, cards => tokenizer.Tokenize(cards));
    }

    /// <summary>Replaces each different value once, all of them in one batch.</summary>
    private static TextColumn Replace(Column column, Func<string, string?> normal, Func<string[], string[]> replace)
    {
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        var of = new int[column.Rows];
        for (var row = 0; row < of.Length; row++)
        {
            if (column.Text(row) is not { } text)
            {
                of[row] = -1;
                continue;
            }

            var value = normal(text) ?? throw new ArgumentException($"Row {row + 1} of column '{column.Name}' holds no 12 to 19 digits that pass the Luhn check, so it has no token; encrypt the column instead.");
            if (!numbers.TryGetValue(value, out of[row]))
                numbers.Add(value, of[row] = numbers.Count);
        }

        var replaced = numbers.Count == 0 ? [] : replace([.. numbers.OrderBy(pair => pair.Value).Select(pair => pair.Key)]);
        return new(column.Name, Array.ConvertAll(of, number => number < 0 ? null : replaced[number]));
    }

    /// <summary>The digits of a card number without grouping; null when it is none.</summary>
    private static string? Digits(string text)
    {
        var digits = text.Replace(" ", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
        return digits.Length is >= 12 and <= 19 && digits.All(char.IsAsciiDigit) && LuhnCheck.Holds(digits) ? digits : null;
    }

    private static CardTokenizer Tokenizer(ProtectedColumn protection, ProtectionManifest manifest, KeyRing keys)
    {
        var purpose = Purpose("token", protection.Name, manifest);
        return new(keys.Derive(protection.Key!.Value, purpose), SHA256.HashData(Encoding.UTF8.GetBytes(purpose)).AsSpan(0, CardTokenizer.TweakSizeInBytes));
    }

    /// <summary>The same in every version of a dataset, so that versions join; different in every dataset and column.</summary>
    private static string Purpose(string use, string column, ProtectionManifest manifest) =>
        $"data/{use}/v1\n{manifest.Dataset[..manifest.Dataset.LastIndexOf('/')]}\n{column}";
}
