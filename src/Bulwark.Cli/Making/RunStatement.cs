using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Cli.Making;

/// <summary>The signed list of everything a run left in its folder: whoever has the folder and the key finds what was changed, removed or added.</summary>
internal static class RunStatement
{
    internal const string FileName = "statement.json";

    /// <summary>Signs and logs the list, and keeps it in the folder.</summary>
    /// <param name="folder">The run's.</param>
    /// <param name="workspace">Whose key signs and whose log keeps it; may lie inside the folder and is then left out, for it lives on.</param>
    /// <param name="pipeline">The run's name.</param>
    /// <param name="cancel">Stops before anything is written.</param>
    internal static async Task WriteAsync(string folder, Workspace workspace, string pipeline, CancellationToken cancel)
    {
        var files = Files(folder, workspace.Directory.FullName).ToArray();
        var subjects = new List<Subject>();
        foreach (var file in files)
            subjects.Add(new Subject(NameOf(folder, file), await RunFolder.DigestOfAsync(file)));
        var statement = Statement.Of(subjects, new RunFinished
        {
            Pipeline = pipeline,
            Steps = [.. files.Select(file => NameOf(folder, file)).Where(name => name.StartsWith("steps/", StringComparison.Ordinal)).Select(name => Path.GetFileNameWithoutExtension(name))],
            Time = DateTimeOffset.UtcNow,
        });
        using var keys = workspace.OpenKeys();
        using var signer = keys.OpenSigner(Workspace.SigningKey);
        var envelope = Dsse.Sign(statement, signer);
        AtomicFile.Write(Path.Combine(folder, FileName), envelope);
        await using var log = await workspace.OpenLogAsync(keys);
        if (envelope.Length <= TransparencyLog.MaximumEntryBytes)
            await log.AppendAsync(envelope, cancel);
        else
            await workspace.AppendAsync(keys, Statement.Of(FileName, Digest.Of(envelope), new RunFinished { Pipeline = pipeline, Steps = [], Time = DateTimeOffset.UtcNow }), cancel);
    }

    /// <summary>Each file against the list.</summary>
    internal static async Task<IReadOnlyList<EvidenceLink>> VerifyAsync(string folder, IReadOnlyCollection<VerificationKey> trusted, CancellationToken cancel)
    {
        var signed = Dsse.Verify(await File.ReadAllBytesAsync(Path.Combine(folder, FileName), cancel), trusted);
        if (signed.Verdict != DsseVerdict.Trusted)
            return [EvidenceLink.Bad("signature", System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(signed.Verdict.ToString()), $"{FileName} is not signed by a trusted key: {signed.Verdict}")];
        if (Predicates.TryRead<RunFinished>(Statement.Parse(signed.Payload)) is not { } run)
            return [EvidenceLink.Bad("statement", "otherStatement", $"{FileName} is no list of a run's files")];
        var listed = Statement.Parse(signed.Payload).Subjects.ToDictionary(subject => subject.Name, subject => subject.Digest, StringComparer.Ordinal);
        var links = new List<EvidenceLink> { EvidenceLink.Good("signature", $"{run.Pipeline}, finished at {run.Time:u}, signed by {signed.Signer}") };
        foreach (var (name, digest) in listed)
        {
            var path = Path.Combine(folder, name);
            if (!File.Exists(path))
                links.Add(EvidenceLink.Bad(name, "missing", "is not there"));
            else if (await RunFolder.DigestOfAsync(path) != digest)
                links.Add(EvidenceLink.Bad(name, "changed", $"is not {digest}"));
        }

        links.AddRange(Files(folder, Path.Combine(folder, RunFolder.WorkspaceName)).Select(file => NameOf(folder, file)).Where(name => !listed.ContainsKey(name))
            .Select(name => EvidenceLink.Bad(name, "added", "the run did not leave it")));
        if (links.Count == 1)
            links.Add(EvidenceLink.Good("files", $"{listed.Count} files as the run left them"));
        return links;
    }

    private static IEnumerable<string> Files(string folder, string workspace) => Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint })
        .Where(file => NameOf(folder, file) != FileName && Path.GetRelativePath(workspace, file) is var inside && (inside.StartsWith("..", StringComparison.Ordinal) || Path.IsPathRooted(inside)))
        .Order(StringComparer.Ordinal);

    private static string NameOf(string folder, string file) => Path.GetRelativePath(folder, file).Replace(Path.DirectorySeparatorChar, '/');
}
