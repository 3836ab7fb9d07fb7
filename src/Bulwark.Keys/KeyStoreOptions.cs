using System.Security.Cryptography.X509Certificates;

namespace Bulwark.Keys;

/// <summary>How this machine reaches key stores: where credentials come from, whom to trust, how long to wait. Never part of an address.</summary>
public sealed record KeyStoreOptions
{
    /// <summary>Reads a variable, for example <c>VAULT_TOKEN</c>.</summary>
    /// <value>Default: the process's environment.</value>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>Asks a person for a secret when no variable or file has it; null where nobody is there to ask.</summary>
    /// <value>Default null.</value>
    public Func<string, string?>? Ask { get; init; }

    /// <summary>Certificate authorities that a server may be vouched for by; null is the system's.</summary>
    /// <value>Default null.</value>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>Longest wait for one answer of a server.</summary>
    /// <value>Default 10 s.</value>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a request that failed on the way, or that the server was too busy for, is tried again.</summary>
    /// <value>Default 3.</value>
    public int Retries { get; init; } = 3;

    /// <summary>Another address for a cloud's API, for a private endpoint; null is the cloud's own.</summary>
    /// <value>Default null.</value>
    public Uri? Endpoint { get; init; }

    /// <summary>The clock.</summary>
    /// <value>Default: the system's.</value>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Every fault, so that one edit mends them all; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Timeout <= TimeSpan.Zero)
            yield return $"{nameof(Timeout)} is {Timeout}; it must be above 0.";
        if (Retries is < 0 or > 10)
            yield return $"{nameof(Retries)} is {Retries}; it must be 0 to 10.";
        if (Endpoint is { Scheme: not "https", IsLoopback: false })
            yield return $"{nameof(Endpoint)} is {Endpoint}; it must be https, or on this machine.";
    }
}
