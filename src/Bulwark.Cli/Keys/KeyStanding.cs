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

    internal static IReadOnlyList<KeyStanding> Of(IReadOnlyList<KeyInfo> keys, DateTimeOffset now) => [.. keys.Select(key =>
    {
        var period = Cryptoperiod.Of(key.Kind, key.UseDays);
        var current = keys.LastOrDefault(other => other.Id.Name == key.Id.Name && other.State == KeyState.Enabled)?.Id == key.Id;
        return new KeyStanding(
            key, current, period.StandingOf(key.State, key.Created, now, current), key.Created + period.Use, period.Opening is { } opening ? key.Created + opening : null,
            keys.FirstOrDefault(next => next.Id.Name == key.Id.Name && next.Id.Version == key.Id.Version + 1)?.Created);
    })];
}
