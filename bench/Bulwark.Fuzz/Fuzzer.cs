using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Bulwark.Fuzz;

/// <summary>Runs one target on broken inputs for a while. What answers in a new way is kept and broken further.</summary>
/// <remarks>
/// No instrumentation: an answer's signature is its exception's type and the innermost places of its stack, or the success and its size class.
/// Found are exceptions that are no refusal, inputs that take longer than <see cref="s_slowest"/>, and those that allocate more than <see cref="MostAllocated"/>.
/// </remarks>
internal sealed class Fuzzer(IFuzzTarget target, int seed, [CallerFilePath] string source = "")
{
    private const long MostAllocated = 512L << 20;
    private const int LargestKept = 64 * 1024;
    private static readonly TimeSpan s_slowest = TimeSpan.FromSeconds(20);

    private readonly Random _random = new(seed);
    private readonly List<byte[]> _corpus = [];
    private readonly HashSet<string> _signatures = new(StringComparer.Ordinal);
    private readonly HashSet<string> _findings = new(StringComparer.Ordinal);
    private byte[] _current = [];
    private long _started;
    private long _runs;

    private string CorpusFolder => Path.Combine(Path.GetDirectoryName(source)!, "corpus", target.Name);

    private string FindingsFolder => Path.Combine(Path.GetDirectoryName(source)!, "findings", target.Name);

    /// <returns>True when nothing was found.</returns>
    internal bool Run(TimeSpan duration)
    {
        using var watchdog = new Timer(_ => Watch(), null, s_slowest, TimeSpan.FromSeconds(1));
        foreach (var input in Starting())
            Try(input, keep: true);
        var known = _corpus.Count;
        var mutator = new Mutator(_random);
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < duration && _findings.Count < 20;)
            Try(mutator.Mutate(Pick(), Pick()), keep: false);
        Volatile.Write(ref _started, 0);
        GC.Collect();
        Console.WriteLine($"{target.Name}: {_runs:N0} inputs in {duration.TotalSeconds:N0} s, seed {seed}, corpus {known} + {_corpus.Count - known} new, "
            + $"{_signatures.Count} different answers, {GC.GetTotalMemory(forceFullCollection: true) >> 20} MiB live, {_findings.Count} findings");
        return _findings.Count == 0;
    }

    private IEnumerable<byte[]> Starting() => target.Seeds()
        .Concat(Directory.Exists(CorpusFolder) ? Directory.EnumerateFiles(CorpusFolder).Order(StringComparer.Ordinal).Select(File.ReadAllBytes) : []);

    private byte[] Pick() => _corpus.Count == 0 ? [] : _corpus[_random.Next(_corpus.Count)];

    private void Try(byte[] input, bool keep)
    {
        _current = input;
        _runs++;
        var before = GC.GetAllocatedBytesForCurrentThread();
        Volatile.Write(ref _started, Stopwatch.GetTimestamp());
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

    private void Watch()
    {
        if (Volatile.Read(ref _started) is not 0 and var started && Stopwatch.GetElapsedTime(started) > s_slowest)
        {
            Report(_current, "slow", $"no answer within {s_slowest.TotalSeconds} s");
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
