using System.Security.Cryptography.X509Certificates;
using Bulwark.Monitoring;

namespace Bulwark.Server;

/// <summary>How another server is spoken to.</summary>
public enum UpstreamProtocol
{
    /// <summary>The protocol's REST half, JSON or raw tensors.</summary>
    Rest = 0,

    /// <summary>Its gRPC half, raw tensors.</summary>
    Grpc,
}

/// <summary>A model of another server that speaks the Open Inference Protocol V2 (Triton, KServe, MLServer).</summary>
/// <remarks>Its signature is asked for once at the start and pinned: from then on requests and answers are held to it. Requests are read whole, screened, and written anew; nothing of a client's bytes or headers is passed on.</remarks>
public sealed record UpstreamOptions
{
    /// <summary>The model's name here; policies and clients use it.</summary>
    public required string Name { get; init; }

    /// <summary>Where the server is, such as <c>https://triton.internal:8000/</c>.</summary>
    public required Uri Address { get; init; }

    /// <summary>How the server is spoken to.</summary>
    public UpstreamProtocol Protocol { get; init; }

    /// <summary>The model's name there; null when it is the same.</summary>
    public string? UpstreamModel { get; init; }

    /// <summary>The model's version there; null lets that server choose once, and pins what it chose.</summary>
    public string? UpstreamVersion { get; init; }

    /// <summary>The authorities that may vouch for the server; with https and none the system's list holds.</summary>
    public IReadOnlyList<X509Certificate2> Roots { get; init; } = [];

    /// <summary>The certificate that the gateway shows; null for none.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>The contract that rows of the first input must keep; null for the pinned type and shape alone.</summary>
    public InputScreen? Screen { get; init; }

    /// <summary>How long one request may take there.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The largest answer, in bytes.</summary>
    public int MaximumAnswerBytes { get; init; } = 16 << 20;

    /// <summary>True to allow plain HTTP to another host than this one. Whoever is on the path then reads and changes scores.</summary>
    public bool AllowPlainText { get; init; }

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (string.IsNullOrWhiteSpace(Name) || Name.Contains('/', StringComparison.Ordinal)) yield return $"The upstream's name '{Name}' is empty or holds a slash.";
        if (!Address.IsAbsoluteUri || Address.Scheme is not ("https" or "http")) yield return $"The address of upstream {Name} is no https or http URL.";
        else if (Address.Scheme == "http" && !Address.IsLoopback && !AllowPlainText) yield return $"Upstream {Name} is reached over plain HTTP: use https, or allow it by name.";
        if (Protocol is UpstreamProtocol.Grpc && Address.IsAbsoluteUri && Address.AbsolutePath != "/") yield return $"The address of upstream {Name} has a path, which gRPC has none of.";
        if (Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromMinutes(10)) yield return $"The timeout of upstream {Name} is {Timeout}; it must be above 0 and at most 10 minutes.";
        if (MaximumAnswerBytes is < 64 or > 1 << 30) yield return $"The largest answer of upstream {Name} is {MaximumAnswerBytes} bytes; it must be from 64 to 2^30.";
    }
}
