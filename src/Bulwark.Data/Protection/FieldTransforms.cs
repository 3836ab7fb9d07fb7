using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>The steps that rows pass before they are written and after they were read: cards by tokens, values by keyed hashes.</summary>
internal static class FieldTransforms
{
    private const int HashBytes = 16;

    /// <summary>The steps that protect: they leave out, replace and keep as the plan says.</summary>
    internal static IReadOnlyList<IBatchTransform> Protecting(IReadOnlyList<ProtectedColumn> plan, string dataset, KeyRing keys) => [new Protection(plan, dataset, keys)];

    /// <summary>The step that turns one column back; null when its cells stand in the file as they were.</summary>
    internal static IBatchTransform? Revealing(ProtectedColumn column, string dataset, KeyRing keys) =>
        column.Action == ProtectionAction.Tokenise ? new Reveal(column.Name, Tokenizer(column, dataset, keys)) : null;

    /// <summary>False when what stands in the file never turns back.</summary>
    internal static bool IsReversible(ProtectionAction action) => action is not (ProtectionAction.Hash or ProtectionAction.Drop);

    /// <summary>True when the cells can be turned back one for one: tokens forget how a card number was grouped.</summary>
    internal static bool IsExact(Column column, ProtectionAction action) => action switch
    {
        ProtectionAction.Keep or ProtectionAction.Encrypt => true,
        ProtectionAction.Tokenise => Enumerable.Range(0, column.Rows).All(row => column.Text(row) is not { } text || !text.AsSpan().ContainsAny(' ', '-')),
        _ => false,
    };

    /// <summary>Replaces each different value once, all of them in one batch.</summary>
    private static TextColumn Replace(Column column, long firstRow, Func<string, string?> normal, Func<string[], string[]> replace)
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

            var value = normal(text) ?? throw new ArgumentException($"Row {firstRow + row + 1} of column '{column.Name}' holds no 12 to 19 digits that pass the Luhn check, so it has no token; encrypt the column instead.");
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

    private static CardTokenizer Tokenizer(ProtectedColumn column, string dataset, KeyRing keys)
    {
        var purpose = Purpose("token", column.Name, dataset);
        return new(keys.Derive(Id(column), purpose), SHA256.HashData(Encoding.UTF8.GetBytes(purpose)).AsSpan(0, CardTokenizer.TweakSizeInBytes));
    }

    private static KeyId Id(ProtectedColumn column) => column.Key is { } key && key.TryGetKeyId(out var id)
        ? id
        : throw new InvalidOperationException($"Column '{column.Name}' is replaced by a key of the key ring; {column.Key} is none.");

    /// <summary>The same in every version of a dataset, so that versions join; different in every dataset and column.</summary>
    private static string Purpose(string use, string column, string dataset) => $"data/{use}/v1\n{dataset}\n{column}";

    private sealed class Protection : IBatchTransform
    {
        private readonly IReadOnlyList<ProtectedColumn> _plan;
        private readonly Dictionary<string, CardTokenizer> _tokenizers = new(StringComparer.Ordinal);
        private readonly Dictionary<string, SecretBytes> _hashes = new(StringComparer.Ordinal);

        internal Protection(IReadOnlyList<ProtectedColumn> plan, string dataset, KeyRing keys)
        {
            _plan = plan;
            foreach (var column in plan)
            {
                if (column.Action == ProtectionAction.Tokenise)
                    _tokenizers.Add(column.Name, Tokenizer(column, dataset, keys));
                else if (column.Action == ProtectionAction.Hash)
                    _hashes.Add(column.Name, keys.Derive(Id(column), Purpose("hash", column.Name, dataset)));
            }
        }

        public Table Apply(Table batch, long firstRow) => new(batch.Columns.Zip(_plan)
            .Where(pair => pair.Second.Action != ProtectionAction.Drop)
            .Select(pair => pair.Second.Action switch
            {
                ProtectionAction.Hash => Hash(pair.First, _hashes[pair.First.Name]),
                ProtectionAction.Tokenise => Replace(pair.First, firstRow, Digits, cards => _tokenizers[pair.First.Name].Tokenize(cards)),
                _ => pair.First,
            }));

        public void Dispose()
        {
            foreach (var tokenizer in _tokenizers.Values)
                tokenizer.Dispose();
            foreach (var hash in _hashes.Values)
                hash.Dispose();
        }

        /// <summary>HMAC-SHA-256 over the whole value, keyed for this dataset's name and column (PCI DSS 4.0.1, 3.5.1.1).</summary>
        private static TextColumn Hash(Column column, SecretBytes key)
        {
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
    }

    private sealed class Reveal(string name, CardTokenizer tokenizer) : IBatchTransform
    {
        public Table Apply(Table batch, long firstRow) => batch.With(Replace(batch[name], firstRow, token => token, tokens => tokenizer.Reveal(tokens)));

        public void Dispose() => tokenizer.Dispose();
    }
}
