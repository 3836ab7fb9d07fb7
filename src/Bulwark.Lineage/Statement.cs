using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>What a statement is about.</summary>
/// <param name="Name">A name for people; unique within the statement.</param>
/// <param name="Digest">SHA-256 of the thing itself.</param>
public sealed record Subject(string Name, Digest Digest);

/// <summary>A claim about digests: the payload of a <see cref="Dsse"/> envelope and the usual entry of the log.</summary>
/// <remarks>Source: in-toto Attestation Framework, Statement v1. Holds digests and figures, never personal data.</remarks>
/// <param name="Subjects">One or more.</param>
/// <param name="PredicateType">Which claim; see <see cref="PredicateTypes"/>.</param>
/// <param name="Predicate">The claim itself, a JSON object.</param>
public sealed record Statement(IReadOnlyList<Subject> Subjects, string PredicateType, JsonElement Predicate)
{
    /// <summary>The payload type of a statement in a DSSE envelope.</summary>
    public const string PayloadType = "application/vnd.in-toto+json";

    private const string TypeUri = "https://in-toto.io/Statement/v1";

    /// <summary>Makes a statement of any serialisable predicate (camelCase, nulls left out).</summary>
    /// <exception cref="ArgumentException">There is no subject, a name appears twice, or the predicate is no JSON object.</exception>
    public static Statement Create<T>(string predicateType, IEnumerable<Subject> subjects, T predicate)
    {
        ArgumentException.ThrowIfNullOrEmpty(predicateType);
        return Sound(new([.. subjects], predicateType, JsonSerializer.SerializeToElement(predicate, CanonicalJson.Options)));
    }

    /// <summary>As <see cref="Create{T}(string, IEnumerable{Subject}, T)"/>, without reflection.</summary>
    internal static Statement Create<T>(string predicateType, IEnumerable<Subject> subjects, T predicate, JsonTypeInfo<T> type) =>
        Sound(new([.. subjects], predicateType, JsonSerializer.SerializeToElement(predicate, type)));

    /// <summary>Makes a statement of one of Bulwark's own claims.</summary>
    /// <exception cref="ArgumentException">There is no subject, a name appears twice, or the predicate has faults.</exception>
    public static Statement Of<T>(IEnumerable<Subject> subjects, T predicate) where T : IPredicate<T>
    {
        ArgumentNullException.ThrowIfNull(predicate);
        return predicate.Faults().ToList() is { Count: > 0 } faults ? throw new ArgumentException(string.Join(" ", faults), nameof(predicate)) : Create(T.Type, subjects, predicate);
    }

    /// <summary>Makes a statement of one of Bulwark's own claims about one thing.</summary>
    /// <exception cref="ArgumentException">The predicate has faults.</exception>
    public static Statement Of<T>(string name, Digest digest, T predicate) where T : IPredicate<T> => Of([new Subject(name, digest)], predicate);

    /// <summary>Reads a statement.</summary>
    /// <exception cref="FormatException">It is malformed.</exception>
    public static Statement Parse(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            var wire = JsonSerializer.Deserialize(bytes.Span, LineageJson.Default.StatementWire) ?? throw new FormatException("This is no statement.");
            if (wire._type != TypeUri)
                throw new FormatException($"This is no in-toto statement v1: its type is '{wire._type}'.");
            var statement = new Statement([.. wire.Subject.Select(subject => subject?.ToSubject() ?? throw new FormatException("A subject is null."))], wire.PredicateType, wire.Predicate);
            return statement.Fault() is { } fault ? throw new FormatException(fault) : statement;
        }
        catch (JsonException failure)
        {
            throw new FormatException($"This is no statement: {failure.Message}", failure);
        }
    }

    /// <summary>The canonical bytes: what is signed and logged.</summary>
    public byte[] ToBytes() => CanonicalJson.Serialize(
        new StatementWire(TypeUri, [.. Subjects.Select(subject => new StatementSubject(subject.Name, new(StringComparer.Ordinal) { ["sha256"] = subject.Digest.ToHex() }))], PredicateType, Predicate),
        LineageJson.Default.StatementWire);

    /// <summary>The predicate as a type of the caller's. An unknown, repeated, missing or null member is refused.</summary>
    /// <exception cref="FormatException">The predicate is not of this shape.</exception>
    public T Read<T>()
    {
        try
        {
            return Predicate.Deserialize<T>(Reflected.Strict) ?? throw new FormatException("The predicate is null.");
        }
        catch (JsonException failure)
        {
            throw new FormatException($"The predicate is no {typeof(T).Name}: {failure.Message}", failure);
        }
    }

    /// <summary>As <see cref="Read{T}()"/>, without reflection.</summary>
    internal T Read<T>(JsonTypeInfo<T> type)
    {
        try
        {
            return Predicate.Deserialize(type) ?? throw new FormatException("The predicate is null.");
        }
        catch (JsonException failure)
        {
            throw new FormatException($"The predicate is no {typeof(T).Name}: {failure.Message}", failure);
        }
    }

    private static Statement Sound(Statement statement) => statement.Fault() is { } fault ? throw new ArgumentException(fault) : statement;

    private string? Fault() =>
        Subjects.Count == 0 ? "A statement has one subject or more." :
        Subjects.Select(subject => subject.Name).Distinct(StringComparer.Ordinal).Count() != Subjects.Count ? "A subject's name appears twice." :
        Predicate.ValueKind != JsonValueKind.Object ? "A predicate is a JSON object." : null;

    /// <summary>Made when it is first asked for: a trimmed program has no reflection, and does not ask.</summary>
    private static class Reflected
    {
        internal static readonly JsonSerializerOptions Strict = new(CanonicalJson.Options)
        {
            UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
            RespectRequiredConstructorParameters = true,
            RespectNullableAnnotations = true,
        };
    }
}
