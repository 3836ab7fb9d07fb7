using System.Reflection;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Cli.Making;

/// <summary>One run of a making line: what each step read, wrote and found, so that the next run skips what is unchanged.</summary>
/// <remarks>A step's record is written after its outputs, by rename: a step that was interrupted has no record and runs again.</remarks>
internal sealed class RunFolder
{
    /// <summary>Marks a folder as a run's own.</summary>
    private const string Marker = ".bulwark-run";

    /// <summary>The demo's own workspace; other runs keep theirs elsewhere.</summary>
    internal const string WorkspaceName = "demo-workspace";

    private static readonly string[] s_folders = ["steps", "data", "models", "registry", "pki", "receipt", "deploy", WorkspaceName];
    private static readonly string[] s_files = ["measures.json", RunStatement.FileName, Report.ReportFile.ModelName, Report.ReportFile.HtmlName];

    private readonly DirectoryInfo _records;

    private RunFolder(DirectoryInfo directory)
    {
        Directory = directory;
        _records = directory.CreateSubdirectory("steps");
    }

    internal DirectoryInfo Directory { get; }

    /// <summary>The log that the steps write to: what was logged in one workspace is not logged in another, so its steps run again there.</summary>
    internal string Log { get; set; } = "";

    /// <summary>Opens the folder, or starts it clean.</summary>
    /// <param name="path">Where; made when absent.</param>
    /// <param name="fresh">True removes what an earlier run left: only a folder that such a run made.</param>
    /// <exception cref="CommandException">The folder holds something else.</exception>
    internal static RunFolder Open(string path, bool fresh)
    {
        var directory = new DirectoryInfo(path);
        var marker = Path.Combine(directory.FullName, Marker);
        if (directory.Exists && !System.IO.File.Exists(marker) && directory.EnumerateFileSystemInfos().Any())
            throw new CommandException($"{directory.FullName} holds files that no run made.", "name an empty or new folder with -o");
        if (fresh && directory.Exists)
            Clear(directory);
        directory.Create();
        System.IO.File.WriteAllText(Path.Combine(directory.FullName, ".gitignore"), "*\n");   // keys and data do not belong in a repository
        System.IO.File.WriteAllText(marker, "A run of bulwark made this folder. With --fresh it removes what it wrote here.\n");
        return new RunFolder(directory);
    }

    /// <summary>Removes what runs write, by name; whatever else lies in the folder stays.</summary>
    private static void Clear(DirectoryInfo directory)
    {
        foreach (var name in s_folders.Select(name => Path.Combine(directory.FullName, name)).Where(System.IO.Directory.Exists))
            System.IO.Directory.Delete(name, recursive: true);
        foreach (var name in s_files.Select(name => Path.Combine(directory.FullName, name)))
            System.IO.File.Delete(name);
    }

    internal string File(params string[] parts) => Path.Combine([Directory.FullName, .. parts]);

    /// <summary>Runs one step, or takes what it found last time when its inputs, its outputs and the program are unchanged.</summary>
    /// <param name="name">The step's name; also its record's file name.</param>
    /// <param name="inputs">All that the result depends on: options, and digests of what it reads.</param>
    /// <param name="outputs">Files that the step writes; a step that learns their names by writing them adds to the list.</param>
    /// <param name="work">The step itself.</param>
    internal async Task<StepRecord<T>> StepAsync<T>(string name, object inputs, IReadOnlyList<string> outputs, Func<Task<T>> work)
    {
        var fingerprint = Fingerprint(name, inputs);
        if (await ReadAsync<T>(name) is { } known && known.Fingerprint == fingerprint && await UnchangedAsync(known))
            return known with { Reused = true };

        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        var result = await work();
        var seconds = System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds;
        var record = new StepRecord<T>(name, fingerprint, DateTimeOffset.UtcNow, seconds, await DescribeAsync(outputs), result);
        AtomicFile.Write(RecordPath(name), JsonSerializer.SerializeToUtf8Bytes(record, Screen.JsonOptions));
        return record;
    }

    private string RecordPath(string name) => Path.Combine(_records.FullName, name + ".json");

    /// <summary>A record that does not read, or lacks a part, is no record: the step runs again.</summary>
    private async Task<StepRecord<T>?> ReadAsync<T>(string name)
    {
        if (!System.IO.File.Exists(RecordPath(name)))
            return null;
        try
        {
            var record = JsonSerializer.Deserialize<StepRecord<T>>(await System.IO.File.ReadAllBytesAsync(RecordPath(name)), Screen.JsonOptions);
            return record is { Outputs: not null, Result: not null } ? record : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task<bool> UnchangedAsync<T>(StepRecord<T> known)
    {
        foreach (var output in known.Outputs)
        {
            var path = Path.Combine(Directory.FullName, output.Path);
            if (!System.IO.File.Exists(path) || new FileInfo(path).Length != output.Bytes || await DigestOfAsync(path) != output.Digest)
                return false;
        }

        return true;
    }

    private async Task<IReadOnlyList<StepOutput>> DescribeAsync(IReadOnlyList<string> outputs)
    {
        var described = new List<StepOutput>();
        foreach (var path in outputs)
            described.Add(new StepOutput(Path.GetRelativePath(Directory.FullName, path), await DigestOfAsync(path), new FileInfo(path).Length));
        return described;
    }

    internal static async Task<Digest> DigestOfAsync(string path)
    {
        await using var stream = System.IO.File.OpenRead(path);
        return await Digest.OfAsync(stream);
    }

    private Digest Fingerprint(string name, object inputs) =>
        Digest.Of(JsonSerializer.SerializeToUtf8Bytes(new { name, inputs, log = Log, program = s_program }, Screen.JsonOptions));

    /// <summary>The build that made a record, all rooms of it: another build may compute another result.</summary>
    private static readonly Digest s_program = Digest.Of(System.Text.Encoding.UTF8.GetBytes(string.Join(' ', Builds())));

    private static IEnumerable<string> Builds()
    {
        var rooms = new SortedDictionary<string, Assembly>(StringComparer.Ordinal);
        var open = new Stack<Assembly>([typeof(RunFolder).Assembly]);
        while (open.TryPop(out var room))
        {
            if (rooms.TryAdd(room.GetName().Name!, room))
            {
                foreach (var used in room.GetReferencedAssemblies().Where(used => used.Name!.StartsWith("Bulwark.", StringComparison.Ordinal)))
                    open.Push(Assembly.Load(used));
            }
        }

        return rooms.Values.Select(room => room.ManifestModule.ModuleVersionId.ToString());
    }
}

/// <summary>What one step read (as a fingerprint), wrote and found.</summary>
internal sealed record StepRecord<T>(string Name, Digest Fingerprint, DateTimeOffset Finished, double Seconds, IReadOnlyList<StepOutput> Outputs, T Result)
{
    [System.Text.Json.Serialization.JsonIgnore]
    public bool Reused { get; init; }
}

/// <summary>A file that a step wrote, relative to the run's folder.</summary>
internal sealed record StepOutput(string Path, Digest Digest, long Bytes);
