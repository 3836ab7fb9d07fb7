using System.CommandLine;
using Bulwark.Cli.Keys;
using Bulwark.Cryptography;
using Bulwark.Models;
using Spectre.Console;

namespace Bulwark.Cli.Models;

internal static class ModelSealCommand
{
    private static readonly Argument<DirectoryInfo> s_folder = new("folder") { Description = "The model folder that training wrote." };
    private static readonly Option<FileInfo> s_output = new("--output", "-o") { Description = "The package to write.", Required = true, HelpName = "FILE" };
    private static readonly Option<string?> s_name = new("--name") { Description = "What the model is called; else as in its manifest." };
    private static readonly Option<string?> s_version = new("--version") { Description = "Which version this is; else as in its manifest." };

    private static readonly Option<string?> s_signKey = new("--sign-key") { Description = "Also sign by OpenSSF Model Signing with this ECDSA key: the plain files inside, and the package beside it as FILE.sig.", HelpName = "KEY" };

    internal static Command Create()
    {
        var command = new Command("seal", """
            Seals a model folder: the files encrypted under a key of the package's own, the manifest signed and readable by everyone.

            The workspace's sealing key wraps the package's key, its signing key signs, its log gets an entry.

            Example: bulwark model seal runs/fraud -o fraud.bulwark --name fraud --version 1.0.0
            """) { s_folder, s_output, s_name, s_version, s_signKey };
        command.SetAction(SealAsync);
        return command;
    }

    private static async Task<int> SealAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var workspace = Workspace.Require(parsed);
        var folder = ModelFolder.Load(parsed.GetRequiredValue(s_folder).FullName);
        var output = parsed.GetRequiredValue(s_output);
        var manifest = Stated(folder.Manifest, parsed, workspace);
        using var keys = WorkspaceKeys.Open(workspace, "seal model");
        using var signer = keys.Ring.OpenSigner(Workspace.SigningKey);
        output.Directory!.Create();
        using var release = parsed.GetValue(s_signKey) is { } key ? EcdsaKeys.OpenSigner(key) : null;
        var (signed, plainRoot) = release is null ? (folder, (Digest?)null) : await SignPlainAsync(folder, parsed.GetRequiredValue(s_folder).FullName, release, cancel);
        var info = await SealedModel.SealAsync(signed, manifest, keys.Stores, Workspace.SealingKey, signer, output.FullName, cancel);
        var entry = await workspace.AppendAsync(keys.Ring, Claims.Sealed(output.Name, info, plainRoot), cancel);
        if (release is not null)
            await ModelSignature.SignAsync(output.FullName, ModelSignCommand.SignatureOf(output.FullName), release, cancel: cancel);
        var answer = new
        {
            package = output.FullName,
            digest = info.PackageDigest,
            signer = info.Signer,
            info.PlainBytes,
            info.PackageBytes,
            overheadBytes = info.PackageBytes - info.PlainBytes,
            logIndex = entry.Index,
            plainRoot,
            signature = release is null ? null : ModelSignCommand.SignatureOf(output.FullName),
            manifest = info.Manifest,
        };
        return screen.Answer(answer, console =>
        {
            console.MarkupLineInterpolated($"[green]Sealed {info.Manifest.Name} {info.Manifest.Version}[/] into {output.FullName}");
            console.MarkupLineInterpolated($"  digest   {info.PackageDigest}");
            console.MarkupLineInterpolated($"  signer   {info.Signer}");
            console.MarkupLineInterpolated($"  size     {info.PlainBytes} bytes of files, {info.PackageBytes} sealed (+{info.PackageBytes - info.PlainBytes})");
            console.MarkupLineInterpolated($"  log      entry {entry.Index}");
            console.MarkupLineInterpolated($"Anyone checks it with: bulwark model verify {output.Name} --key {info.Signer}");
        });
    }

    /// <summary>The folder with a signature over its files as one file more: it survives the unsealing. The folder's manifest is left out, for sealing rewrites it.</summary>
    private static async Task<(ModelFolder Signed, Digest? Root)> SignPlainAsync(ModelFolder folder, string path, IEcdsaSigner signer, CancellationToken cancel)
    {
        var scratch = Directory.CreateTempSubdirectory("bulwark-sign-");
        try
        {
            var signature = Path.Combine(scratch.FullName, ModelSignature.FileName);
            var info = await ModelSignature.SignAsync(path, signature, signer, options: new() { Ignore = [ModelFolder.ManifestName, ModelSignature.FileName] }, cancel: cancel);
            var files = new Dictionary<string, ReadOnlyMemory<byte>>(folder.Files) { [ModelSignature.FileName] = await File.ReadAllBytesAsync(signature, cancel) };
            return (new ModelFolder(folder.Manifest, files, folder.Weights), info.Root);
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static ModelManifest Stated(ModelManifest manifest, ParseResult parsed, Workspace workspace)
    {
        var software = Software.Current();
        return manifest with
        {
            Name = parsed.GetValue(s_name) ?? manifest.Name,
            Version = parsed.GetValue(s_version) ?? manifest.Version,
            Created = Software.Now(),
            CodeVersion = manifest.CodeVersion ?? software.Version,
            Dependencies = manifest.Dependencies.Count > 0 ? manifest.Dependencies : software.Dependencies,
            InsecureNotes = workspace.IsUnprotected ? [.. manifest.InsecureNotes.Union(["Sealed and signed with a development keyring: its key file stands beside it."])] : manifest.InsecureNotes,
        };
    }
}
