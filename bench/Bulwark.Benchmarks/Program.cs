using Bulwark.Benchmarks;

Contender[] contenders =
[
    NetworkContenders.Peak(),
    NetworkContenders.Product(512, 128, 128),
    NetworkContenders.TransposedProduct(128, 512, 128),
    NetworkContenders.Product(512, 30, 128),
    NetworkContenders.Product(512, 128, 2),
    .. NetworkContenders.Steps(),
];
var minimum = InterleavedRun.MinimumMicroseconds(contenders, TimeSpan.FromSeconds(args.Length > 0 ? double.Parse(args[0]) : 10));
var peak = contenders[0].MegaFlop / minimum[0] * 1e3;
for (var i = 0; i < contenders.Length; i++)
    Console.WriteLine($"{contenders[i].Name,-45} {minimum[i],10:F1} us {contenders[i].MegaFlop / minimum[i] * 1e3,8:F1} GFLOP/s {contenders[i].MegaFlop / minimum[i] * 1e3 / peak,8:P0}");
return 0;
