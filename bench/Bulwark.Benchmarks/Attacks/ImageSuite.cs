using System.Diagnostics;
using System.Runtime.InteropServices;
using Bulwark.Assurance;
using Bulwark.Benchmarks.Robust;
using Bulwark.Networks;

namespace Bulwark.Benchmarks.Attacks;

/// <summary>The suite that a build runs, on robust networks that were trained elsewhere: what it costs, and whether ending climbs early loses a row.</summary>
internal static class ImageSuite
{
    private const int Images = 500;

    internal static int Run()
    {
        if (!FashionImages.Exist || !Directory.Exists(Folder))
        {
            Console.WriteLine($"image suite: skipped, there is no {Folder} or no Fashion-MNIST (BULWARK_SHARED)");
            return 0;
        }

        Console.WriteLine("| the build's suite (apgd-ce, apgd-t, F1 to F14), 500 images | right | hold | flags | CPU seconds, with checks | without | limit | climbs ended early: again, fell | hold when every climb goes to its end | CPU seconds | rows that fall only so | only when climbs end early |");
        Console.WriteLine("| --- | ---: | ---: | --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: |");
        foreach (var (name, shape) in ((string, NetworkShape)[])[("cnn-pgd7", FashionImages.Shape), ("mlp-pgd7", new(784, [256, 128], FashionImages.Classes))])
            Console.WriteLine(Row(name, shape));
        return 0;
    }

    private static string Folder => Path.Combine(FashionImages.Folder, "..", "..", "vectors", "robustness", "models");

    private static string Row(string name, NetworkShape shape)
    {
        var test = FashionImages.Rows(FashionImages.Read().Test, 0, Images);
        var network = Network(Path.Combine(Folder, name + ".f32"), shape);
        var model = new DifferentiableNetwork<float>(network);
        var target = new PointTarget(new QueriedNetwork(model), model) { Image = (1, 28, 28) };
        var options = new SuiteOptions { Attacks = ["apgd-ce", "apgd-t"], Strengths = [FashionImages.Epsilon] };
        var clock = Cpu();
        var report = AttackSuite.Run(target, test.Features, test.Labels, options);
        var (whole, again) = (Cpu() - clock, Cpu());
        var early = AttackSuite.Run(target, test.Features, test.Labels, options with { Checks = false });
        var (attacks, full) = (Cpu() - again, Cpu());
        var broken = new bool[Images];
        var attack = new AutoProjectedGradientDescent { Epsilon = FashionImages.Epsilon, Rescaled = true };
        attack.Run(model, test.Features, test.Labels, [], [], new float[test.Features.Length], [], broken);
        TargetedEnsemble.Climb(attack with { Rescaled = false, RandomStart = true, Seed = options.Seed }, model, test.Features, test.Labels, [], new float[test.Features.Length], broken);
        var spent = Cpu() - full;
        var ended = early.Rows.OrderBy(row => row.Row).Select(row => row.CleanWrong || row.BrokenBy[0] is not null).ToArray();
        return FormattableString.Invariant($"| {name} | {report.Clean.Count} | {report.Curve[0].Robust.Count} | {string.Join(' ', report.Flags.Select(flag => flag.Id))} | {whole:F1} | {attacks:F1} | 15 | {report.RuledOut!.Ended}: {report.RuledOut.ClimbedAgain}, {report.RuledOut.Fell} | {broken.Count(fell => !fell)} | {spent:F1} | {broken.Zip(ended).Count(pair => pair.First && !pair.Second)} | {broken.Zip(ended).Count(pair => pair.Second && !pair.First)} |");
    }

    /// <summary>Little-endian single precision: convolutions as ours, dense weights (outputs, inputs), biases after each.</summary>
    private static DenseNetwork<float> Network(string file, NetworkShape shape)
    {
        var values = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(file)).ToArray();
        var network = new DenseNetwork<float>(shape);
        var at = shape.Convolutions?.ParameterCount ?? 0;
        values.AsSpan(0, at).CopyTo(network.Parameters);
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            var (inputs, outputs) = (shape.LayerInputs(layer), shape.LayerOutputs(layer));
            for (var i = 0; i < inputs * outputs; i++)
                network.Weights(layer)[(i % inputs * outputs) + (i / inputs)] = values[at++];
            values.AsSpan(at, outputs).CopyTo(network.Biases(layer));
            at += outputs;
        }

        return network;
    }

    private static double Cpu() => Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds;
}
