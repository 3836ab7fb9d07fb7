using System.Net;
using Bulwark.Cryptography;

namespace Bulwark.Server;

/// <summary>The way to another server's model: REST or gRPC.</summary>
internal interface IUpstreamCaller : IDisposable
{
    /// <summary>Asks what the model is.</summary>
    /// <exception cref="InvalidDataException">The server does not answer, or not by the protocol.</exception>
    Task<UpstreamFacts> DescribeAsync(CancellationToken cancel);

    /// <summary>Asks for a score; the tensors of <paramref name="wanted"/>, in that order.</summary>
    /// <exception cref="ArgumentException">A value has no form that the server takes; nothing was sent.</exception>
    /// <exception cref="InvalidDataException">The answer is not what was asked for.</exception>
    /// <exception cref="IOException">There is no answer.</exception>
    Task<Tensor[]> AskAsync(InferenceRequest request, ModelSignature signature, TensorSpec[] wanted, CancellationToken cancel);
}

/// <summary>How connections to other servers are made.</summary>
internal static class UpstreamConnection
{
    internal static SocketsHttpHandler Handler(UpstreamOptions options) => new()
    {
        AllowAutoRedirect = false,   // a server that sends us elsewhere is not the one that was configured
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.None,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        MaxResponseHeadersLength = 16,
        SslOptions = TlsPolicy.Client(options.Roots.Count == 0 ? null : [.. options.Roots], options.Certificate),
    };
}
