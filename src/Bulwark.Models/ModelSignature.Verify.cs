using Bulwark.Models.Signing;

namespace Bulwark.Models;

public static partial class ModelSignature
{
    /// <summary>Checks a model against its signature: every byte of every file, whatever was known of it before.</summary>
    /// <param name="model">A folder or a file.</param>
    /// <param name="signature">The signature file.</param>
    /// <param name="trust">Whom to believe.</param>
    /// <param name="allowUnsigned">True accepts files that nobody signed.</param>
    /// <param name="progress">Fraction of the bytes hashed.</param>
    /// <param name="cancel">Stops the work.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static async Task<ModelSignatureReport> VerifyAsync(
        string model, string signature, SignatureTrust trust, bool allowUnsigned = false, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(trust);
        var length = new FileInfo(signature).Length;
        var (report, statement) = length > LargestBundle
            ? (new ModelSignatureReport(ModelSignatureVerdict.Malformed, $"{length} bytes are more than a signature file has."), null)
            : Read(await File.ReadAllBytesAsync(signature, cancel).ConfigureAwait(false), trust);
        return statement is null ? report : await Task.Run(() => Compare(model, signature, statement, report, allowUnsigned, progress, cancel), cancel).ConfigureAwait(false);
    }

    /// <summary>Checks the signature alone: form, signer, statement. No file of the model is read.</summary>
    public static ModelSignatureReport VerifyStatement(ReadOnlyMemory<byte> signature, SignatureTrust trust)
    {
        ArgumentNullException.ThrowIfNull(trust);
        return Read(signature, trust).Report;
    }

    /// <summary>Checks files in memory against their signature: those of a sealed model, for a worker that never writes them.</summary>
    /// <param name="files">Name to content; the signature itself is passed over.</param>
    /// <param name="signature">The signature's bytes.</param>
    /// <param name="trust">Whom to believe.</param>
    public static ModelSignatureReport VerifyFiles(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, ReadOnlyMemory<byte> signature, SignatureTrust trust)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(trust);
        var (report, statement) = Read(signature, trust);
        if (statement is null)
            return report;
        if (statement.Serialization is not { ShardBytes: null, Hash: Cryptography.ContentHashKind.Sha256 })
            return report with { Verdict = ModelSignatureVerdict.Unsupported, Detail = "files in memory are checked by whole SHA-256 digests only" };
        var found = files.Where(file => file.Key != FileName && !statement.Serialization.Ignored.Contains(file.Key))
            .ToDictionary(file => file.Key, file => Cryptography.Digest.Of(file.Value.Span).ToHex(), StringComparer.Ordinal);
        report = report with { Ignored = [.. files.Keys.Where(name => name != FileName && statement.Serialization.Ignored.Contains(name))] };
        var wanted = statement.Resources.ToDictionary(resource => resource.Name, resource => resource.Digest, StringComparer.Ordinal);
        return Differences(
            report, [.. wanted.Where(one => found.TryGetValue(one.Key, out var digest) && digest != one.Value).Select(one => one.Key)],
            [.. wanted.Keys.Where(name => !found.ContainsKey(name))], [.. found.Keys.Where(name => !wanted.ContainsKey(name))], statement);
    }

    private static (ModelSignatureReport Report, OmsStatement? Statement) Read(ReadOnlyMemory<byte> bytes, SignatureTrust trust)
    {
        OmsBundle bundle;
        try
        {
            bundle = OmsBundle.Parse(bytes);
        }
        catch (FormatException failure)
        {
            return (new(ModelSignatureVerdict.Malformed, failure.Message), null);
        }

        if (bundle.Material.Method == OmsMethod.Keyless)
            return (new(ModelSignatureVerdict.Unsupported, "a keyless signature of Sigstore: Bulwark checks those by key and by certificate"), null);
        var (verdict, detail, key) = trust.Signer(bundle.Material);
        if (key is null)
            return (new(verdict, detail), null);
        if (!key.Verify(bundle.Signed, bundle.Signature))
            return (new(ModelSignatureVerdict.WrongSignature, $"not signed by {detail}: the statement or the signature was changed", detail), null);
        try
        {
            var statement = OmsStatement.Parse(bundle.Payload);
            return (new(ModelSignatureVerdict.Trusted, $"signed by {detail}", detail, statement.Model, statement.Root, statement.Resources.Count), statement);
        }
        catch (FormatException failure)
        {
            return (new(ModelSignatureVerdict.WrongStatement, failure.Message, detail), null);
        }
        catch (NotSupportedException failure)
        {
            return (new(ModelSignatureVerdict.Unsupported, failure.Message, detail), null);
        }
    }

    private static ModelSignatureReport Compare(
        string model, string signature, OmsStatement statement, ModelSignatureReport signed, bool allowUnsigned, IProgress<double>? progress, CancellationToken cancel)
    {
        var never = Ignored(model, signature, []);
        signed = signed with { Ignored = [.. statement.Serialization.Ignored.Except(never, StringComparer.Ordinal).Where(name => Path.Exists(Path.Combine(model, name)))] };
        var ignored = statement.Serialization.Ignored.Concat(never).ToList();
        List<TreeFile> files;
        try
        {
            files = ModelTree.Read(model, ignored, statement.Serialization.AllowLinks);
        }
        catch (InvalidDataException failure)
        {
            return signed with { Verdict = ModelSignatureVerdict.ModelAltered, Detail = failure.Message };
        }

        if (files.Count == 1 && File.Exists(model) && statement.Resources.Any(resource => resource.Name == ModelTree.OldFileName))
            files = [files[0] with { Name = ModelTree.OldFileName }];   // v0.3.1 and v1.0.0 name a lone file so
        var names = statement.Resources.Select(resource => statement.Serialization.FileOf(resource.Name)).ToHashSet(StringComparer.Ordinal);
        string[] unsigned = allowUnsigned ? [] : [.. files.Select(file => file.Name).Where(name => !names.Contains(name))];
        try
        {
            // What nobody signed is not read: it could be of any length.
            var found = new ModelHasher(statement.Serialization, cache: null, progress).Hash([.. files.Where(file => names.Contains(file.Name))], cancel)
                .ToDictionary(resource => resource.Name, resource => resource.Digest, StringComparer.Ordinal);
            string[] changed = [.. statement.Resources.Where(one => found.TryGetValue(one.Name, out var digest) && digest != one.Digest).Select(one => one.Name)];
            string[] missing = [.. statement.Resources.Select(one => one.Name).Where(name => !found.ContainsKey(name))];
            string[] grown = [.. found.Keys.Except(statement.Resources.Select(one => one.Name), StringComparer.Ordinal)];
            return Differences(signed, changed, missing, [.. unsigned, .. grown], statement);
        }
        catch (InvalidDataException failure)
        {
            return signed with { Verdict = ModelSignatureVerdict.ModelAltered, Detail = failure.Message };
        }
    }

    private static ModelSignatureReport Differences(ModelSignatureReport signed, string[] changed, string[] missing, string[] added, OmsStatement statement)
    {
        if (changed.Length + missing.Length + added.Length == 0)
            return signed with { Detail = $"{signed.Detail}; {statement.Resources.Count} {(statement.Serialization.ShardBytes is null ? "files" : "shards")} as signed" };
        var parts = new[] { ("changed", changed), ("missing", missing), ("not signed", added) }.Where(part => part.Item2.Length > 0)
            .Select(part => $"{part.Item1}: {string.Join(", ", part.Item2.Take(5))}{(part.Item2.Length > 5 ? $" and {part.Item2.Length - 5} more" : "")}");
        return signed with { Verdict = ModelSignatureVerdict.ModelAltered, Detail = string.Join("; ", parts), Changed = changed, Missing = missing, Unsigned = added };
    }
}
