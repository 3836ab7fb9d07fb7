using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Bulwark.Benchmarks.Sealing;

/// <summary>Sealed files beside their limits in one run: AES-GCM of openssl, a plain copy, age.</summary>
internal static class SealingArea
{
    /// <summary>dotnet run --project bench/Bulwark.Benchmarks -c Release -- sealing [SECONDS] [MiB]</summary>
    internal static int Run(string[] args)
    {
        var seconds = args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 15;
        var mebibytes = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 1024;
        var openSsl = OperatingSystem.IsLinux() ? $"OpenSSL {SafeEvpPKeyHandle.OpenSslVersion:x}" : "no OpenSSL";
        Console.WriteLine($"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}; {openSsl} in this process; {Environment.ProcessorCount} cores");
        MemoryRates.Print(seconds);
        FileCosts.Print(mebibytes);
        SizeTable.Print();
        return 0;
    }

    internal static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
