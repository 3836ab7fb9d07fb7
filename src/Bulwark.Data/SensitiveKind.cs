namespace Bulwark.Data;

/// <summary>What kind of sensitive data a column seems to hold.</summary>
public enum SensitiveKind
{
    /// <summary>Payment card numbers (PAN).</summary>
    CardNumber,

    /// <summary>A card's security code or PIN, which PCI DSS 3.3 forbids to keep.</summary>
    CardSecurityCode,

    /// <summary>US social security numbers.</summary>
    SocialSecurityNumber,

    /// <summary>Bank account numbers (IBAN).</summary>
    BankAccount,

    /// <summary>E-mail addresses.</summary>
    EmailAddress,

    /// <summary>Telephone numbers.</summary>
    PhoneNumber,

    /// <summary>Names of people.</summary>
    PersonName,

    /// <summary>Postal addresses.</summary>
    PostalAddress,

    /// <summary>Dates of birth.</summary>
    BirthDate,

    /// <summary>Health data.</summary>
    Health,

    /// <summary>Passwords, tokens, keys.</summary>
    Credential,

    /// <summary>Sentences, in which anything may stand.</summary>
    FreeText,

    /// <summary>A value that is nearly unique to a row, so that it can link rows to people.</summary>
    Identifier,

    /// <summary>Internet addresses (IPv4, IPv6).</summary>
    IpAddress,

    /// <summary>National identity numbers with check digits or a strict form: NINO, codice fiscale, DNI and NIE, NIR, CPF, PESEL.</summary>
    NationalId,

    /// <summary>Diagnosis codes (ICD-10).</summary>
    MedicalCode,
}
