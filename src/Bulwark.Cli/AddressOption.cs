using System.CommandLine.Parsing;

namespace Bulwark.Cli;

/// <summary>Reads an address on the command line: the parser knows none by itself.</summary>
internal static class AddressOption
{
    /// <summary>The address; a fault of the command line when it is none.</summary>
    internal static Uri? Parse(ArgumentResult result)
    {
        if (result.Tokens is [var token] && Uri.TryCreate(token.Value, UriKind.Absolute, out var address))
            return address;
        result.AddError($"'{string.Join(' ', result.Tokens)}' is no address; give https://HOST:PORT/.");
        return null;
    }
}
