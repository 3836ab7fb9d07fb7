using System.CommandLine;
using Bulwark.Cli.Keys;
using Bulwark.Cryptography;
using Bulwark.Interchange;

namespace Bulwark.Cli.Sealing;

/// <summary>What the command line gives to open a file with: named private keys and passphrases, otherwise the workspace's keyring.</summary>
internal sealed class OpenKeys : IDisposable
{
    internal static readonly Option<FileInfo[]> Identity = SealSecrets.IdentityOption();
    internal static readonly Option<bool> Passphrase = SealSecrets.PassphraseOption("Ask for the passphrase.");
    internal static readonly Option<FileInfo?> PassphraseFile = SealSecrets.PassphraseFileOption();
    internal static readonly Option<string[]> Key = new("--key") { Description = "A key in another store (vault:…, pkcs11:…), which may then be asked; may be repeated.", HelpName = "ADDRESS" };

    internal static readonly Option<int> AcceptCost = new("--accept-cost") { Description = "How many times the usual work a file may ask for to try a passphrase.", DefaultValueFactory = _ => SealIdentity.UsualMostWork, HelpName = "N" };

    private readonly IReadOnlyList<X25519KeyPair> _pairs;
    private readonly int _mostWork;
    private readonly string? _passphrase;
    private readonly WorkspaceKeys? _keys;

    private OpenKeys(IReadOnlyList<X25519KeyPair> pairs, string? passphrase, int mostWork, WorkspaceKeys? keys) => (_pairs, _passphrase, _mostWork, _keys) = (pairs, passphrase, mostWork, keys);

    internal IReadOnlyList<SealIdentity> Identities =>
    [
        .. _keys is null ? Array.Empty<SealIdentity>() : [SealIdentity.Keys(_keys.Stores)],
        .. _pairs.Select(SealIdentity.X25519),
        .. _passphrase is null ? Array.Empty<SealIdentity>() : [SealIdentity.Passphrase(_passphrase, _mostWork)],
    ];

    internal IReadOnlyList<AgeIdentity> AgeIdentities => _pairs.Count == 0 && _passphrase is null
        ? throw new CommandException("An age file is opened by a private key or a passphrase.", "--identity FILE or --passphrase")
        : [.. _pairs.Select(AgeIdentity.X25519), .. _passphrase is null ? Array.Empty<AgeIdentity>() : [AgeIdentity.Passphrase(_passphrase, AgeCost)]];

    /// <summary>age's work doubles step by step; its own usual one is the limit unless more was accepted.</summary>
    private int AgeCost => Math.Min(AgeIdentity.UsualLogCost + int.Log2(Math.Max(1, _mostWork / SealIdentity.UsualMostWork)), 20);

    /// <param name="parsed">The command line.</param>
    /// <param name="purpose">What the keys are used for, as the log will say.</param>
    /// <param name="needsKeys">True for a sealed file: without a named private key or passphrase, the keyring is opened.</param>
    internal static OpenKeys Read(ParseResult parsed, string purpose, bool needsKeys)
    {
        var pairs = SealSecrets.Identities(parsed, Identity);
        var passphrase = SealSecrets.Passphrase(parsed, Passphrase, PassphraseFile, twice: false);
        var addresses = (parsed.GetValue(Key) ?? []).Select(text => KeyAddress.Parse(text)!).ToArray();
        var opensRing = needsKeys && (addresses.Length > 0 || (pairs.Count == 0 && passphrase is null));
        return new OpenKeys(pairs, passphrase, parsed.GetValue(AcceptCost), opensRing ? WorkspaceKeys.Open(Workspace.Require(parsed), purpose, addresses) : null);
    }

    /// <summary>Says at once when nothing here can open the file.</summary>
    /// <exception cref="CommandException">Nothing can.</exception>
    internal void RequireOne(SealedFileInfo info, string name)
    {
        if (info.Slots.Any(Opens))
            return;
        throw new CommandException(
            $"{(_keys is null ? "Nothing that was given opens" : "This keyring has none of the keys that open")} {name}; it is sealed for: {string.Join(", ", info.Slots)}.",
            "open it in the workspace that sealed it, or with --identity, --passphrase or --key");
    }

    public void Dispose()
    {
        foreach (var pair in _pairs)
            pair.Dispose();
        _keys?.Dispose();
    }

    private bool Opens(KeySlot slot) => slot switch
    {
        WrappedSlot { Wrapped.Kek: var kek } when kek.IsInRing() => _keys?.Ring.List().Any(known => KeyUri.Of(known.Id) == kek && known.State != KeyState.Destroyed) ?? false,
        WrappedSlot { Wrapped.Kek: var kek } => _keys?.Stores.Holds(kek) ?? false,
        X25519Slot { PublicKey: var key } => _pairs.Any(pair => pair.PublicKey.Equals(key)),
        PassphraseSlot => _passphrase is not null,
        _ => false,
    };
}
