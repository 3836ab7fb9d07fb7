using System.CommandLine;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Models;
using Spectre.Console;

namespace Bulwark.Cli.Models;

internal static class ModelSignCommand
{
    private static readonly Argument<string> s_model = new("model") { Description = "A model folder or file." };
    private static readonly Option<string> s_key = new("--key") { Description = "The private key: a PEM file (its passphrase in BULWARK_PASSPHRASE when it is encrypted), or pkcs11:… for a key on a token.", Required = true, HelpName = "KEY" };
    private static readonly Option<FileInfo?> s_chain = new("--chain") { Description = "Sign by certificate: PEM file with the signer's certificate and those above it, without the root.", HelpName = "FILE" };
    private static readonly Option<FileInfo?> s_output = new("--output", "-o") { Description = "The signature; the default is model.sig in the folder, or FILE.sig beside the file.", HelpName = "FILE" };
    private static readonly Option<string[]> s_ignore = new("--ignore") { Description = "A path in the model to leave out; give it again for more.", HelpName = "PATH" };
    private static readonly Option<bool> s_links = new("--allow-symlinks") { Description = "Follow links to files." };
    private static readonly Option<long?> s_shards = new("--shards") { Description = "Hash files in shards of so many bytes, so that one large file keeps all cores busy.", HelpName = "BYTES" };
    private static readonly Option<string> s_hash = new("--hash") { Description = "sha256 or blake2b.", DefaultValueFactory = _ => "sha256" };
    private static readonly Option<FileInfo?> s_cache = new("--cache") { Description = "Where digests are remembered for the next signing; the default is in the workspace.", HelpName = "FILE" };
    private static readonly Option<bool> s_again = new("--no-cache") { Description = "Read every byte again." };

    internal static Command Create()
    {
        s_hash.AcceptOnlyFromAmong("sha256", "blake2b");
        var command = new Command("sign", """
            Signs a model folder or file so that OpenSSF Model Signing tools verify it. Signing again after an edit reads only what changed.

            Example: bulwark model sign runs/fraud --key release.pem
            """) { s_model, s_key, s_chain, s_output, s_ignore, s_links, s_shards, s_hash, s_cache, s_again };
        command.SetAction(SignAsync);
        return command;
    }

    /// <summary>Where the signature of a model is looked for and written when nobody says.</summary>
    internal static string SignatureOf(string model) => Directory.Exists(model) ? Path.Combine(model, ModelSignature.FileName) : model + ".sig";

    private static async Task<int> SignAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var model = Path.GetFullPath(parsed.GetRequiredValue(s_model));
        if (!Path.Exists(model))
            throw new CommandException($"There is no model {model}.");
        var output = parsed.GetValue(s_output)?.FullName ?? SignatureOf(model);
        using var signer = EcdsaKeys.OpenSigner(parsed.GetRequiredValue(s_key));
        var chain = parsed.GetValue(s_chain) is { } file ? EcdsaKeys.Certificates(file) : [];
        var options = new ModelSignatureOptions
        {
            Ignore = [.. (parsed.GetValue(s_ignore) ?? []).Select(path => Path.Combine(model, path))],
            AllowLinks = parsed.GetValue(s_links),
            ShardBytes = parsed.GetValue(s_shards),
            Hash = parsed.GetValue(s_hash) == "blake2b" ? ContentHashKind.Blake2b : ContentHashKind.Sha256,
            CachePath = parsed.GetValue(s_again) ? null : parsed.GetValue(s_cache)?.FullName ?? CacheIn(Workspace.Find(parsed)),
        };
        var info = await screen.ProgressAsync("signing", progress => ModelSignature.SignAsync(model, output, signer, chain, options, progress, cancel));
        var entry = await LogAsync(parsed, info, signer.PublicKey, cancel);
        return screen.Answer(
            new { model, signature = output, info.Root, info.Resources, info.Bytes, info.HashedBytes, key = signer.PublicKey.ToString(), certificate = chain.Count > 0 ? chain[0].Subject : null, logIndex = entry },
            console =>
            {
                console.MarkupLineInterpolated($"[green]Signed {info.Model}[/]: {info.Resources} {(options.ShardBytes is null ? "files" : "shards")}, {DataFiles.Size(info.Bytes)}, of which {DataFiles.Size(info.HashedBytes)} were read");
                console.MarkupLineInterpolated($"  root       {info.Root}");
                console.MarkupLineInterpolated($"  key        {signer.PublicKey}");
                console.MarkupLineInterpolated($"  signature  {output}");
                console.MarkupLineInterpolated($"Anyone checks it with: bulwark model verify-signature {parsed.GetRequiredValue(s_model)} {(chain.Count > 0 ? "--roots ca.pem" : "--key public.pem")}");
            });
    }

    private static string? CacheIn(Workspace? workspace) => workspace is null ? null : Path.Combine(workspace.Directory.FullName, "model-digests");

    private static async Task<long?> LogAsync(ParseResult parsed, ModelSignatureInfo info, EcdsaKey key, CancellationToken cancel) => Workspace.Find(parsed) is not { } workspace ? null
        : (await workspace.AppendAsync(Statement.Of(info.Model, info.Root, new KeyUsed { Operation = "sign", Key = key.ToString(), Purpose = "model signature", Time = DateTimeOffset.UtcNow }), cancel)).Index;
}
