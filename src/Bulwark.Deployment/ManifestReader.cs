using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Bulwark.Deployment;

/// <summary>Reads manifests as Kubernetes does: many documents a file, lists, anchors and merge keys, YAML 1.1 booleans (<c>yes</c> is true), JSON.</summary>
/// <remarks>Hostile input is bounded: at most <see cref="MaximumNodes"/> values a file after aliases are spelled out, and <see cref="MaximumDepth"/> levels.</remarks>
public static class ManifestReader
{
    /// <summary>Most values that a file may hold once aliases are spelled out.</summary>
    public const int MaximumNodes = 500_000;

    /// <summary>Deepest nesting.</summary>
    public const int MaximumDepth = 64;

    /// <summary>The objects of a text, in order; members of lists stand for themselves.</summary>
    /// <param name="yaml">YAML or JSON.</param>
    /// <param name="source">The file's name, for messages.</param>
    /// <exception cref="FormatException">The text is not readable; the message names file and line.</exception>
    public static IReadOnlyList<Manifest> Read(string yaml, string source) =>
        [.. Trees(yaml, source).SelectMany(tree => Objects(tree, source, ""))];

    internal static IEnumerable<JsonNode?> Trees(string yaml, string source)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException fault)
        {
            throw new FormatException($"{source}, line {fault.Start.Line}: {fault.Message}", fault);
        }

        var budget = new Budget(source);
        return [.. stream.Documents.Select(document => budget.Convert(document.RootNode, 0))];
    }

    private static IEnumerable<Manifest> Objects(JsonNode? root, string source, string path)
    {
        if (root is null)
            return [];
        if (root is not JsonObject members)
            throw new FormatException($"{source}: a document is no object of Kubernetes but {root.GetValueKind().ToString().ToLowerInvariant()}.");
        var kind = new ManifestNode(members, "")["kind"].Text;
        if (kind.EndsWith("List", StringComparison.Ordinal) && members["items"] is JsonArray items)
            return items.SelectMany((item, i) => Objects(item, source, $"{path}items[{i}]."));
        return [new Manifest(members, source, path)];
    }

    /// <summary>Converts one file's nodes and counts them.</summary>
    private sealed class Budget(string source)
    {
        private int _left = MaximumNodes;

        internal JsonNode? Convert(YamlNode node, int depth)
        {
            if (--_left < 0 || depth > MaximumDepth)
                throw new FormatException($"{source}, line {node.Start.Line}: more than {MaximumNodes} values or {MaximumDepth} levels.");
            return node switch
            {
                YamlScalarNode scalar => Scalar(scalar),
                YamlSequenceNode list => new JsonArray([.. list.Children.Select(child => Convert(child, depth + 1))]),
                YamlMappingNode mapping => Mapping(mapping, depth),
                _ => throw new FormatException($"{source}, line {node.Start.Line}: a {node.NodeType} has no meaning in a manifest."),
            };
        }

        private JsonObject Mapping(YamlMappingNode mapping, int depth)
        {
            var members = new JsonObject();
            foreach (var (key, value) in mapping.Children)
            {
                if (key is not YamlScalarNode name)
                    throw new FormatException($"{source}, line {key.Start.Line}: a key must be text.");
                if (name is not { Value: "<<", Style: ScalarStyle.Plain })
                    members[name.Value ?? ""] = Convert(value, depth + 1);
            }

            foreach (var merged in mapping.Children.Where(pair => pair.Key is YamlScalarNode { Value: "<<", Style: ScalarStyle.Plain }).SelectMany(pair => pair.Value is YamlSequenceNode many ? many.Children : [pair.Value]))
            {
                if (merged is not YamlMappingNode inherited)
                    throw new FormatException($"{source}, line {merged.Start.Line}: only mappings can be merged.");
                foreach (var (name, value) in Mapping(inherited, depth + 1).ToArray())
                {
                    if (!members.ContainsKey(name))
                        members[name] = value?.DeepClone();
                }
            }

            return members;
        }

        /// <summary>Plain scalars by YAML 1.1 as the Go library of Kubernetes resolves them; quoted ones are text.</summary>
        private static JsonValue? Scalar(YamlScalarNode scalar)
        {
            var text = scalar.Value ?? "";
            if (scalar.Style != ScalarStyle.Plain || scalar.Tag is { IsEmpty: false, Value: "tag:yaml.org,2002:str" })
                return JsonValue.Create(text);
            switch (text)
            {
                case "" or "~" or "null" or "Null" or "NULL":
                    return null;
                case "true" or "True" or "TRUE" or "y" or "Y" or "yes" or "Yes" or "YES" or "on" or "On" or "ON":
                    return JsonValue.Create(true);
                case "false" or "False" or "FALSE" or "n" or "N" or "no" or "No" or "NO" or "off" or "Off" or "OFF":
                    return JsonValue.Create(false);
            }

            var digits = text.Replace("_", "", StringComparison.Ordinal);
            if (Whole(digits) is { } whole)
                return JsonValue.Create(whole);
            var numeric = digits.Length > 0 && (char.IsAsciiDigit(digits[^1]) || digits[^1] == '.') && digits.All(c => char.IsAsciiDigit(c) || c is '.' or '-' or '+' or 'e' or 'E');
            return numeric && double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real)
                ? JsonValue.Create(real) : JsonValue.Create(text);
        }

        private static long? Whole(string digits)
        {
            var negative = digits.StartsWith('-');
            var body = digits.TrimStart('-', '+');
            if (digits.Length - body.Length > 1 || body.Length == 0)
                return null;
            try
            {
                long? value = body switch
                {
                    ['0', 'x', .. { Length: > 0 } hex] when hex.All(char.IsAsciiHexDigit) => System.Convert.ToInt64(hex, 16),
                    ['0', 'b', .. { Length: > 0 } bits] when bits.All(c => c is '0' or '1') => System.Convert.ToInt64(bits, 2),
                    ['0', 'o', .. { Length: > 0 } octal] when octal.All(c => c is >= '0' and <= '7') => System.Convert.ToInt64(octal, 8),
                    ['0', .. { Length: > 0 } octal] when octal.All(c => c is >= '0' and <= '7') => System.Convert.ToInt64(octal, 8),
                    _ when body.All(char.IsAsciiDigit) => long.Parse(body, CultureInfo.InvariantCulture),
                    _ => null,
                };
                return negative ? -value : value;
            }
            catch (OverflowException)
            {
                return null;
            }
        }
    }
}
