namespace Bulwark.Attestation.Sources;

/// <summary>A TPM refused a command, or answered nonsense.</summary>
public sealed class TpmException : IOException
{
    internal TpmException(uint code, uint command)
        : base($"The TPM refused command 0x{command:x}: {Meaning(code)} (0x{code:x})") => Code = code;

    internal TpmException(string message) : base(message)
    {
    }

    /// <summary>The response code (TPM 2.0 Library part 2, 6.6); 0 when the answer could not be read.</summary>
    public uint Code { get; }

    /// <summary>The registers are not what the policy asks for, or another part of it does not hold.</summary>
    public bool IsPolicyFailure => (Code & 0xBF) == 0x9D;

    private static string Meaning(uint code) => (code & 0x80) != 0
        ? (code & 0xBF) switch   // format one: the parameter's number is in the other bits
        {
            0x9D => "a policy check failed, for example of a platform register",
            0x8E or 0xA2 => "an authorization failed",
            0x9F => "an integrity check failed: it was made for another key or another TPM",
            0x8B => "there is no such handle",
            _ => "a parameter is refused",
        }
        : code switch
        {
            0x100 => "it is not started, or is started already",
            0x128 => "a platform register changed while the session lived",
            0x902 => "it has no room for one more object; flush one",
            0x921 => "it is locked out",
            _ => "it failed",
        };
}
