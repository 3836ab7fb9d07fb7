using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using Bulwark.Cryptography;
using Microsoft.ML.OnnxRuntime;

namespace Bulwark.Cli.Doctor;

/// <summary>How far a machine's part serves Bulwark.</summary>
internal enum Health { Missing, Limited, Good }

/// <summary>One part of the machine and what follows from it.</summary>
internal sealed record Finding(string What, Health Health, string Found, string Meaning);

/// <summary>Looks at the machine; changes nothing.</summary>
internal static class Examination
{
    internal static IReadOnlyList<Finding> Run() =>
    [
        Runtime(), Vectors(), OpenSsl(), AesGcmSpeed(), PostQuantum(), Tls(), OnnxRuntime(), .. TrustedExecution(), FileSystem(),
    ];

    private static Finding Runtime() => new(".NET", Health.Good,
        $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}, {Environment.ProcessorCount} cores", "Nothing else is needed to run Bulwark.");

    private static Finding Vectors() => (Vector512.IsHardwareAccelerated, Vector256.IsHardwareAccelerated) switch
    {
        (true, _) => new("vectors", Health.Good, "512 bit", "Training and scoring run at full width."),
        (_, true) => new("vectors", Health.Good, "256 bit", "Training and scoring run at half the width of an AVX-512 machine."),
        _ => new("vectors", Health.Limited, Vector128.IsHardwareAccelerated ? "128 bit" : "none", "Training will be several times slower than on a machine with AVX2."),
    };

    private static Finding OpenSsl()
    {
        if (!OperatingSystem.IsLinux())
            return new("cryptography", Health.Good, RuntimeInformation.OSDescription, "The operating system's own library is used.");
        var version = SafeEvpPKeyHandle.OpenSslVersion;
        var text = $"OpenSSL {version >> 28}.{(version >> 20) & 0xFF}.{(version >> 4) & 0xFFFF}";
        return version >= 0x30500000L
            ? new("OpenSSL", Health.Good, text, "Vectorised AES-GCM and post-quantum algorithms are available.")
            : new("OpenSSL", Health.Limited, text, "Sound, but AES-GCM runs at about a quarter of OpenSSL 3.5's speed and post-quantum algorithms are absent.");
    }

    /// <summary>Best of several slices over one second at most: a class, not a benchmark.</summary>
    private static Finding AesGcmSpeed()
    {
        var buffer = new byte[1 << 20];
        Span<byte> nonce = stackalloc byte[12];
        Span<byte> tag = stackalloc byte[16];
        using var aes = new AesGcm(RandomNumberGenerator.GetBytes(32), 16);
        var best = TimeSpan.MaxValue;
        for (var slice = 0; slice < 20; slice++)
        {
            RandomNumberGenerator.Fill(nonce);
            var start = Stopwatch.GetTimestamp();
            aes.Encrypt(nonce, buffer, buffer, tag);
            var elapsed = Stopwatch.GetElapsedTime(start);
            best = elapsed < best ? elapsed : best;
        }

        var gigabytes = buffer.Length / best.TotalSeconds / 1e9;
        return gigabytes switch
        {
            >= 8 => new("AES-256-GCM", Health.Good, $"{gigabytes:F1} GB/s a core (fast)", "Sealing is bound by memory and disk."),
            >= 1 => new("AES-256-GCM", Health.Good, $"{gigabytes:F1} GB/s a core (hardware)", "Sealing is faster than most disks."),
            _ => new("AES-256-GCM", Health.Limited, $"{gigabytes:F2} GB/s a core (software)", "No AES instructions: sealing large files takes noticeable time."),
        };
    }

    private static Finding PostQuantum() => MLKem.IsSupported
        ? new("post-quantum", Health.Good, "ML-KEM", "Keys can be sealed for the time after quantum computers.")
        : new("post-quantum", Health.Limited, "none", "Needs OpenSSL 3.5; classical algorithms only.");

    private static Finding Tls() => TlsPolicy.OffersHybridKeyExchange
        ? new("TLS", Health.Good, $"1.3 only, {TlsPolicy.Suites[0]} first, X25519MLKEM768", "What is recorded on the wire today stays closed to a future quantum computer, where both sides offer the hybrid group.")
        : new("TLS", Health.Limited, $"1.3 only, {TlsPolicy.Suites[0]} first", TlsPolicy.OpenSslVersion is null ? "Suites and groups are the operating system's choice." : "Key exchange is classical (X25519, P-256, P-384): the hybrid X25519MLKEM768 needs OpenSSL 3.5.");

    private static Finding OnnxRuntime()
    {
        try
        {
            return new("ONNX Runtime", Health.Good, OrtEnv.Instance().GetVersionString(), "Any ONNX model can be scored, attacked by queries and sealed.");
        }
        catch (Exception failure) when (failure is DllNotFoundException or TypeInitializationException or EntryPointNotFoundException)
        {
            return new("ONNX Runtime", Health.Missing, "its native library does not load", "`serve` and `attack` on ONNX models will not work here; the library needs glibc 2.28 and libstdc++.");
        }
    }

    private static IEnumerable<Finding> TrustedExecution()
    {
        (string Path, string Name, string Meaning)[] devices =
        [
            ("/dev/sev-guest", "AMD SEV-SNP guest", "This machine is a confidential VM."),
            ("/dev/tdx_guest", "Intel TDX guest", "This machine is a confidential VM."),
            ("/dev/sgx_enclave", "Intel SGX", "Enclaves can run here."),
            ("/dev/attestation", "Gramine", "This process runs inside Gramine."),
            ("/dev/tpmrm0", "TPM 2.0", "A TPM is present."),
        ];
        var found = devices.Where(device => Path.Exists(device.Path)).ToArray();
        foreach (var device in found)
            yield return new("TEE", Health.Limited, $"{device.Name} ({device.Path})", device.Meaning + " This version does not collect its evidence yet.");
        if (found.Length == 0)
            yield return new("TEE", Health.Missing, "no device", "The worker can only offer `simulated` evidence, which every production policy refuses.");
    }

    private static Finding FileSystem()
    {
        var drive = new DriveInfo(Environment.CurrentDirectory);
        var free = drive.AvailableFreeSpace / 1e9;
        return new("disk", free > 2 ? Health.Good : Health.Limited, $"{free:F0} GB free here", "`demo` needs about 1 GB.");
    }
}
