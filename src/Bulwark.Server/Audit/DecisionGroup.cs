using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Server;

/// <summary>A group of decisions as the log's entry: a signed statement, <see cref="RequestsJudged"/>.</summary>
/// <remarks>
/// The canonical bytes are written directly, members in their order, because they are written for every request; what holds a character that
/// canonical JSON spells in its own way takes the long road. A test holds both roads to the same bytes.
/// </remarks>
internal static class DecisionGroup
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>The statement's canonical bytes.</summary>
    internal static byte[] Payload(RequestsJudged group, IReadOnlyList<Subject> subjects) =>
        IsPlain(group, subjects) ? Fast(group, subjects) : Statement.Of(subjects, group).ToBytes();

    /// <summary>The envelope's canonical bytes; equal to <see cref="Dsse.Sign(string, ReadOnlySpan{byte}, Signer)"/>.</summary>
    internal static byte[] Sign(byte[] payload, Signer signer)
    {
        var signature = signer.Sign(Dsse.PreAuthenticationEncoding(Statement.PayloadType, payload));
        var tail = Encoding.ASCII.GetBytes(
            $"\",\"payloadType\":\"{Statement.PayloadType}\",\"signatures\":[{{\"keyid\":\"{signer.PublicKey.Fingerprint.ToHex()}\",\"sig\":\"{Convert.ToBase64String(signature)}\"}}]}}");
        var head = "{\"payload\":\""u8;
        var envelope = new byte[head.Length + Base64.GetMaxEncodedToUtf8Length(payload.Length) + tail.Length];
        head.CopyTo(envelope);
        Base64.EncodeToUtf8(payload, envelope.AsSpan(head.Length), out _, out var written);
        tail.CopyTo(envelope.AsSpan(head.Length + written));   // the longest encoding is the only one: it is padded
        return envelope;
    }

    private static byte[] Fast(RequestsJudged group, IReadOnlyList<Subject> subjects)
    {
        var buffer = new ArrayBufferWriter<byte>(512 + (256 * group.Decisions.Count));
        using var json = new Utf8JsonWriter(buffer, Plain);
        json.WriteStartObject();
        json.WriteString("_type"u8, "https://in-toto.io/Statement/v1"u8);
        json.WriteStartObject("predicate"u8);
        json.WriteStartArray("decisions"u8);
        foreach (var one in group.Decisions)
            Write(json, one);
        json.WriteEndArray();
        json.WriteNumber("first"u8, group.First);
        json.WriteString("gateway"u8, group.Gateway);
        json.WriteString("policy"u8, group.Policy.ToString());
        if (group.Previous is { } previous)
            json.WriteString("previous"u8, previous.ToString());
        if (group.Trail is { } trail)
            json.WriteString("trail"u8, trail.ToString());
        json.WriteEndObject();
        json.WriteString("predicateType"u8, PredicateTypes.AccessBatch);
        json.WriteStartArray("subject"u8);
        foreach (var subject in subjects)
        {
            json.WriteStartObject();
            json.WriteStartObject("digest"u8);
            json.WriteString("sha256"u8, subject.Digest.ToHex());
            json.WriteEndObject();
            json.WriteString("name"u8, subject.Name);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter json, JudgedRequest one)
    {
        json.WriteStartObject();
        json.WriteString("action"u8, one.Action);
        if (one.Client is not null)
            json.WriteString("client"u8, one.Client);
        if (one.Model is not null)
            json.WriteString("model"u8, one.Model);
        json.WriteString("outcome"u8, one.Outcome);
        json.WriteStartArray("policies"u8);
        foreach (var policy in one.Policies)
            json.WriteStringValue(policy);
        json.WriteEndArray();
        json.WriteString("reason"u8, one.Reason);
        json.WriteNumber("status"u8, one.Status);
        json.WriteString("time"u8, one.Time);
        json.WriteEndObject();
    }

    private static bool IsPlain(RequestsJudged group, IReadOnlyList<Subject> subjects) =>
        subjects.All(subject => IsPlain(subject.Name)) && group.Decisions.All(one => IsPlain(one.Model) && one.Policies.All(IsPlain) && IsPlain(one.Reason) && IsPlain(one.Outcome));

    /// <summary>Printable ASCII without a quote or a backslash is spelled alike by everyone.</summary>
    private static bool IsPlain(string? text) => text is null || (!text.AsSpan().ContainsAnyExceptInRange(' ', '~') && !text.AsSpan().ContainsAny('"', '\\'));
}
