using System.Globalization;
using System.Runtime.InteropServices;

namespace Bulwark.Benchmarks.Fields;

/// <summary>Rates of field protection, one core, by CPU time, each beside its limit measured in the same run.</summary>
internal static class FieldsArea
{
    /// <summary>dotnet run --project bench/Bulwark.Benchmarks -c Release -- fields [SECONDS]</summary>
    internal static int Run(string[] args)
    {
        var seconds = args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 20;
        using var contenders = new FieldContenders();
        var rates = ThreadRate.Measure([.. contenders.All.Select(one => (one.Values, one.Run))], TimeSpan.FromSeconds(seconds));
        var openSsl = OperatingSystem.IsLinux() ? $"OpenSSL {System.Security.Cryptography.SafeEvpPKeyHandle.OpenSslVersion:x}" : "no OpenSSL";
        Console.WriteLine($"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}; {openSsl}; one thread, CPU time, best slice of {seconds:0} s");
        Console.WriteLine($"{"what",-58} {"M values/s",11} {"of its limit",13}   limit");
        for (var i = 0; i < rates.Length; i++)
        {
            var one = contenders.All[i];
            var limit = one.Limit is { } name ? rates[contenders.IndexOf(name)] / one.LimitUnits : double.NaN;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{one.Name,-58} {rates[i] / 1e6,11:0.000} {(one.Limit is null ? "" : $"{100 * rates[i] / limit:0.0} %"),13}   {(one.Limit is null ? "" : $"{one.Limit}, {one.LimitUnits:0.##} a value")}"));
        }

        var (ours, judge) = (rates[contenders.IndexOf(FieldContenders.Cards)], rates[contenders.IndexOf(FieldContenders.Judge)]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"FF1 beside BouncyCastle's: {ours / judge:0} times; {contenders.Agreed} tokens compared, all equal"));
        return 0;
    }
}
