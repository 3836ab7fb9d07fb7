using System.Text;

namespace Bulwark.Data;

/// <summary>Masks personal and payment data inside free text: each stretch that is found becomes its kind in brackets.</summary>
/// <remarks>
/// Found are: card numbers, IBANs, social security and other national numbers, e-mail and Internet addresses, telephone numbers, keys
/// and passwords behind a label, dates of birth behind a label, ICD-10 codes with a point, names behind a title or a label, street
/// addresses. A name in the middle of a sentence has no form and is not found: this is no substitute for encrypting the column.
/// </remarks>
public static class TextMask
{
    /// <summary>Longer texts are judged in pieces of this many characters.</summary>
    private const int Piece = 1 << 16;

    private const int MostPasses = 8;

    /// <summary>The text with what was found replaced; the same object when nothing was.</summary>
    /// <param name="text">Any text.</param>
    public static string Apply(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length <= Piece ? Mask(text) : string.Concat(Pieces(text).Select(Mask));
    }

    /// <summary>What is in the text, by kind.</summary>
    /// <param name="text">Any text.</param>
    public static IReadOnlyDictionary<SensitiveKind, int> Count(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Pieces(text).SelectMany(TextFinder.Find).CountBy(finding => finding.Kind).ToDictionary();
    }

    /// <summary>How a masked stretch of <paramref name="kind"/> reads.</summary>
    internal static string Word(SensitiveKind kind) => kind switch
    {
        SensitiveKind.CardNumber => "[card]",
        SensitiveKind.SocialSecurityNumber => "[ssn]",
        SensitiveKind.BankAccount => "[account]",
        SensitiveKind.EmailAddress => "[email]",
        SensitiveKind.PhoneNumber => "[phone]",
        SensitiveKind.IpAddress => "[ip]",
        SensitiveKind.NationalId => "[national id]",
        SensitiveKind.Credential => "[secret]",
        SensitiveKind.BirthDate => "[birth date]",
        SensitiveKind.MedicalCode => "[diagnosis]",
        SensitiveKind.PersonName => "[name]",
        _ => "[address]",
    };

    /// <summary>Masks until no more is found: what stood glued to a masked stretch may be a number of its own now.</summary>
    private static string Mask(string text)
    {
        for (var pass = 0; pass < MostPasses; pass++)
        {
            var masked = MaskOnce(text);
            if (masked == text)
                break;
            text = masked;
        }

        return text;
    }

    private static string MaskOnce(string text)
    {
        var found = TextFinder.Find(text);
        if (found.Count == 0)
            return text;
        var masked = new StringBuilder(text.Length);
        var next = 0;
        foreach (var one in found)
        {
            masked.Append(text, next, one.Start - next).Append(Word(one.Kind));
            next = one.End;
        }

        return masked.Append(text, next, text.Length - next).ToString();
    }

    /// <summary>Cuts where a space stands between letters, so that no number is cut in two.</summary>
    private static IEnumerable<string> Pieces(string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var end = Math.Min(text.Length, start + Piece);
            for (var cut = end - 1; end < text.Length && cut > start + Piece / 2; cut--)
            {
                if (char.IsWhiteSpace(text[cut]) && char.IsLower(text[cut - 1]) && char.IsLower(text[cut + 1]))
                    end = cut;
                if (end == cut)
                    break;
            }

            yield return text[start..end];
            start = end;
        }
    }
}
