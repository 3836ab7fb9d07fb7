namespace Bulwark.Data;

/// <summary>What a column's name says that it holds.</summary>
internal static class NameRule
{
    private static readonly (SensitiveKind Kind, string[] Words)[] Rules =
    [
        (SensitiveKind.CardSecurityCode, ["cvv", "cvv2", "cvc", "cvc2", "csc", "security code", "pin", "pin code"]),
        (SensitiveKind.CardNumber, ["pan", "card number", "card num", "card no", "credit card", "creditcard", "cardnumber", "cc number", "cc num", "ccnum", "cc no", "debit card"]),
        (SensitiveKind.NationalId, ["national id", "nino", "codice fiscale", "dni", "nie", "cpf", "pesel", "nir", "passport", "passport number", "identity number", "aadhaar", "bsn"]),
        (SensitiveKind.SocialSecurityNumber, ["ssn", "social security", "socialsecurity", "sin number", "tax id"]),
        (SensitiveKind.IpAddress, ["ip", "ip address", "ipaddress", "client ip", "remote addr"]),
        (SensitiveKind.BankAccount, ["iban", "bank account", "account number", "account no", "bic", "routing number"]),
        (SensitiveKind.EmailAddress, ["email", "e mail", "mail address"]),
        (SensitiveKind.PhoneNumber, ["phone", "telephone", "mobile", "msisdn", "fax"]),
        (SensitiveKind.Credential, ["password", "passwd", "secret", "api key", "apikey", "access token", "private key"]),
        (SensitiveKind.BirthDate, ["dob", "birth date", "birthdate", "date of birth", "birthday"]),
        (SensitiveKind.Health, ["medical", "diagnosis", "diagnoses", "health", "patient", "treatment", "medication", "prescription", "icd10", "icd"]),
        (SensitiveKind.PostalAddress, ["address", "street", "addr", "postcode", "zip", "zip code", "zipcode"]),
        (SensitiveKind.PersonName, ["name", "first name", "last name", "full name", "surname", "firstname", "lastname", "fullname", "given name", "family name", "cardholder", "card holder"]),
        (SensitiveKind.FreeText, ["note", "notes", "comment", "comments", "remark", "remarks", "description", "free text", "message"]),
    ];

    /// <summary>The first kind whose words stand in the name as whole words, or null.</summary>
    internal static SensitiveKind? Of(string column)
    {
        var words = $" {Words(column)} ";
        foreach (var (kind, phrases) in Rules)
        {
            if (phrases.Any(phrase => words.Contains($" {phrase} ", StringComparison.Ordinal)))
                return kind;
        }

        return null;
    }

    /// <summary>True when the name ends in "id" or is one of the usual key names.</summary>
    internal static bool IsIdentifier(string column) => Words(column).Split(' ')[^1] is "id" or "uuid" or "guid" or "key";

    /// <summary>cardNumber, Card-Number and CARD_NUMBER all give "card number".</summary>
    internal static string Words(string column)
    {
        var words = new System.Text.StringBuilder();
        for (var i = 0; i < column.Length; i++)
        {
            var c = column[i];
            if (char.IsUpper(c) && i > 0 && char.IsLower(column[i - 1]))
                words.Append(' ');
            words.Append(char.IsLetterOrDigit(c) ? char.ToLowerInvariant(c) : ' ');
        }

        return string.Join(' ', words.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }
}
