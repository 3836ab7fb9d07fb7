using System.Text;
using Bulwark.Cryptography;
using Bulwark.Policy;

namespace Bulwark.Server;

/// <summary>The policy that a gateway decides by, and the words in which it asks. Default deny.</summary>
internal sealed class GatewayPolicy(string text)
{
    private readonly PolicySet _policies = PolicySet.Parse(text);

    /// <summary>Digest of the policy's text.</summary>
    internal Digest Version { get; } = Digest.Of(Encoding.UTF8.GetBytes(text));

    internal AuthorizationAnswer Decide(AccessToken token, string action, string model, bool insecure)
    {
        var principal = new EntityUid("Client", token.Subject);
        var resource = new EntityUid("Model", model);
        var scopes = new CedarSet(token.Scopes.Select(scope => (CedarValue)scope));
        var client = new Entity(principal, CedarRecord.Of(("scopes", scopes), ("client", token.ClientId ?? token.Subject)));
        var context = CedarRecord.Of(("scopes", scopes), ("insecure", insecure));
        return _policies.Authorize(new(principal, new EntityUid("Action", action), resource, context), new EntityStore(client, new Entity(resource)));
    }
}
