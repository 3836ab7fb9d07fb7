namespace Bulwark.Server;

/// <summary>Headers with which a proxy would vouch for a client. Nobody may: who a client is comes from its own TLS connection.</summary>
/// <remarks>A request that carries one is refused, not cleaned: it is an attack or a proxy where none belongs, and both should be heard of.</remarks>
internal static class ForwardedIdentity
{
    private static readonly string[] Prefixes = ["X-Forwarded-", "X-Client-Cert", "X-SSL-", "SSL-Client", "X-ARR-ClientCert", "X-Amzn-Mtls-", "Client-Cert", "X-Original-"];
    private static readonly string[] Names = ["Forwarded", "X-Real-IP", "X-Remote-User", "Remote-User"];

    internal static bool IsClaimed(IHeaderDictionary headers)
    {
        foreach (var (name, _) in headers)
            if (Names.Contains(name, StringComparer.OrdinalIgnoreCase) || Prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)))
                return true;
        return false;
    }
}
