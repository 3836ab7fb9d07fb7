using System.Text.Json;
using System.Text.Json.Serialization;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>What to do with one column.</summary>
public sealed record ColumnProtection
{
    /// <summary>The action.</summary>
    public required ProtectionAction Action { get; init; }

    /// <summary>For encrypt, tokenise and hash: the key ring's key. Columns of one key are opened, and shredded, together.</summary>
    /// <value>null: <c>data/</c> and the column's name</value>
    public string? Key { get; init; }
}

/// <summary>What to do with each column of a dataset (<c>data-policy/v1</c>, JSON).</summary>
/// <remarks>
/// Strict both ways: a member or an action that is not known is refused, so is a column that the table does not have, and a
/// column of the table that the policy does not name when it says nothing for the rest.
/// </remarks>
public sealed record ProtectionPolicy
{
    private const string FormatName = "data-policy/v1";

    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        PropertyNameCaseInsensitive = false,
        NumberHandling = JsonNumberHandling.Strict,
        RespectNullableAnnotations = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        Converters = { new JsonStringEnumConverter<ProtectionAction>(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    /// <summary>The format's name and version.</summary>
    /// <value>data-policy/v1</value>
    public required string Format { get; init; }

    /// <summary>The dataset's name: 1 to 64 of letters, digits, '.', '_', '-' and '/', beginning with a letter or digit.</summary>
    public required string Dataset { get; init; }

    /// <summary>What to do with columns that <see cref="Columns"/> does not name.</summary>
    /// <value>null: refuse a table that has such a column</value>
    public ProtectionAction? Otherwise { get; init; }

    /// <summary>What to do, by column.</summary>
    public required IReadOnlyDictionary<string, ColumnProtection> Columns { get; init; }

    /// <summary>Reads a policy; comments and trailing commas are allowed.</summary>
    /// <exception cref="FormatException">It is not a policy: the message says where.</exception>
    public static ProtectionPolicy Parse(string json)
    {
        try
        {
            var policy = JsonSerializer.Deserialize<ProtectionPolicy>(json, Strict) ?? throw new FormatException("The policy is empty.");
            var faults = policy.Faults().ToArray();
            return faults.Length == 0 ? policy : throw new FormatException($"The policy has faults: {string.Join(" ", faults)}");
        }
        catch (JsonException fault)
        {
            throw new FormatException($"The policy is not {FormatName}: {fault.Message}", fault);
        }
    }

    /// <summary>The policy that follows a scan's advice; columns without a finding are kept.</summary>
    /// <param name="scan">The scan.</param>
    /// <param name="dataset">The dataset's name.</param>
    public static ProtectionPolicy FromScan(ScanReport scan, string dataset)
    {
        ArgumentNullException.ThrowIfNull(scan);
        return new()
        {
            Format = FormatName,
            Dataset = dataset,
            Otherwise = ProtectionAction.Keep,
            Columns = scan.Findings.Where(finding => finding.Advice != ProtectionAction.Keep)
                .ToDictionary(finding => finding.Column, finding => new ColumnProtection { Action = finding.Advice }),
        };
    }

    /// <summary>The policy as JSON, as <see cref="Parse"/> reads it.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Strict);

    /// <summary>The digest of the policy's canonical bytes (RFC 8785).</summary>
    public Digest Digest() => Cryptography.Digest.Of(CanonicalJson.Canonicalize(JsonSerializer.SerializeToElement(this, Strict)));

    /// <summary>Every fault, so that one edit mends them all; empty when the policy is sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Format != FormatName)
            yield return $"format is '{Format}'; this version reads {FormatName}.";
        if (!IsName(Dataset))
            yield return $"dataset '{Dataset}' is no name: 1 to 64 of letters, digits, '.', '_', '-' and '/', beginning with a letter or digit.";
        if (Otherwise is ProtectionAction.Encrypt or ProtectionAction.Tokenise or ProtectionAction.Hash)
            yield return "otherwise may be keep or drop; name the columns to protect.";
        foreach (var (column, protection) in Columns)
        {
            if (protection.Key is not null && protection.Action is ProtectionAction.Keep or ProtectionAction.Drop)
                yield return $"column '{column}': {protection.Action.ToString().ToLowerInvariant()} takes no key.";
            if (protection.Key is not null && !IsName(protection.Key))
                yield return $"column '{column}': '{protection.Key}' is no key name.";
        }
    }

    /// <summary>Every fault that <paramref name="table"/> finds in this policy, beside <see cref="Faults()"/>.</summary>
    public IEnumerable<string> Faults(Table table)
    {
        ArgumentNullException.ThrowIfNull(table);
        foreach (var name in Columns.Keys.Where(name => !table.TryGet(name, out _)))
            yield return $"The policy names column '{name}', which the table does not have.";
        foreach (var column in table.Columns.Where(column => Otherwise is null && !Columns.ContainsKey(column.Name)))
            yield return $"The policy says nothing about column '{column.Name}'; name it, or say \"otherwise\": \"keep\" or \"drop\".";
        if (table.Columns.All(column => ActionFor(column.Name) == ProtectionAction.Drop))
            yield return "The policy drops every column.";
    }

    /// <summary>What to do with <paramref name="column"/>; drop when nothing is said.</summary>
    public ProtectionAction ActionFor(string column) => Columns.TryGetValue(column, out var protection) ? protection.Action : Otherwise ?? ProtectionAction.Drop;

    /// <summary>The key ring's key of <paramref name="column"/>.</summary>
    internal string KeyFor(string column) => Columns.TryGetValue(column, out var protection) && protection.Key is { } key ? key : DefaultKey(column);

    /// <summary><c>data/</c> and the column's name with what a key name cannot hold replaced by a hyphen.</summary>
    private static string DefaultKey(string column)
    {
        var name = string.Concat(column.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '-'));
        return $"data/{(name.Length <= 59 ? name : name[..59])}";
    }

    private static bool IsName(string name) =>
        name.Length is >= 1 and <= 64 && char.IsAsciiLetterOrDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '/');
}
