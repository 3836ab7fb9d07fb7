using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bulwark.Cryptography;
using Bulwark.Policy;
using Bulwark.Server;

namespace Bulwark.Cli.Serving;

/// <summary>Watches a gateway's files and exchanges what changed while it runs. What cannot be read changes nothing, and is said once.</summary>
/// <remarks>Files are compared by their bytes and not by their dates, which renames and mounted secrets do not keep.</remarks>
internal sealed class GatewayReload
{
    private const string BundleName = "bundle.json";
    private readonly GatewayHost _host;
    private readonly string _pki;
    private readonly string? _policy;
    private readonly IReadOnlyCollection<VerificationKey> _policySigners;
    private readonly bool _followsTokenKeys;
    private readonly Action<string> _note;
    private Digest _server, _trust, _tokens, _signedPolicy;

    /// <param name="host">The gateway.</param>
    /// <param name="pki">The folder with ca.crt or bundle.json, *.crl, server.crt, server.key, token-keys.json.</param>
    /// <param name="policy">The policy's file; a change is taken from the same name with <c>.dsse</c> behind it. Null watches none.</param>
    /// <param name="policySigners">Who may sign a policy.</param>
    /// <param name="followsTokenKeys">True to watch token-keys.json; false where the keys come from the issuer.</param>
    /// <param name="note">Gets a sentence on every exchange and every failure.</param>
    internal GatewayReload(GatewayHost host, string pki, string? policy, IReadOnlyCollection<VerificationKey> policySigners, bool followsTokenKeys, Action<string> note)
    {
        (_host, _pki, _policy, _policySigners, _followsTokenKeys, _note) = (host, pki, policy, policySigners, followsTokenKeys, note);
        (_server, _trust, _tokens, _signedPolicy) = (OfFiles("server.crt", "server.key"), OfTrust(), OfFiles("token-keys.json"), OfPolicy());
    }

    /// <summary>The clients' authorities of a folder: <c>ca.crt</c> (PEM), <c>bundle.json</c> (a SPIFFE trust bundle), or both.</summary>
    /// <exception cref="FileNotFoundException">There is neither.</exception>
    internal static IReadOnlyList<X509Certificate2> Authorities(string folder)
    {
        var (pem, bundle) = (Path.Combine(folder, "ca.crt"), Path.Combine(folder, BundleName));
        var roots = new X509Certificate2Collection();
        if (File.Exists(pem) || !File.Exists(bundle))
            roots.ImportFromPemFile(pem);
        return File.Exists(bundle) ? [.. roots, .. SpiffeBundle.Authorities(File.ReadAllBytes(bundle))] : [.. roots];
    }

    /// <summary>The SPIFFE trust bundle of a folder; null when there is none.</summary>
    internal static ReadOnlyMemory<byte>? Bundle(string folder) => Path.Combine(folder, BundleName) is var file && File.Exists(file) ? File.ReadAllBytes(file) : (ReadOnlyMemory<byte>?)null;

    /// <summary>The revocation lists of a folder: every <c>*.crl</c>, DER or PEM.</summary>
    internal static IReadOnlyList<byte[]> RevocationLists(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*.crl").Order(StringComparer.Ordinal).Select(file => DerOf(File.ReadAllBytes(file)))];

    /// <summary>Looks every <paramref name="every"/> until it is cancelled.</summary>
    internal async Task FollowAsync(TimeSpan every, CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(every);
        while (await timer.WaitForNextTickAsync(cancel))
            await LookAsync(cancel);
    }

    /// <summary>Looks once.</summary>
    internal async Task LookAsync(CancellationToken cancel)
    {
        await TryAsync("server certificate", OfFiles("server.crt", "server.key"), _server, seen => _server = seen, () =>
        {
            _host.RotateServerCertificate(X509Certificate2.CreateFromPemFile(PathOf("server.crt"), PathOf("server.key")));
            return Task.CompletedTask;
        });
        await TryAsync("client authorities and revocation lists", OfTrust(), _trust, seen => _trust = seen, () =>
        {
            _host.RotateClientTrust(Authorities(_pki), RevocationLists(_pki), Bundle(_pki));
            return Task.CompletedTask;
        });
        if (_followsTokenKeys)
            await TryAsync("token keys", OfFiles("token-keys.json"), _tokens, seen => _tokens = seen, async () =>
                _host.RotateTokenKeys(JsonWebKeySet.Parse(await File.ReadAllTextAsync(PathOf("token-keys.json"), cancel))));
        if (_policy is not null && File.Exists(SignedPath))
            await TryAsync("access policy", OfPolicy(), _signedPolicy, seen => _signedPolicy = seen, async () =>
                await _host.ChangePolicyAsync(
                    SignedPolicy.Open(await File.ReadAllBytesAsync(SignedPath, cancel), _policySigners, out var fault) ?? throw new InvalidDataException($"{Path.GetFileName(SignedPath)}: {fault}"), cancel));
    }

    private string SignedPath => _policy + ".dsse";

    /// <summary>A state that failed is not tried again until the files change once more.</summary>
    private async Task TryAsync(string what, Digest now, Digest before, Action<Digest> seen, Func<Task> exchange)
    {
        if (now == before)
            return;
        try
        {
            await exchange();
            _note($"rotated: {what}");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException or FormatException or InvalidDataException or PolicySyntaxException)
        {
            _note($"not rotated, what was in force stays: {what}: {fault.Message}");
        }

        seen(now);
    }

    private Digest OfTrust() => OfPaths(Directory.Exists(_pki) ? [PathOf("ca.crt"), PathOf(BundleName), .. Directory.EnumerateFiles(_pki, "*.crl").Order(StringComparer.Ordinal)] : []);

    private Digest OfPolicy() => _policy is null ? default : OfPaths([SignedPath]);

    private Digest OfFiles(params string[] names) => OfPaths(names.Select(PathOf));

    private static Digest OfPaths(IEnumerable<string> paths)
    {
        using var all = new MemoryStream();
        foreach (var path in paths)
        {
            try
            {
                all.Write(Digest.Of(File.ReadAllBytes(path)).Bytes);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                all.WriteByte(0);   // not there now: a state of its own
            }
        }

        return Digest.Of(all.ToArray());
    }

    private static byte[] DerOf(byte[] bytes)
    {
        if (bytes.Length > 0 && bytes[0] == 0x30)
            return bytes;
        var text = System.Text.Encoding.ASCII.GetString(bytes);
        return PemEncoding.TryFind(text, out var fields) ? Convert.FromBase64String(text[fields.Base64Data]) : bytes;
    }

    private string PathOf(string name) => Path.Combine(_pki, name);
}
