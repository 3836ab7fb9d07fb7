using System.Security.Cryptography;

namespace Bulwark.Interchange;

/// <summary>What is wrong with an age file.</summary>
public enum AgeFault
{
    /// <summary>The encrypted content was changed or cut, or belongs to another file.</summary>
    Payload = 0,

    /// <summary>The ASCII armor is malformed.</summary>
    Armor,

    /// <summary>The header is malformed, or asks for more work than is accepted.</summary>
    Header,

    /// <summary>No identity is among its recipients.</summary>
    NoMatch,

    /// <summary>The header was changed.</summary>
    Authentication,
}

/// <summary>An age file that cannot be opened, and why.</summary>
public sealed class AgeException : CryptographicException
{
    /// <summary>The content does not open.</summary>
    public AgeException() : this(AgeFault.Payload, "The age file cannot be opened: it was changed or cut.")
    {
    }

    /// <summary>The content does not open.</summary>
    public AgeException(string message) : this(AgeFault.Payload, message)
    {
    }

    /// <summary>The content does not open.</summary>
    public AgeException(string message, Exception inner) : base(message, inner)
    {
    }

    internal AgeException(AgeFault fault, string message) : base(message) => Fault = fault;

    /// <summary>What is wrong.</summary>
    public AgeFault Fault { get; }

    internal static AgeException Header(string what) => new(AgeFault.Header, $"The age file's header is refused: {what}.");

    internal static AgeException Armor(string what) => new(AgeFault.Armor, $"The age file's armor is refused: {what}.");
}
