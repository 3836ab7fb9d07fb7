namespace Bulwark.Policy;

/// <summary>A policy or schema text does not parse.</summary>
public sealed class PolicySyntaxException : FormatException
{
    internal PolicySyntaxException(string message, int line, int column) : base($"line {line}, column {column}: {message}")
    {
        Fault = message;
        Line = line;
        Column = column;
    }

    /// <summary>What is wrong, without the place.</summary>
    public string Fault { get; }

    /// <summary>The line, from 1.</summary>
    public int Line { get; }

    /// <summary>The column in UTF-16 units, from 1.</summary>
    public int Column { get; }
}
