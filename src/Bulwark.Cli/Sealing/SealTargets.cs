using System.CommandLine;
using Bulwark.Cli.Keys;
using Bulwark.Cryptography;
using Bulwark.Interchange;

namespace Bulwark.Cli.Sealing;

/// <summary>Who a file is sealed to, as the command line says it.</summary>
internal sealed class SealTargets : IDisposable
{
    private readonly WorkspaceKeys? _keys;

    private SealTargets(WorkspaceKeys? keys, IReadOnlyList<KeyUri> addresses, IReadOnlyList<X25519PublicKey> people, string? passphrase) =>
        (_keys, Addresses, People, Passphrase) = (keys, addresses, people, passphrase);

    internal IReadOnlyList<KeyUri> Addresses { get; }

    internal IReadOnlyList<X25519PublicKey> People { get; }

    internal string? Passphrase { get; }

    internal IReadOnlyList<SealRecipient> Recipients =>
    [
        .. Addresses.Select(address => SealRecipient.Key(_keys!.Stores, address)),
        .. People.Select(SealRecipient.X25519),
        .. Passphrase is null ? Array.Empty<SealRecipient>() : [SealRecipient.Passphrase(Passphrase)],
    ];

    internal IReadOnlyList<AgeRecipient> AgeRecipients => Addresses.Count > 0
        ? throw new CommandException("An age file is sealed to X25519 keys or to a passphrase, not to keys in a store.", "--to age1… or --passphrase")
        : [.. People.Select(AgeRecipient.X25519), .. Passphrase is null ? Array.Empty<AgeRecipient>() : [AgeRecipient.Passphrase(Passphrase)]];

    /// <param name="parsed">The command line.</param>
    /// <param name="to">Recipients as text.</param>
    /// <param name="passphrase">A passphrase that opens it, too, or null.</param>
    /// <param name="otherwise">The key when nobody else is named; null for none.</param>
    /// <param name="screen">Hears of keys past their time.</param>
    /// <param name="cancel">Ends the wait for a key store.</param>
    internal static async Task<SealTargets> ReadAsync(ParseResult parsed, IEnumerable<string> to, string? passphrase, string? otherwise, Screen screen, CancellationToken cancel)
    {
        var texts = to.ToList();
        if (texts.Count == 0 && passphrase is null && otherwise is not null)
            texts.Add(otherwise);
        var people = texts.Select(SealSecrets.PublicKey).OfType<X25519PublicKey>().ToArray();
        var addresses = texts.Where(text => SealSecrets.PublicKey(text) is null).Select(text => KeyAddress.Parse(text)!).ToArray();
        var keys = addresses.Length == 0 ? null : WorkspaceKeys.Open(Workspace.Require(parsed), "seal", addresses);
        foreach (var address in addresses)
            await keys!.WarnOfAgeAsync(screen, address, cancel);
        return new SealTargets(keys, addresses, people, passphrase);
    }

    public void Dispose() => _keys?.Dispose();
}
