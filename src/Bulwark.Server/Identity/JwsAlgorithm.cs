using System.Security.Cryptography;

namespace Bulwark.Server;

/// <summary>A signature algorithm of RFC 7518, section 3.1. <c>none</c> is not among them.</summary>
internal sealed record JwsAlgorithm(string Name, string KeyType, HashAlgorithmName Hash, int HashBytes, string? Curve = null)
{
    private static readonly Dictionary<string, JwsAlgorithm> All = new JwsAlgorithm[]
    {
        new("HS256", "oct", HashAlgorithmName.SHA256, 32), new("HS384", "oct", HashAlgorithmName.SHA384, 48), new("HS512", "oct", HashAlgorithmName.SHA512, 64),
        new("RS256", "RSA", HashAlgorithmName.SHA256, 32), new("RS384", "RSA", HashAlgorithmName.SHA384, 48), new("RS512", "RSA", HashAlgorithmName.SHA512, 64),
        new("PS256", "RSA", HashAlgorithmName.SHA256, 32), new("PS384", "RSA", HashAlgorithmName.SHA384, 48), new("PS512", "RSA", HashAlgorithmName.SHA512, 64),
        new("ES256", "EC", HashAlgorithmName.SHA256, 32, "P-256"), new("ES384", "EC", HashAlgorithmName.SHA384, 48, "P-384"), new("ES512", "EC", HashAlgorithmName.SHA512, 64, "P-521"),
    }.ToDictionary(algorithm => algorithm.Name, StringComparer.Ordinal);

    internal static JwsAlgorithm? Find(string? name) => name is null ? null : All.GetValueOrDefault(name);

    internal RSASignaturePadding Padding => Name[0] == 'P' ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1;
}
