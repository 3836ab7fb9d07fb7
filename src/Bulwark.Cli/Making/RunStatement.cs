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
        var files = Files(folder, workspace.Directory.FullName).Where(file => NameOf(folder, file) != FileName).ToArray();
        if (files.FirstOrDefault(file => new FileInfo(file).LinkTarget is not null) is { } link)
            throw new InvalidDataException($"{NameOf(folder, link)} is a symbolic link: a run is signed without links.");
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
        var links = new List<EvidenceLink> { EvidenceLink.Good("signature", $"{run.Pipeline}, finished at {run.Time:u}, signed by {signed.Signer}") };
        var listed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, digest) in Statement.Parse(signed.Payload).Subjects)
        {
            listed.Add(name);
            if (await FaultAsync(folder, name, digest) is var (fault, detail))
                links.Add(EvidenceLink.Bad(name, fault, detail));
        }

        links.AddRange(Files(folder, Path.Combine(folder, RunFolder.WorkspaceName)).Select(file => NameOf(folder, file)).Where(name => name != FileName && !listed.Contains(name))
            .Select(name => EvidenceLink.Bad(name, "added", "the run did not leave it")));
        if (links.Count == 1)
            links.Add(EvidenceLink.Good("files", $"{listed.Count} files as the run left them"));
        return links;
    }

    /// <summary>A name leads to a file in the folder, and through no link: what lies elsewhere is nothing that a run left.</summary>
    private static async Task<(string Fault, string Detail)?> FaultAsync(string folder, string name, Digest digest)
    {
        var parts = name.Split('/');
        if (Path.IsPathRooted(name) || name.Contains('\\', StringComparison.Ordinal) || parts.Any(part => part is "" or "." or ".."))
            return ("outside", "does not lie in the run's folder");
        var path = folder;
        foreach (var part in parts)
        {
            path = Path.Combine(path, part);
            if (new FileInfo(path).LinkTarget is not null)
                return ("link", "is a symbolic link, or lies behind one");
        }

        if (!File.Exists(path))
            return ("missing", "is not there");
        return await RunFolder.DigestOfAsync(path) == digest ? null : ("changed", $"is not {digest}");
    }

    /// <summary>Every file and every link; links are not followed. The workspace lives on, and is left out.</summary>
    private static IEnumerable<string> Files(string folder, string workspace)
    {
        var entries = new DirectoryInfo(folder).EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = 0 })
            .Where(entry => entry.FullName != Path.GetFullPath(workspace)).OrderBy(entry => entry.FullName, StringComparer.Ordinal).ToArray();
        return entries.SelectMany(entry => entry is DirectoryInfo { LinkTarget: null } ? Files(entry.FullName, workspace) : [entry.FullName]);
    }

    private static string NameOf(string folder, string file) => Path.GetRelativePath(folder, file).Replace(Path.DirectorySeparatorChar, '/');
}
