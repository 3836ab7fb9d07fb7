using System.Globalization;
using System.Security.Cryptography;

namespace Bulwark.Attestation.Sources;

/// <summary>Evidence from the kernel's configfs-tsm (Linux 6.7 and later): an SEV-SNP report or a TDX quote. Thread-safe.</summary>
/// <remarks>Source: Documentation/ABI/testing/configfs-tsm-report in the kernel's tree. Each report has an entry of its own, whose generation shows that nobody else wrote to it.</remarks>
public sealed class TsmEvidenceSource : IEvidenceSource
{
    /// <summary>Where the kernel has it.</summary>
    public const string DefaultFolder = "/sys/kernel/config/tsm/report";

    private const string EventLogPath = "/sys/firmware/acpi/tables/data/CCEL";
    private const int LargestBlob = 1 << 20;

    private readonly string _folder;
    private readonly Action<string>? _created;
    private readonly byte[] _bootId = RandomNumberGenerator.GetBytes(Evidence.BootIdSizeInBytes);

    /// <param name="folder">The folder of reports.</param>
    /// <exception cref="IOException">The folder is not there, or its provider is neither SEV-SNP nor TDX.</exception>
    public TsmEvidenceSource(string folder = DefaultFolder) : this(folder, null)
    {
    }

    /// <param name="folder">The folder of reports.</param>
    /// <param name="created">Called when an entry was made: a test plays the kernel here.</param>
    internal TsmEvidenceSource(string folder, Action<string>? created)
    {
        (_folder, _created) = (folder, created);
        if (!Directory.Exists(folder))
            throw new IOException($"There is no {folder}: this is no confidential guest, its kernel is older than 6.7, or configfs is not mounted.");
        Kind = WithEntry(entry => KindOf(ReadText(entry, "provider")));
    }

    /// <inheritdoc/>
    public string Kind { get; }

    /// <inheritdoc/>
    public ValueTask<Evidence> CollectAsync(EvidenceChallenge challenge, EvidenceKeys keys, Cryptography.Digest model, CancellationToken cancel)
    {
        var evidence = EvidenceShell.Create(Kind, challenge, keys, model, _bootId);
        return ValueTask.FromResult(WithEntry(entry => Report(entry, evidence)));
    }

    private Evidence Report(string entry, Evidence evidence)
    {
        Write(entry, "inblob", evidence.ReportData());
        var report = Read(entry, "outblob");
        // Reading does not count; one write does. Another number means that somebody else wrote, and the report may be about their data.
        if (ReadText(entry, "generation") is var generation && !(long.TryParse(generation, NumberStyles.None, CultureInfo.InvariantCulture, out var writes) && writes == 1))
            throw new IOException($"The report entry has generation {generation}, not 1: another process wrote to it.");
        var parts = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        if (Kind == EvidenceKinds.SevSnp && Read(entry, "auxblob") is { Length: > 0 } table)
            parts[EvidenceParts.CertificateTable] = table;
        if (Kind == EvidenceKinds.Tdx && File.Exists(EventLogPath))
            parts[EvidenceParts.EventLog] = File.ReadAllBytes(EventLogPath);
        return evidence with { Payload = report, Parts = parts };
    }

    private T WithEntry<T>(Func<string, T> use)
    {
        var entry = Path.Combine(_folder, "bulwark-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)));
        Directory.CreateDirectory(entry);
        try
        {
            _created?.Invoke(entry);
            return use(entry);
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new IOException($"This process may not use {_folder}: {failure.Message}", failure);
        }
        finally
        {
            RemoveEntry(entry);
        }
    }

    /// <summary>The kernel takes an entry away with its attributes.</summary>
    private static void RemoveEntry(string entry)
    {
        try
        {
            Directory.Delete(entry);
        }
        catch (IOException)
        {
            // It stays behind and is used by nobody: its name is random.
        }
    }

    private static string KindOf(string provider) => provider switch
    {
        "sev_guest" => EvidenceKinds.SevSnp,
        "tdx_guest" => EvidenceKinds.Tdx,
        _ => throw new IOException($"The kernel's provider is '{provider}'; sev_guest and tdx_guest are known."),
    };

    private static void Write(string entry, string attribute, ReadOnlySpan<byte> bytes)
    {
        using var file = new FileStream(Path.Combine(entry, attribute), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(bytes);
    }

    private static string ReadText(string entry, string attribute) => System.Text.Encoding.ASCII.GetString(Read(entry, attribute)).Trim();

    private static byte[] Read(string entry, string attribute) => Blobs.Read(Path.Combine(entry, attribute), LargestBlob);
}
