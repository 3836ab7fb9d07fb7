using System.Collections;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>What to do with each column of a dataset (<c>data-policy/v1</c>, YAML or JSON).</summary>
/// <remarks>
/// A column that <see cref="Columns"/> names is done by that; else the first of <see cref="Rules"/> that finds it counts, else
/// <see cref="Otherwise"/>. Strict both ways: a member or an action that is not known is refused, so is a named column that the table
/// does not have, and a column of the table of which nothing is said.
/// </remarks>
public sealed partial record ProtectionPolicy
{
    /// <summary>The column that a policy with a <see cref="Subject"/> adds: the data subject's token.</summary>
    public const string SubjectTokenColumn = "subject_token";

    internal const string FormatName = "data-policy/v1";

    private static readonly JsonSerializerOptions Written = new(JsonSerializerDefaults.Web)
    {
        PropertyNameCaseInsensitive = false,   // a table may have both a column B and a column b
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { LeaveOutWhatIsEmpty } },
    };

    /// <summary>The format's name and version.</summary>
    /// <value>data-policy/v1</value>
    public required string Format { get; init; }

    /// <summary>The dataset's name: 1 to 64 of letters, digits, '.', '_', '-' and '/', beginning with a letter or digit.</summary>
    public required string Dataset { get; init; }

    /// <summary>The column that says whose data a row is; it makes keys of the subject possible, and erasure with them.</summary>
    /// <value>null: rows are nobody's</value>
    public string? Subject { get; init; }

    /// <summary>A kept column that names each row: single encrypted values are bound to it and cannot be moved to another row.</summary>
    /// <value>null: they are bound to dataset and column only</value>
    public string? RowKey { get; init; }

    /// <summary>Tags, and the names (with * and ?) of the columns that bear them. <c>pan</c>, <c>cvv</c>, <c>pin</c> and <c>track</c> have rules of their own.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Tags { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>What to do with columns of which nothing else is said.</summary>
    /// <value>null: refuse a table that has such a column</value>
    public ProtectionAction? Otherwise { get; init; }

    /// <summary>What to do, by column.</summary>
    public IReadOnlyDictionary<string, ColumnProtection> Columns { get; init; } = new Dictionary<string, ColumnProtection>();

    /// <summary>What to do with columns that a rule finds; the first that does counts.</summary>
    public IReadOnlyList<ProtectionRule> Rules { get; init; } = [];

    /// <summary>True when a rule asks for the content, so that <see cref="Resolve"/> needs a scan.</summary>
    public bool NeedsScan => Rules.Any(rule => rule.Content is not null);

    /// <summary>Reads a policy, JSON where it begins with a brace, else YAML. Comments and, in JSON, trailing commas are allowed.</summary>
    /// <exception cref="FormatException">It is not a policy: the message lists every fault with its member.</exception>
    public static ProtectionPolicy Parse(string text) => PolicyReader.Read(text);

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
    public string ToJson() => JsonSerializer.Serialize(ToElement(), Written);

    /// <summary>The digest of the policy's canonical bytes (RFC 8785).</summary>
    public Digest Digest() => Cryptography.Digest.Of(CanonicalJson.Canonicalize(ToElement()));

    /// <summary>What to do with <paramref name="column"/>; drop when nothing is said. Rules count only after <see cref="Resolve"/>.</summary>
    public ProtectionAction ActionFor(string column) => For(column).Action;

    /// <summary>As <see cref="ActionFor"/>, with everything that the policy says of the column.</summary>
    public ColumnProtection For(string column) => Columns.TryGetValue(column, out var protection) ? protection : new() { Action = Otherwise ?? ProtectionAction.Drop };

    /// <summary>The address of <paramref name="column"/>'s key, without a version; a bare name is the key ring's.</summary>
    internal string KeyFor(string column) => KeyName(For(column), column);

    internal static string KeyName(ColumnProtection protection, string column) =>
        KeyUri.TryParse(protection.Key, out var key) ? key!.Scheme == KeyUri.FileScheme ? key.Path : key.ToString() : DefaultKey(column);

    /// <summary>The version of the key ring's key of <paramref name="protection"/>: the one that the policy names, or the newest, made where there is none.</summary>
    internal static KeyId KeyOf(ColumnProtection protection, string column, KeyRing keys) =>
        KeyUri.TryParse(protection.Key, out var key) && key!.TryGetKeyId(out var version) ? version : keys.GetOrCreateSymmetric(KeyName(protection, column));

    /// <summary><c>data/</c> and the column's name with what a key name cannot hold replaced by a hyphen.</summary>
    private static string DefaultKey(string column)
    {
        var name = string.Concat(column.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '-'));
        return $"data/{(name.Length <= 59 ? name : name[..59])}";
    }

    /// <summary>The form that is read: a copy's and a rule's protection stand among its other members.</summary>
    private JsonElement ToElement()
    {
        var node = JsonSerializer.SerializeToNode(this, Written)!.AsObject();
        foreach (var rule in node["rules"]?.AsArray() ?? [])
            Flatten(rule!.AsObject());
        foreach (var (_, column) in node["columns"]?.AsObject() ?? [])
            FlattenCopies(column!);
        foreach (var rule in node["rules"]?.AsArray() ?? [])
            FlattenCopies(rule!);
        return JsonSerializer.SerializeToElement(node);

        static void FlattenCopies(System.Text.Json.Nodes.JsonNode protection)
        {
            foreach (var copy in protection["copies"]?.AsArray() ?? [])
                Flatten(copy!.AsObject());
        }

        static void Flatten(System.Text.Json.Nodes.JsonObject holder)
        {
            var inner = holder["protection"]!.AsObject();
            holder.Remove("protection");
            foreach (var (name, value) in inner.ToArray())
            {
                inner.Remove(name);
                holder[name] = value;
            }
        }
    }

    private static void LeaveOutWhatIsEmpty(JsonTypeInfo type)
    {
        foreach (var property in type.Properties.Where(property => property.PropertyType != typeof(string) && typeof(IEnumerable).IsAssignableFrom(property.PropertyType)))
            property.ShouldSerialize = static (_, value) => value is IEnumerable items && items.GetEnumerator().MoveNext();
        foreach (var hidden in type.Properties.Where(property => property.Name == "needsScan").ToArray())
            type.Properties.Remove(hidden);
    }
}
