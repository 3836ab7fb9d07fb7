using System.Globalization;
using System.Text;
using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Bulwark.Data;

/// <summary>A policy in YAML as JSON: maps, lists and scalars of the core schema. No aliases, tags or second documents.</summary>
internal static class PolicyYaml
{
    private const int Deepest = 16;

    /// <exception cref="FormatException">It is no such YAML; the message names the line.</exception>
    internal static string ToJson(string text)
    {
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
                throw new FormatException("The policy is empty.");
            parser.Consume<DocumentStart>();
            using var stream = new MemoryStream();
            using (var writer = new Utf8JsonWriter(stream))
                Write(parser, writer, 0);
            parser.Consume<DocumentEnd>();
            if (!parser.Accept<StreamEnd>(out _))
                throw new FormatException("A policy is one document; there is a second.");
            return Encoding.UTF8.GetString(stream.ToArray());
        }
        catch (YamlException fault)
        {
            throw new FormatException($"The policy is no YAML, line {fault.Start.Line}: {fault.Message}", fault);
        }
        catch (Exception fault) when (fault is ArgumentException or InvalidOperationException or NotSupportedException)
        {
            throw new FormatException($"The policy is no YAML: {fault.Message}", fault);   // what the parser also throws on broken input
        }
    }

    private static void Write(Parser parser, Utf8JsonWriter writer, int depth)
    {
        if (depth > Deepest)
            throw new FormatException("The policy is nested too deeply.");
        if (parser.Accept<AnchorAlias>(out _) || (parser.Accept<NodeEvent>(out var node) && (!node.Anchor.IsEmpty || (!node.Tag.IsEmpty && !node.Tag.IsNonSpecific))))
            throw new FormatException($"Line {parser.Current?.Start.Line}: a policy has no anchors, aliases or type tags.");
        if (parser.TryConsume<MappingStart>(out _))
        {
            writer.WriteStartObject();
            var names = new HashSet<string>(StringComparer.Ordinal);
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                if (!parser.TryConsume<Scalar>(out var name))
                    throw new FormatException($"Line {parser.Current?.Start.Line}: a member's name is plain text.");
                if (!names.Add(name.Value))
                    throw new FormatException($"Line {name.Start.Line}: '{name.Value}' is a duplicate.");
                writer.WritePropertyName(name.Value);
                Write(parser, writer, depth + 1);
            }

            writer.WriteEndObject();
        }
        else if (parser.TryConsume<SequenceStart>(out _))
        {
            writer.WriteStartArray();
            while (!parser.TryConsume<SequenceEnd>(out _))
                Write(parser, writer, depth + 1);
            writer.WriteEndArray();
        }
        else
        {
            Write(parser.Consume<Scalar>(), writer);
        }
    }

    private static void Write(Scalar scalar, Utf8JsonWriter writer)
    {
        if (scalar.Style != ScalarStyle.Plain)
            writer.WriteStringValue(scalar.Value);
        else if (scalar.Value is "" or "~" or "null" or "Null" or "NULL")
            writer.WriteNullValue();
        else if (scalar.Value is "true" or "false")
            writer.WriteBooleanValue(scalar.Value == "true");
        else if (int.TryParse(scalar.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
            writer.WriteNumberValue(whole);
        else if (double.TryParse(scalar.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
            writer.WriteNumberValue(number);
        else
            writer.WriteStringValue(scalar.Value);
    }
}
