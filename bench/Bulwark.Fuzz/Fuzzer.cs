using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Bulwark.Fuzz;

/// <summary>Runs one target on broken inputs for a while. What answers in a new way is kept and broken further.</summary>
/// <remarks>
/// No instrumentation: an answer's signature is its exception's type and the innermost places of its stack, or the success and its size class.
/// Found are exceptions that are no refusal, inputs that take more than <see cref="s_slowest"/> of processor time (or hang), and those that allocate more than <see cref="MostAllocated"/>.
/// </remarks>
internal sealed class Fuzzer(IFuzzTarget target, int seed, [CallerFilePath] string source = "")
{
    private const long MostAllocated = 512L << 20;
    private const int LargestKept = 64 * 1024;
    private static readonly TimeSpan s_slowest = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(15);   // a wait that costs no processor time: not even a busy machine takes so long

    private readonly Random _random = new(seed);
    private readonly List<byte[]> _corpus = [];
    private readonly HashSet<string> _signatures = new(StringComparer.Ordinal);
    private readonly HashSet<string> _findings = new(StringComparer.Ordinal);
    private byte[] _current = [];
    private bool _isRunning;
    private long _runs;
    private int _known;
    private (long Run, TimeSpan Cpu, long Since) _watched;

    private string CorpusFolder => Path.Combine(Path.GetDirectoryName(source)!, "corpus", target.Name);

    private string FindingsFolder => Path.Combine(Path.GetDirectoryName(source)!, "findings", target.Name);

    /// <param name="duration">Of processor time: what other programs take of the machine does not shorten a run.</param>
    /// <returns>True when nothing was found.</returns>
    internal bool Run(TimeSpan duration)
    {
        var (total, begun) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
        AppDomain.CurrentDomain.ProcessExit += AtExit;   // whatever ends the process, what was done is said
        using var watchdog = new Timer(_ => Watch(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        foreach (var input in Starting())
            Try(input, keep: true);
        _known = _corpus.Count;
        var mutator = new Mutator(_random);
        for (var start = Environment.CpuUsage.TotalTime; Environment.CpuUsage.TotalTime - start < duration && _findings.Count < 20;)
            Try(mutator.Mutate(Pick(), Pick()), keep: false);
        AppDomain.CurrentDomain.ProcessExit -= AtExit;
        Console.WriteLine(Summary());
        return _findings.Count == 0;

        void AtExit(object? sender, EventArgs args) => Console.WriteLine(Summary() + "; stopped");

        string Summary() =>
            $"{target.Name}: {_runs:N0} inputs in {(Environment.CpuUsage.TotalTime - begun).TotalSeconds:N0} s of processor time, {total.Elapsed.TotalSeconds:N0} s in all, "
            + $"seed {seed}, corpus {_known} + {_corpus.Count - _known} new, {_signatures.Count} different answers, "
            + $"{GC.GetTotalMemory(forceFullCollection: true) >> 20} MiB live, {_findings.Count} findings";
    }

    /// <summary>Keeps of the corpus only what answers in a way that neither a seed nor a smaller file does; tells how much went.</summary>
    internal void Prune()
    {
        foreach (var seed in target.Seeds())
            Try(seed, keep: true);
        var files = Directory.Exists(CorpusFolder) ? new DirectoryInfo(CorpusFolder).GetFiles() : [];
        var kept = 0;
        foreach (var file in files.OrderBy(file => file.Length).ThenBy(file => file.Name, StringComparer.Ordinal))
        {
            var before = _signatures.Count;
            Try(File.ReadAllBytes(file.FullName), keep: true);
            if (_signatures.Count > before)
                kept++;
            else
                file.Delete();
        }

        Console.WriteLine($"{target.Name}: {kept} of {files.Length} files kept");
    }

    private IEnumerable<byte[]> Starting() => target.Seeds()
        .Concat(Directory.Exists(CorpusFolder) ? Directory.EnumerateFiles(CorpusFolder).Order(StringComparer.Ordinal).Select(File.ReadAllBytes) : []);

    private byte[] Pick() => _corpus.Count == 0 ? [] : _corpus[_random.Next(_corpus.Count)];

    private void Try(byte[] input, bool keep)
    {
        _current = input;
        _runs++;
        var before = GC.GetAllocatedBytesForCurrentThread();
        Volatile.Write(ref _isRunning, true);
        string signature;
        try
        {
            target.Run(input);
            signature = $"taken {int.Log2(input.Length + 1)}";
        }
        catch (Exception failure) when (target.IsRefusal(failure))
        {
            signature = Signature(failure);
        }
        catch (Exception failure)
        {
            signature = Signature(failure);
            Report(input, signature, failure.ToString());
        }

        Volatile.Write(ref _isRunning, false);
        if (GC.GetAllocatedBytesForCurrentThread() - before is > MostAllocated and var bytes)
            Report(input, $"memory {int.Log2((int)(bytes >> 20))}", $"{bytes >> 20} MiB were allocated for an input of {input.Length} bytes");
        var isNew = _signatures.Add(signature);
        if (keep)
            _corpus.Add(input);
        else if (isNew && input.Length <= LargestKept)
            Keep(input);
    }

    private void Keep(byte[] input)
    {
        _corpus.Add(input);
        Directory.CreateDirectory(CorpusFolder);
        File.WriteAllBytes(Path.Combine(CorpusFolder, Name(input)), input);
    }

    private void Report(byte[] input, string signature, string text)
    {
        if (!_findings.Add(signature))
            return;
        Directory.CreateDirectory(FindingsFolder);
        var path = Path.Combine(FindingsFolder, Name(input));
        File.WriteAllBytes(path, input);
        Console.WriteLine($"FOUND {target.Name} (replay: {target.Name} --replay {path})\n{text}");
    }

    /// <summary>Once a second: has one input cost too much processor time? The clock on the wall would count what other programs do.</summary>
    private void Watch()
    {
        var (run, cpu) = (Volatile.Read(ref _runs), Environment.CpuUsage.TotalTime);
        if (!Volatile.Read(ref _isRunning) || run != _watched.Run)
        {
            _watched = (run, cpu, Stopwatch.GetTimestamp());
            return;
        }

        if (cpu - _watched.Cpu > s_slowest || Stopwatch.GetElapsedTime(_watched.Since) > s_longest)
        {
            Report(_current, "slow", $"no answer within {s_slowest.TotalSeconds} s of processor time or {s_longest.TotalMinutes} minutes");
            Environment.Exit(1);
        }
    }

    /// <summary>Where the answer came from: type and the four innermost places, to the instruction.</summary>
    private static string Signature(Exception failure)
    {
        var frames = new StackTrace(failure).GetFrames().Take(4)
            .Select(frame => $"{frame.GetMethod()?.DeclaringType?.Name}.{frame.GetMethod()?.Name}+{frame.GetILOffset()}");
        return $"{failure.GetType().Name} {string.Join(" < ", frames)}{(failure.InnerException is { } inner ? $" because {Signature(inner)}" : "")}";
    }

    private static string Name(byte[] input) => Convert.ToHexStringLower(SHA256.HashData(input))[..16];
}
