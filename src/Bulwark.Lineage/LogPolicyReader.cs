using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>Reads a tlog-policy line by line and collects every fault.</summary>
internal sealed class LogPolicyReader
{
    private const int MaximumBytes = 1 << 20, MaximumDefinitions = 1000, MlDsaKeyBytes = 1312;
    private readonly List<PolicyLog> _logs = [];
    private readonly List<PolicyWitness> _witnesses = [];
    private readonly List<PolicyGroup> _groups = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly HashSet<string> _members = new(StringComparer.Ordinal);
    private readonly HashSet<string> _logKeys = new(StringComparer.Ordinal);
    private readonly HashSet<string> _witnessKeys = new(StringComparer.Ordinal);
    private readonly List<string> _faults = [];
    private string? _quorum;
    private int _quorums;
    private int _line;

    internal IReadOnlyList<string> Faults => _faults;

    internal LogPolicy Read(ReadOnlySpan<byte> file)
    {
        if (file.Length > MaximumBytes)
        {
            _faults.Add("It is longer than 1 MiB.");
            return Policy();
        }

        foreach (var line in Encoding.Latin1.GetString(file).Split('\n'))
        {
            _line++;
            Line(line);
        }

        if (_quorums != 1)
            _faults.Add($"It has {_quorums} quorum lines; exactly one is needed ('quorum none' asks for no witness).");
        if (_logs.Count + _witnesses.Count + _groups.Count > MaximumDefinitions)
            _faults.Add($"It has more than {MaximumDefinitions} definitions.");
        return Policy();
    }

    private LogPolicy Policy() => LogPolicy.Of(_logs, _witnesses, _groups, _quorum ?? "none");

    private void Line(string line)
    {
        if (line.FirstOrDefault(c => c is not '\t' and (< ' ' or '\x7f')) is var control && control != '\0' || line.Contains('\0', StringComparison.Ordinal))
        {
            Fault($"it holds the control octet 0x{(int)control:x2}");
            return;
        }

        var items = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (items.Length == 0 || items[0][0] == '#')
            return;
        switch (items[0])
        {
            case "log" when items.Length is 2 or 3:
                Log(items[1], items.ElementAtOrDefault(2));
                break;
            case "witness" when items.Length is 3 or 4:
                Witness(items[1], items[2], items.ElementAtOrDefault(3));
                break;
            case "group" when items.Length >= 4:
                Group(items[1], items[2], items[3..]);
                break;
            case "quorum" when items.Length == 2:
                Quorum(items[1]);
                break;
            case "log":
                Fault("a log is 'log VKEY [URL]'");
                break;
            case "witness":
                Fault("a witness is 'witness NAME VKEY [URL]'");
                break;
            case "group":
                Fault("a group is 'group NAME all|any|K MEMBER…' with one member or more");
                break;
            case "quorum":
                Fault("the quorum is 'quorum NAME' or 'quorum none'");
                break;
            default:
                Fault($"'{items[0]}' is none of log, witness, group, quorum");
                break;
        }
    }

    private void Log(string vkey, string? url)
    {
        if (NoteKey.TryParse(Text(vkey)) is not { Kind: NoteKeyKind.Signature } key)
            Fault($"'{Text(vkey)}' is no log's vkey: name+hash+base64 of type 01 (Ed25519) with a right hash");
        else if (!_logKeys.Add(key.Key.ToString()))
            Fault($"the key of log {key.Name} stands in an earlier line too");
        else
            _logs.Add(new PolicyLog(key, url is null ? null : Text(url)));
    }

    private void Witness(string name, string vkey, string? url)
    {
        var named = Name(name);   // all of a line's faults, not only its first
        var (known, bytes) = NoteKey.TryParse(Text(vkey)) is { Kind: NoteKeyKind.Cosignature } key ? (key, key.Key.ToString()) : (null, MlDsaKey(Text(vkey)));
        if (bytes is null)
            Fault($"'{Text(vkey)}' is no witness's vkey: name+hash+base64 of type 04 (cosignature/v1) or 06 (ML-DSA-44) with a right hash");
        else if (!_witnessKeys.Add(bytes))
            Fault($"the key of witness {name} stands in an earlier line too");
        else if (named)
            _witnesses.Add(new PolicyWitness(name, Text(vkey), known, url is null ? null : Text(url)));
    }

    private void Group(string name, string threshold, string[] members)
    {
        var unknown = members.Where(member => !_names.Contains(member)).ToArray();
        foreach (var member in unknown)
            Fault($"group {name} has the member {member}, which no earlier line defines");
        foreach (var member in members.Except(unknown).Where(member => !_members.Add(member) || members.Count(other => other == member) > 1).Distinct())
            Fault($"group {name} has the member {member}, which is a member already: each name counts once");
        var needed = threshold switch
        {
            "any" => 1,
            "all" => members.Length,
            _ => int.TryParse(threshold, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0,
        };
        if (needed < 1 || needed > members.Length)
            Fault($"group {name} asks for '{threshold}' of {members.Length}: all, any, or a number from 1 to {members.Length}");
        if (Name(name))
            _groups.Add(new PolicyGroup(name, Math.Clamp(needed, 1, members.Length), members));
    }

    private void Quorum(string name)
    {
        _quorums++;
        if (name != "none" && !_names.Contains(name))
            Fault($"the quorum {name} is defined by no earlier line");
        _quorum = name;
    }

    private bool Name(string name)
    {
        if (name == "none")
            Fault("the name none is reserved");
        else if (!_names.Add(name))
            Fault($"the name {name} is defined already");
        else
            return true;
        return false;
    }

    /// <summary>The key material of a well-formed vkey of type 06, which other implementations can check; null when it is none.</summary>
    private static string? MlDsaKey(string vkey)
    {
        var parts = vkey.Split('+', 3);
        return parts.Length == 3 && NoteKey.IsName(parts[0]) && StrictBase64.TryDecode(parts[2], out var bytes) && bytes.Length == 1 + MlDsaKeyBytes && bytes[0] == 6
            && Convert.ToHexStringLower(SHA256.HashData([.. Encoding.UTF8.GetBytes(parts[0]), 0x0a, .. bytes])[..4]) == parts[1] ? parts[2] : null;
    }

    private static string Text(string octets) => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(octets));

    private void Fault(string what) => _faults.Add($"Line {_line}: {what}.");
}
