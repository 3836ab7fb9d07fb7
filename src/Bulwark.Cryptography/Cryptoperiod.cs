namespace Bulwark.Cryptography;

/// <summary>Where a key's version stands in its life.</summary>
public enum CryptoperiodStanding
{
    /// <summary>Unknown: the store does not say when it was made.</summary>
    Unknown = 0,

    /// <summary>Within its time.</summary>
    Current,

    /// <summary>It may protect new things for 30 more days at most: time to rotate.</summary>
    EndsSoon,

    /// <summary>It has protected new things for longer than it should: rotate.</summary>
    UseIsOver,

    /// <summary>What it protected should be under a newer key by now: rewrap, then destroy it.</summary>
    OpeningIsOver,

    /// <summary>It is destroyed; time no longer matters.</summary>
    Destroyed,
}

/// <summary>How long a key may protect new things (originator usage period), and how long what it protected may be opened by it (recipient usage period).</summary>
/// <remarks>
/// Source: NIST SP 800-57 part 1 revision 5, §5.3.6 and table 1: a symmetric key-wrapping key at most 2 years and 3 more for opening; a private
/// signature key 1 to 3 years. PCI DSS 3.7.4 asks for a defined period and for change at its end.
/// </remarks>
/// <param name="Use">From creation, for protecting new things.</param>
/// <param name="Opening">From creation, for opening; null without an end (a signature stays verifiable).</param>
public sealed record Cryptoperiod(TimeSpan Use, TimeSpan? Opening)
{
    private static readonly TimeSpan s_notice = TimeSpan.FromDays(30);

    /// <summary>The recommended periods of a kind of key.</summary>
    /// <param name="kind">What the key is for.</param>
    /// <param name="useDays">A shorter or longer use that its owner decided; null is the recommendation.</param>
    public static Cryptoperiod Of(KeyKind kind, int? useDays = null)
    {
        var use = TimeSpan.FromDays(useDays ?? 2 * 365);
        return new Cryptoperiod(use, kind == KeyKind.Symmetric ? use + TimeSpan.FromDays(3 * 365) : null);
    }

    /// <summary>Where one version stands.</summary>
    /// <param name="state">What it may still do.</param>
    /// <param name="created">When it was made; null is unknown.</param>
    /// <param name="now">The present.</param>
    /// <param name="isCurrent">True when it is the version that protects new things; an older one is no longer used for that, whatever its state.</param>
    public CryptoperiodStanding StandingOf(KeyState state, DateTimeOffset? created, DateTimeOffset now, bool isCurrent)
    {
        if (state == KeyState.Destroyed)
            return CryptoperiodStanding.Destroyed;
        if (created is not { } made)
            return CryptoperiodStanding.Unknown;
        if (Opening is { } opening && now >= made + opening)
            return CryptoperiodStanding.OpeningIsOver;
        if (state != KeyState.Enabled || !isCurrent)
            return CryptoperiodStanding.Current;
        return now >= made + Use ? CryptoperiodStanding.UseIsOver
            : now >= made + Use - s_notice ? CryptoperiodStanding.EndsSoon
            : CryptoperiodStanding.Current;
    }
}
