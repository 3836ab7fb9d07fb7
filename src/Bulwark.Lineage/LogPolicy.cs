using System.Globalization;
using System.Text;

namespace Bulwark.Lineage;

/// <summary>Which logs are believed, and how many of which witnesses must have cosigned a checkpoint.</summary>
/// <remarks>Source: C2SP tlog-policy. Names are opaque octets: each is held as one character of the same number.</remarks>
public sealed record LogPolicy
{
    private const string None = "none";

    private LogPolicy()
    {
    }

    /// <summary>The logs; empty where the log is known otherwise.</summary>
    public IReadOnlyList<PolicyLog> Logs { get; private init; } = [];

    /// <summary>The witnesses.</summary>
    public IReadOnlyList<PolicyWitness> Witnesses { get; private init; } = [];

    /// <summary>The groups, in their order: each names only what stands before it.</summary>
    public IReadOnlyList<PolicyGroup> Groups { get; private init; } = [];

    /// <summary>The witness or group that must have cosigned, or <c>none</c>.</summary>
    public string Quorum { get; private init; } = None;

    /// <summary>Reads a policy file.</summary>
    /// <exception cref="FormatException">It is malformed; the message names every fault with its line.</exception>
    public static LogPolicy Parse(ReadOnlySpan<byte> file)
    {
        var reader = new LogPolicyReader();
        var policy = reader.Read(file);
        return reader.Faults.Count == 0 ? policy : throw new FormatException($"The policy has {reader.Faults.Count} fault{(reader.Faults.Count == 1 ? "" : "s")}: {string.Join(' ', reader.Faults)}");
    }

    /// <summary>Every fault of a policy file, each with its line; empty when it is sound.</summary>
    public static IReadOnlyList<string> Faults(ReadOnlySpan<byte> file)
    {
        var reader = new LogPolicyReader();
        reader.Read(file);
        return reader.Faults;
    }

    /// <summary>Whether a checkpoint is signed by one of the logs and cosigned by the quorum. With no log listed, only the quorum is judged.</summary>
    /// <param name="checkpoint">Parsed from its signed form.</param>
    public PolicyReport Judge(Checkpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        if (checkpoint.Note is not { } note)
            return new PolicyReport(LogVerdict.WrongSignature, null, [], [], "The checkpoint carries no signature.");
        var log = Logs.FirstOrDefault(one => one.Key.Name == checkpoint.Origin && note.Verify([one.Key]).Count == 1);
        if (log is null && Logs.Count > 0)
            return new PolicyReport(LogVerdict.WrongSignature, null, [], [], $"The checkpoint of {checkpoint.Origin} is signed by none of the policy's {Logs.Count} logs.");
        var cosigned = Witnesses.Where(witness => witness.Key is { } key && note.CosignedAt(key) is not null).Select(witness => witness.Name).ToHashSet(StringComparer.Ordinal);
        var met = new HashSet<string>(cosigned, StringComparer.Ordinal);
        foreach (var group in Groups.Where(group => group.Members.Count(met.Contains) >= group.Threshold))
            met.Add(group.Name);
        var absent = Witnesses.Where(witness => !cosigned.Contains(witness.Name)).Select(witness => witness.Name).ToArray();
        var verdict = Quorum == None || met.Contains(Quorum) ? LogVerdict.Verified : LogVerdict.QuorumMissing;
        return new PolicyReport(verdict, log?.Key, [.. cosigned.Order(StringComparer.Ordinal)], absent, verdict == LogVerdict.Verified
            ? Quorum == None ? "The policy asks for no witness." : $"Cosigned by the quorum {Quorum}: {string.Join(", ", cosigned.Order(StringComparer.Ordinal))}."
            : $"The quorum {Quorum} did not cosign: {Explain(Quorum, met)}.");
    }

    /// <summary>The policy as a file; groups with their thresholds as numbers.</summary>
    public byte[] ToBytes()
    {
        var text = new StringBuilder();
        foreach (var log in Logs)
            text.Append(CultureInfo.InvariantCulture, $"log {Octets(log.Key.ToString())}{Url(log.Url)}\n");
        foreach (var witness in Witnesses)
            text.Append(CultureInfo.InvariantCulture, $"witness {witness.Name} {Octets(witness.Vkey)}{Url(witness.Url)}\n");
        foreach (var group in Groups)
            text.Append(CultureInfo.InvariantCulture, $"group {group.Name} {group.Threshold} {string.Join(' ', group.Members)}\n");
        return Encoding.Latin1.GetBytes(text.Append(CultureInfo.InvariantCulture, $"quorum {Quorum}\n").ToString());
    }

    internal static LogPolicy Of(IReadOnlyList<PolicyLog> logs, IReadOnlyList<PolicyWitness> witnesses, IReadOnlyList<PolicyGroup> groups, string quorum) =>
        new() { Logs = logs, Witnesses = witnesses, Groups = groups, Quorum = quorum };

    private string Explain(string name, HashSet<string> met) => Groups.FirstOrDefault(group => group.Name == name) is { } group
        ? $"{group.Members.Count(met.Contains)} of the {group.Threshold} that {name} needs ({string.Join(", ", group.Members.Select(member => met.Contains(member) ? $"{member} did" : $"{member} did not"))})"
        : $"{name} did not";

    private static string Octets(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    private static string Url(string? url) => url is null ? "" : " " + Octets(url);
}

/// <summary>A log that a policy believes.</summary>
/// <param name="Key">Its name, which is its checkpoints' origin, and its key.</param>
/// <param name="Url">Where it is; null when the policy does not say.</param>
public sealed record PolicyLog(NoteKey Key, string? Url);

/// <summary>A witness that a policy names.</summary>
/// <param name="Name">What the policy calls it.</param>
/// <param name="Vkey">Its key as written.</param>
/// <param name="Key">The key; null for a type that cannot be checked here (ML-DSA-44): such a witness never counts as having cosigned.</param>
/// <param name="Url">Its submission prefix; null when the policy does not say.</param>
public sealed record PolicyWitness(string Name, string Vkey, NoteKey? Key, string? Url);

/// <summary>Witnesses or groups of which so many must have cosigned.</summary>
/// <param name="Name">What the policy calls it.</param>
/// <param name="Threshold">How many members, from 1 to all of them.</param>
/// <param name="Members">Names of witnesses and groups.</param>
public sealed record PolicyGroup(string Name, int Threshold, IReadOnlyList<string> Members);

/// <summary>What a policy says of a checkpoint.</summary>
/// <param name="Verdict"><see cref="LogVerdict.Verified"/>, <see cref="LogVerdict.WrongSignature"/> or <see cref="LogVerdict.QuorumMissing"/>.</param>
/// <param name="Log">The log that signed; null when none of the policy's did, or it lists none.</param>
/// <param name="Cosigned">Witnesses whose cosignature is right.</param>
/// <param name="Absent">Witnesses without one.</param>
/// <param name="Detail">One sentence; names what is missing.</param>
public sealed record PolicyReport(LogVerdict Verdict, NoteKey? Log, IReadOnlyList<string> Cosigned, IReadOnlyList<string> Absent, string Detail);
