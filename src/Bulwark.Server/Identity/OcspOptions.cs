namespace Bulwark.Server;

/// <summary>How clients' certificates are asked about at an OCSP responder (RFC 6960).</summary>
public sealed record OcspOptions
{
    /// <summary>The responder. Answers are signed, so http will do; addresses in certificates are never followed.</summary>
    public required Uri Address { get; init; }

    /// <summary>True to send a nonce with each question and to demand it in the answer; false for responders that sign answers ahead.</summary>
    public bool Nonce { get; init; } = true;

    /// <summary>How long an answer is good for before the next request asks again.</summary>
    /// <value>Default: 5 minutes; from 1 second to 1 day.</value>
    public TimeSpan Refresh { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long past its end an answer still counts while the responder is away.</summary>
    /// <value>Default: none; at most 7 days.</value>
    public TimeSpan Grace { get; init; }

    /// <summary>The longest wait for an answer.</summary>
    /// <value>Default: 2 seconds; at most 30.</value>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (!Address.IsAbsoluteUri || Address.Scheme is not ("http" or "https") || Address.UserInfo.Length > 0) yield return $"Ocsp.{nameof(Address)} is {Address}; it must be http://HOST[:PORT]/ or https, without a password.";
        if (Refresh < TimeSpan.FromSeconds(1) || Refresh > TimeSpan.FromDays(1)) yield return $"Ocsp.{nameof(Refresh)} is {Refresh}; it must be from 1 second to 1 day.";
        if (Grace < TimeSpan.Zero || Grace > TimeSpan.FromDays(7)) yield return $"Ocsp.{nameof(Grace)} is {Grace}; it must be from 0 to 7 days.";
        if (Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromSeconds(30)) yield return $"Ocsp.{nameof(Timeout)} is {Timeout}; it must be above 0 and at most 30 seconds.";
    }
}
