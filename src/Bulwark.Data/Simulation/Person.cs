using System.Globalization;

namespace Bulwark.Data;

/// <summary>The personal data of one made-up customer. The formats are real, the people and numbers are drawn.</summary>
internal sealed record Person(string CardNumber, string Ssn, string Name, string Email, string MedicalHistory)
{
    private static readonly string[] First =
    [
        "Ada", "Alan", "Amina", "Anders", "Beatriz", "Carlos", "Chen", "Claire", "Daniel", "Deepa", "Elena", "Emil", "Fatima", "Felix", "Grace", "Hana",
        "Hugo", "Ines", "Ivan", "Jana", "Jorge", "Julia", "Kenji", "Kofi", "Lars", "Leila", "Lucia", "Marek", "Maria", "Mei", "Nadia", "Noah",
        "Olga", "Omar", "Paul", "Priya", "Rosa", "Samuel", "Sara", "Sofia", "Tariq", "Tomas", "Uma", "Vera", "Viktor", "Wei", "Yara", "Zoe",
    ];

    private static readonly string[] Last =
    [
        "Abara", "Andersen", "Banerjee", "Becker", "Bianchi", "Castro", "Cohen", "Dubois", "Eriksen", "Farouk", "Fischer", "Garcia", "Haddad", "Hansen", "Hoffman", "Ivanova",
        "Jensen", "Johnson", "Kaya", "Kim", "Kowalski", "Kumar", "Larsen", "Lopez", "Martin", "Meyer", "Moreau", "Nakamura", "Nguyen", "Novak", "Okafor", "Olsen",
        "Park", "Patel", "Petrov", "Quist", "Reyes", "Rossi", "Sato", "Schmidt", "Silva", "Smith", "Tanaka", "Torres", "Visser", "Weber", "Yilmaz", "Zhang",
    ];

    private static readonly string[] Domains = ["example.com", "example.net", "example.org"];

    private static readonly string[] Conditions =
        ["hypertension", "type 2 diabetes", "asthma", "migraine", "chronic back pain", "hypothyroidism", "seasonal allergy", "anxiety", "high cholesterol", "iron deficiency", "arthritis of the knee", "insomnia"];

    private static readonly string[] Treatments =
        ["lisinopril 10 mg daily", "metformin 500 mg twice daily", "an inhaler as needed", "sumatriptan at onset", "physiotherapy weekly", "levothyroxine 75 mcg daily", "an antihistamine in spring", "talking therapy", "atorvastatin 20 mg at night", "iron tablets for three months"];

    private static readonly string[] Remarks =
        ["No known allergies.", "Reports penicillin allergy.", "Advised to stop smoking.", "Family history of heart disease.", "Follow-up in six months.", "Blood pressure now in range.", "Declined referral to a specialist.", "Tolerates treatment well."];

    internal static Person Draw(ulong seed, int customer)
    {
        var random = new RandomStream(seed, 3, customer);
        var first = First[random.Below(First.Length)];
        var last = Last[random.Below(Last.Length)];
        return new(
            DrawCardNumber(ref random),
            DrawSsn(ref random),
            $"{first} {last}",
            $"{first}.{last}{random.Below(1000)}@{Domains[random.Below(Domains.Length)]}".ToLowerInvariant(),
            DrawHistory(ref random));
    }

    private static string DrawCardNumber(ref RandomStream random)
    {
        Span<char> digits = stackalloc char[16];
        for (var i = 0; i < 15; i++)
            digits[i] = (char)('0' + random.Below(10));
        if (random.Below(3) == 0)
            (digits[0], digits[1]) = ('5', (char)('1' + random.Below(5)));
        else
            digits[0] = '4';
        digits[15] = LuhnCheck.Digit(digits[..15]);
        return new(digits);
    }

    private static string DrawSsn(ref RandomStream random)
    {
        var area = 1 + random.Below(898);
        area += area >= 666 ? 1 : 0;
        return string.Create(CultureInfo.InvariantCulture, $"{area:000}-{1 + random.Below(99):00}-{1 + random.Below(9999):0000}");
    }

    private static string DrawHistory(ref RandomStream random) => string.Create(
        CultureInfo.InvariantCulture,
        $"Diagnosed with {Conditions[random.Below(Conditions.Length)]} in {1990 + random.Below(28)}, treated with {Treatments[random.Below(Treatments.Length)]}. {Remarks[random.Below(Remarks.Length)]}");
}
