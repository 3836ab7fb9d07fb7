using System.Globalization;

namespace Bulwark.Data;

/// <summary>Draws values of every kind that a scan knows, and values of ordinary data that look like some of them.</summary>
internal static class ScanCorpus
{
    internal const string Alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private const string Upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", Hex = "0123456789abcdef";
    private static readonly string[] s_cities = ["New York", "San Jose", "Buenos Aires", "Cape Town", "Los Angeles", "Kuala Lumpur", "Rio Grande", "Den Haag", "Hong Kong", "Tel Aviv", "Santa Fe", "Porto Alegre"];
    private static readonly string[] s_words = ["order", "pump", "filter", "valve", "green", "large", "spare", "winter", "steel", "offer", "parcel", "window", "garden", "battery", "cable", "invoice"];
    private static readonly string[] s_units = ["Blue River Ltd", "North Gate Foods", "Acme Tools Inc", "Sun Valley Energy", "Red Oak Partners"];

    internal delegate string Draw(ref RandomStream random, int row);

    /// <summary>Values that are what they seem.</summary>
    internal static readonly IReadOnlyList<(SensitiveKind Kind, string Form, Draw Draw)> Sensitive =
    [
        (SensitiveKind.CardNumber, "16 digits", static (ref r, _) => Card(ref r, "")),
        (SensitiveKind.CardNumber, "grouped by spaces", static (ref r, _) => Card(ref r, " ")),
        (SensitiveKind.SocialSecurityNumber, "AAA-GG-SSSS", static (ref r, i) => Person.Draw((ulong)r.Below(1 << 30), i).Ssn),
        (SensitiveKind.BankAccount, "German IBAN", static (ref r, _) => Iban("DE", Digits(ref r, 18))),
        (SensitiveKind.BankAccount, "British IBAN, grouped", static (ref r, _) => string.Join(' ', Iban("GB", Letters(ref r, 4, Upper) + Digits(ref r, 14)).Chunk(4).Select(part => new string(part)))),
        (SensitiveKind.EmailAddress, "addresses", static (ref r, i) => Person.Draw((ulong)r.Below(1 << 30), i).Email),
        (SensitiveKind.PhoneNumber, "+49 …", static (ref r, _) => $"+49 {r.Below(800) + 100} {Digits(ref r, 7)}"),
        (SensitiveKind.PhoneNumber, "555-555-5555", static (ref r, _) => $"{r.Below(800) + 200}-{r.Below(800) + 200}-{Digits(ref r, 4)}"),
        (SensitiveKind.PersonName, "first and last", static (ref r, i) => Person.Draw((ulong)r.Below(1 << 30), i).Name),
        (SensitiveKind.IpAddress, "IPv4", static (ref r, _) => $"{r.Below(223) + 1}.{r.Below(256)}.{r.Below(256)}.{r.Below(255) + 1}"),
        (SensitiveKind.IpAddress, "IPv6", static (ref r, _) => $"2001:db8:{Letters(ref r, 4, Hex)}:{Letters(ref r, 4, Hex)}::{Letters(ref r, 3, Hex)}"),
        (SensitiveKind.NationalId, "NINO", static (ref r, _) => $"{Letters(ref r, 1, "ABCEHJ")}{Letters(ref r, 1, "ABCEHJ")}{Digits(ref r, 6)}{Letters(ref r, 1, "ABCD")}"),
        (SensitiveKind.NationalId, "DNI", static (ref r, _) => Dni(r.Below(100_000_000))),
        (SensitiveKind.NationalId, "CPF", static (ref r, _) => Cpf(Digits(ref r, 9))),
        (SensitiveKind.Credential, "issuer's form", static (ref r, _) => $"ghp_{Letters(ref r, 36, Alphanumeric)}"),
        (SensitiveKind.Credential, "40 drawn characters", static (ref r, _) => Letters(ref r, 40, Alphanumeric)),
        (SensitiveKind.MedicalCode, "ICD-10", static (ref r, _) => $"{Letters(ref r, 1, "ABCDEFGHIJKLMNOPQRST")}{Digits(ref r, 2)}{(r.Below(3) > 0 ? $".{r.Below(10)}" : "")}"),
        (SensitiveKind.BirthDate, "yyyy-MM-dd", static (ref r, _) => new DateTime(1935, 1, 1).AddDays(r.Below(26_000)).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
        (SensitiveKind.BirthDate, "dd.MM.yyyy", static (ref r, _) => new DateTime(1935, 1, 1).AddDays(r.Below(26_000)).ToString("dd.MM.yyyy", CultureInfo.InvariantCulture)),
        (SensitiveKind.FreeText, "medical history", static (ref r, i) => Person.Draw((ulong)r.Below(1 << 30), i).MedicalHistory),
    ];

    /// <summary>Values of ordinary data. Some of them have the form of something sensitive, by chance or by design.</summary>
    internal static readonly IReadOnlyList<(string Form, Draw Draw)> Ordinary =
    [
        ("order numbers", static (ref r, i) => $"{100_000 + i * 3 + r.Below(3)}"),
        ("amounts", static (ref r, _) => $"{r.Below(100_000) / 100.0:0.00}"),
        ("instants", static (ref r, _) => new DateTime(2024, 1, 1).AddSeconds(r.Below(50_000_000)).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)),
        ("recent days", static (ref r, _) => new DateTime(2021, 1, 1).AddDays(r.Below(1_800)).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
        ("days of thirty years", static (ref r, _) => new DateTime(1996, 1, 1).AddDays(r.Below(10_900)).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
        ("GUIDs", static (ref r, _) => $"{Letters(ref r, 8, Hex)}-{Letters(ref r, 4, Hex)}-4{Letters(ref r, 3, Hex)}-a{Letters(ref r, 3, Hex)}-{Letters(ref r, 12, Hex)}"),
        ("SHA-256 digests", static (ref r, _) => Letters(ref r, 64, Hex)),
        ("article numbers", static (ref r, _) => $"{Letters(ref r, 2, Upper)}-{Digits(ref r, 5)}"),
        ("EAN-13", static (ref r, _) => Ean("4" + Digits(ref r, 11))),
        ("16 digits without check digit", static (ref r, _) => $"4{Digits(ref r, 15)}"),
        ("IMEI", static (ref r, _) => WithLuhn($"35{Digits(ref r, 12)}")),
        ("nine digits", static (ref r, _) => $"{100_000_000 + r.Below(899_999_999)}"),
        ("eleven digits", static (ref r, _) => $"{10 + r.Below(89)}{Digits(ref r, 9)}"),
        ("versions of three parts", static (ref r, _) => $"{r.Below(20)}.{r.Below(40)}.{r.Below(200)}"),
        ("versions of four parts", static (ref r, _) => $"{r.Below(20)}.{r.Below(40)}.{r.Below(20_000)}.{r.Below(900)}"),
        ("seats and gates", static (ref r, _) => $"{Letters(ref r, 1, "ABCDEF")}{r.Below(90) + 10}"),
        ("bin locations", static (ref r, _) => $"{Letters(ref r, 1, Upper)}{Digits(ref r, 3)}"),
        ("postcodes", static (ref r, _) => Digits(ref r, 5)),
        ("cities", static (ref r, _) => s_cities[r.Below(s_cities.Length)]),
        ("companies", static (ref r, _) => s_units[r.Below(s_units.Length)]),
        ("categories", static (ref r, _) => s_words[r.Below(s_words.Length)]),
        ("booking references", static (ref r, _) => Letters(ref r, 6, Upper + "0123456789")),
        ("file names", static (ref r, _) => $"{s_words[r.Below(s_words.Length)]}_{Digits(ref r, 8)}_{r.Below(9)}.parquet"),
        ("addresses of pages", static (ref r, _) => $"https://example.com/{s_words[r.Below(s_words.Length)]}/{Digits(ref r, 6)}"),
        ("coordinates", static (ref r, _) => $"{r.Below(90)}.{Digits(ref r, 6)}"),
        ("colours", static (ref r, _) => $"#{Letters(ref r, 6, Hex)}"),
        ("clock times", static (ref r, _) => $"{r.Below(24):00}:{r.Below(60):00}:{r.Below(60):00}"),
        ("MAC addresses", static (ref r, _) => string.Join(':', Letters(ref r, 12, Hex).Chunk(2).Select(part => new string(part)))),
    ];

    internal static string Card(ref RandomStream random, string separator)
    {
        var head = random.Below(3) switch { 0 => "4" + Digits(ref random, 14), 1 => $"5{random.Below(5) + 1}" + Digits(ref random, 13), _ => "6011" + Digits(ref random, 11) };
        return string.Join(separator, WithLuhn(head).Chunk(4).Select(part => new string(part)));
    }

    internal static string Digits(ref RandomStream random, int count) => Letters(ref random, count, "0123456789");

    internal static string Letters(ref RandomStream random, int count, string alphabet)
    {
        var text = new char[count];
        for (var i = 0; i < count; i++)
            text[i] = alphabet[random.Below(alphabet.Length)];
        return new string(text);
    }

    internal static string Iban(string country, string account)
    {
        var rest = 0;
        foreach (var c in account + country + "00")
            rest = char.IsAsciiDigit(c) ? (rest * 10 + (c - '0')) % 97 : (rest * 100 + (c - 'A' + 10)) % 97;
        return $"{country}{98 - rest:00}{account}";
    }

    private static string WithLuhn(string digits) => digits + LuhnCheck.Digit(digits);

    private static string Dni(int number) => $"{number:00000000}{"TRWAGMYFPDXBNJZSQVHLCKE"[number % 23]}";

    private static string Ean(string digits) => digits + (char)('0' + (10 - digits.Select((c, i) => (c - '0') * (i % 2 == 0 ? 1 : 3)).Sum() % 10) % 10);

    private static string Cpf(string digits)
    {
        for (var round = 0; round < 2; round++)
        {
            var length = digits.Length;
            digits += (char)('0' + digits.Select((c, i) => (c - '0') * (length + 1 - i)).Sum() * 10 % 11 % 10);
        }

        return $"{digits[..3]}.{digits[3..6]}.{digits[6..9]}-{digits[9..]}";
    }
}
