using System.Text;
using Bulwark.Data;

namespace Bulwark.Fuzz.Targets;

/// <summary>The mask of free text: never an exception, never much time, and no card number left whole.</summary>
internal sealed class TextMaskTarget : IFuzzTarget
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    public string Name => "text-mask";

    public IEnumerable<byte[]> Seeds()
    {
        yield return "Charge 4012 8888 8888 1881 or 4012888888881881, mail a.b+c@example.com, SSN 123-45-6789."u8.ToArray();
        yield return "DE89 3704 0044 0532 0130 00 from 192.168.0.1, 2001:db8::1, born on 12.05.1980, E11.9, Dr. Ada Quist, +49 170 1234567, 12 Green Park Road"u8.ToArray();
        yield return "password: hunter2!x ghp_abcdefghijklmnopqrstuvwxyz0123456789 -----BEGIN PRIVATE KEY-----MIIB-----END PRIVATE KEY----- AB123456C 529.982.247-25"u8.ToArray();
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        var text = Encoding.UTF8.GetString(input);
        var before = Environment.CpuUsage.TotalTime;   // not the clock: the fuzzer may run at the lowest priority
        var masked = TextMask.Apply(text);
        if (Environment.CpuUsage.TotalTime - before is var spent && spent > s_patience)
            throw new TimeoutException($"{text.Length} characters took {spent} of CPU.");
        if (TextMask.Count(masked).ContainsKey(SensitiveKind.CardNumber))
            throw new InvalidOperationException("A card number is still there.");
    }

    public bool IsRefusal(Exception failure) => false;
}
