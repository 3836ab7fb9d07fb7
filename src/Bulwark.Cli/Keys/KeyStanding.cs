using Bulwark.Cryptography;

namespace Bulwark.Cli.Keys;

/// <summary>One version of a keyring's key and where it stands in its cryptoperiod.</summary>
internal sealed record KeyStanding(KeyInfo Info, bool IsCurrent, CryptoperiodStanding Standing, DateTimeOffset? UseEnds, DateTimeOffset? OpeningEnds, DateTimeOffset? Rotated)
{
    /// <summary>What to do about its age; null when nothing.</summary>
    internal string? Warning => Standing switch
    {
        CryptoperiodStanding.EndsSoon => $"The key {Info.Id} may protect new things until {UseEnds:yyyy-MM-dd}: bulwark keys rotate {Info.Id.Name}",
        CryptoperiodStanding.UseIsOver => $"The key {Info.Id} should not have protected new things since {UseEnds:yyyy-MM-dd}: bulwark keys rotate {Info.Id.Name}",
        CryptoperiodStanding.OpeningIsOver => $"What {Info.Id} protected should have been under a newer key since {OpeningEnds:yyyy-MM-dd}: bulwark keys rewrap DIR, then bulwark keys destroy {Info.Id}",
        _ => null,
    };

    /// <summary>What to do about the age of another store's key before something new is put under it; null when nothing, or when the store does not say how old it is.</summary>
    internal static string? WarningOf(KeyDescription key, DateTimeOffset now)
    {
        if (key.Current is not { Created: { } created } current)
            return null;
        var period = Cryptoperiod.Of(KeyKind.Symmetric);
        return period.StandingOf(current.State, created, now, isCurrent: true) switch
        {
            CryptoperiodStanding.EndsSoon => $"The key {current.Id} may protect new things until {created + period.Use:yyyy-MM-dd}: bulwark keys rotate {current.Id.Key}",
            CryptoperiodStanding.UseIsOver or CryptoperiodStanding.OpeningIsOver => $"The key {current.Id} should not have protected new things since {created + period.Use:yyyy-MM-dd}: bulwark keys rotate {current.Id.Key}",
            _ => null,
        };
    }

    internal static IReadOnlyList<KeyStanding> Of(IReadOnlyList<KeyInfo> keys, DateTimeOffset now) => [.. keys.Select(key =>
    {
        var period = Cryptoperiod.Of(key.Kind, key.UseDays);
        var current = keys.LastOrDefault(other => other.Id.Name == key.Id.Name && other.State == KeyState.Enabled)?.Id == key.Id;
        return new KeyStanding(
            key, current, period.StandingOf(key.State, key.Created, now, current), key.Created + period.Use, period.Opening is { } opening ? key.Created + opening : null,
            keys.FirstOrDefault(next => next.Id.Name == key.Id.Name && next.Id.Version == key.Id.Version + 1)?.Created);
    })];
}
