using System.Text.Json;

namespace Bulwark.Lineage;

/// <summary>What a statement claims of its subjects, as a type: the log's shape of one kind of event.</summary>
/// <remarks>Holds digests, figures, names of columns, keys and policies, and pseudonyms; never a value of a row, a name of a person or a feature.</remarks>
public interface IPredicate
{
    /// <summary>Every fault; empty when the claim is sound.</summary>
    IEnumerable<string> Faults();
}

/// <summary>A claim that knows its own address.</summary>
/// <typeparam name="TSelf">The claim's own type.</typeparam>
public interface IPredicate<TSelf> : IPredicate where TSelf : IPredicate<TSelf>
{
    /// <summary>The address that names the claim; one of <see cref="PredicateTypes"/>.</summary>
    static abstract string Type { get; }
}

/// <summary>Reads any claim of Bulwark's as its type.</summary>
public static class Predicates
{
    private static readonly Dictionary<string, Func<Statement, IPredicate>> s_readers = new(StringComparer.Ordinal);

    static Predicates()
    {
        Add<DatasetCommitted>();
        Add<DataProtected>();
        Add<DataAccessed>();
        Add<KeyUsed>();
        Add<SubjectErased>();
        Add<TrainingProvenance>();
        Add<ModelEvaluated>();
        Add<ModelAttacked>();
        Add<ModelSealed>();
        Add<ModelPromoted>();
        Add<KeyReleased>();
        Add<KeyAuthorityUsed>();
        Add<MeasurementPublished>();
        Add<RequestJudged>();
        Add<RequestsJudged>();
        Add<PredictionFacts>();
        Add<PolicyChanged>();
        Add<RunFinished>();
        Add<PrivacyBooked>();
    }

    /// <summary>The address of every claim that can be read.</summary>
    public static IReadOnlyCollection<string> Types => s_readers.Keys;

    /// <summary>The claim as its type; null when its address is none of <see cref="Types"/>.</summary>
    /// <exception cref="FormatException">The claim is not as its address promises: a member is unknown, missing, null or out of range.</exception>
    public static IPredicate? Read(Statement statement)
    {
        ArgumentNullException.ThrowIfNull(statement);
        if (!s_readers.TryGetValue(statement.PredicateType, out var read))
            return null;
        var predicate = read(statement);
        return predicate.Faults().FirstOrDefault() is { } fault ? throw new FormatException(fault) : predicate;
    }

    /// <summary>The claim as <typeparamref name="T"/>; null when it is another claim, or not as its address promises.</summary>
    public static T? TryRead<T>(Statement statement) where T : class, IPredicate<T>
    {
        ArgumentNullException.ThrowIfNull(statement);
        try
        {
            return statement.PredicateType == T.Type ? Read(statement) as T : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static void Add<T>() where T : IPredicate<T> => s_readers.Add(T.Type, statement => statement.Read<T>());

    internal static string? Empty(string value, string name) => string.IsNullOrWhiteSpace(value) ? $"'{name}' is empty." : null;

    internal static string? NotObject(JsonElement value, string name) => value.ValueKind == JsonValueKind.Object ? null : $"'{name}' is no JSON object.";

    internal static IEnumerable<string> Sound(params IEnumerable<string?> faults) => faults.OfType<string>();
}
