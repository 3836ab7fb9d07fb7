namespace Bulwark.Server;

/// <summary>Headers with which a proxy would vouch for a client. Nobody may: who a client is comes from its own TLS connection.</summary>
/// <remarks>A request that carries one is refused, not cleaned: it is an attack or a proxy where none belongs, and both should be heard of.</remarks>
internal static class ForwardedIdentity
{
    internal static bool IsClaimed(IHeaderDictionary headers)
    {
        foreach (var header in headers)
            if (IsClaim(header.Key))
                return true;
        return false;
    }

    /// <summary>Asked of every header of every request: most are none by their first letter.</summary>
    private static bool IsClaim(string name) => name.Length == 0 ? false : (name[0] | 0x20) switch
    {
        'x' => Begins(name, "X-Forwarded-") || Begins(name, "X-Client-Cert") || Begins(name, "X-SSL-") || Begins(name, "X-ARR-ClientCert") || Begins(name, "X-Amzn-Mtls-")
            || Begins(name, "X-Original-") || Is(name, "X-Real-IP") || Is(name, "X-Remote-User"),
        's' => Begins(name, "SSL-Client"),
        'c' => Begins(name, "Client-Cert"),
        'f' => Is(name, "Forwarded"),
        'r' => Is(name, "Remote-User"),
        _ => false,
    };

    private static bool Begins(string name, string prefix) => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase);

    private static bool Is(string name, string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);
}
