using System.Globalization;
using Bulwark.Fuzz;

// dotnet run --project bench/Bulwark.Fuzz -c Release -- TARGET|all [SECONDS OF PROCESSOR TIME] [--seed N]
// dotnet run --project bench/Bulwark.Fuzz -c Release -- TARGET --replay FILE
// dotnet run --project bench/Bulwark.Fuzz -c Release -- TARGET|all --prune   the corpus keeps the smallest file of each answer
// dotnet run --project bench/Bulwark.Fuzz -c Release -- flips          every bit of every signed byte of every kind of evidence
// Exit code 0: nothing found; 1: a finding, saved in bench/Bulwark.Fuzz/findings/TARGET; 2: bad arguments.
if (args is ["flips"])
    return FlipSweep.Run();

var targets = typeof(IFuzzTarget).Assembly.GetTypes()
    .Where(type => !type.IsAbstract && type.IsAssignableTo(typeof(IFuzzTarget)))
    .Select(type => (IFuzzTarget)Activator.CreateInstance(type, nonPublic: true)!)
    .OrderBy(target => target.Name, StringComparer.Ordinal)
    .ToArray();

var chosen = args is ["all", ..] ? targets : [.. targets.Where(target => args.Length > 0 && target.Name == args[0])];
if (chosen.Length == 0)
{
    Console.Error.WriteLine($"usage: TARGET|all [SECONDS] [--seed N] | TARGET --replay FILE | TARGET|all --prune\ntargets: {string.Join(", ", targets.Select(target => target.Name))}");
    return 2;
}

if (args is [_, "--replay", var file])
{
    chosen[0].Run(File.ReadAllBytes(file));   // the exception is the answer
    Console.WriteLine("no exception");
    return 0;
}

if (args is [_, "--prune"])
{
    foreach (var target in chosen)
        new Fuzzer(target, seed: 0).Prune();
    return 0;
}

var seconds = args.Length > 1 && double.TryParse(args[1], CultureInfo.InvariantCulture, out var given) ? given : 60;
var seed = Array.IndexOf(args, "--seed") is > 0 and var at ? int.Parse(args[at + 1], CultureInfo.InvariantCulture) : Environment.TickCount;
return chosen.Select(target => new Fuzzer(target, seed).Run(TimeSpan.FromSeconds(seconds))).ToArray().All(clean => clean) ? 0 : 1;
