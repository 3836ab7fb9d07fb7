using System.Collections.Concurrent;
using System.Text;
using Bulwark.Models;
using Bulwark.Monitoring;

namespace Bulwark.Server;

/// <summary>What an alarm of the query monitor does.</summary>
public enum AlarmAnswer
{
    /// <summary>The answer is withheld (429, <c>probing</c>).</summary>
    Withhold = 0,

    /// <summary>The answer is given; the client's suspicion rises, which policies see.</summary>
    Record,

    /// <summary>Only the decision is told.</summary>
    DecisionOnly,

    /// <summary>
    /// The first answer that this client was given in the neighbourhood is given again, as if it were this one's: a search learns nothing, not even that it is seen.
    /// An honest client that is taken for a search is told so, too. A search by many clients learns one answer for each of them; <see cref="Withhold"/> gives none.
    /// </summary>
    Repeat,
}

/// <summary>The query monitor joined to the gateway: one monitor a model, over all clients; suspicion and a daily budget for each client.</summary>
/// <remarks>
/// With a shared store all gateways judge by what all have seen; budgets and suspicion of a client are those of all gateways as of its last request here.
/// Thread-safe. Clients are known by their pseudonyms; of at most 100,000 of them something is kept. Suspicion halves each hour.
/// </remarks>
/// <param name="answer">What an alarm does.</param>
/// <param name="budgetPerDay">Rows that a client may have scored a day, in UTC; null for no budget.</param>
/// <param name="time">The clock.</param>
/// <param name="shared">What other gateways have seen; null for this one alone.</param>
/// <param name="goOnAlone">True when this gateway goes on by its own memory while the store is away; false when it answers 503 then.</param>
public sealed class MonitoredQueries(AlarmAnswer answer, long? budgetPerDay, TimeProvider time, SharedQueries? shared = null, bool goOnAlone = false) : QueryObserver
{
    private const int MostClients = 100_000;
    private const int SuspicionOfAnAlarm = 200;
    private readonly ConcurrentDictionary<string, Watched> _models = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Conduct> _clients = new(StringComparer.Ordinal);

    /// <summary>Alarms so far.</summary>
    public long Alarms => Interlocked.Read(ref _alarms);

    private long _alarms;

    /// <summary>Gets each alarm, on the request's thread: must be quick and must not throw. Null for none.</summary>
    public Action<QueryAlert>? Alerted { get; init; }

    /// <summary>Watches a model from now on.</summary>
    /// <param name="model">Its name.</param>
    /// <param name="schema">Its features.</param>
    /// <param name="monitor">A monitor of its encoded rows.</param>
    /// <param name="extraction">When a client's queries look like those of a copy in the making; null where that is not watched. It is watched by each gateway alone.</param>
    public void Watch(string model, FeatureSchema schema, QueryMonitor monitor, ExtractionWatchOptions? extraction = null) =>
        _models[model] = new(new FeatureEncoder(schema), monitor, extraction is null ? null : new ExtractionWatches(extraction), answer == AlarmAnswer.Repeat ? new FirstAnswers() : null);

    /// <inheritdoc/>
    public override ClientStanding StandingOf(string client) => _clients.TryGetValue(client, out var conduct) ? conduct.Standing(time.GetUtcNow(), budgetPerDay) : new(budgetPerDay, 0);

    /// <inheritdoc/>
    public override bool MustSeeRows(string model) => answer != AlarmAnswer.Record && _models.ContainsKey(model);

    /// <inheritdoc/>
    public override bool Observe(in ObservedQuery query)
    {
        var alarms = CountAlarms(query);
        ConductOf(query.Client).Add(query.Time, query.RowCount, alarms * SuspicionOfAnAlarm);
        if (alarms == 0)
            return true;
        Interlocked.Add(ref _alarms, alarms);
        return answer == AlarmAnswer.Record;
    }

    /// <inheritdoc/>
    public override async ValueTask<ObservedAnswer> ObserveAsync(ObservedQuery query)
    {
        if (answer == AlarmAnswer.Repeat)
            Repeated(query);
        if (shared is null)
            return Word(Observe(query));
        var (rows, watched) = EncodedRows(query);
        var prints = watched is null ? [] : FingerprintsOf(rows, watched);
        var client = shared.NameOf(query.Thumbprint.IsEmpty ? Encoding.UTF8.GetBytes(query.Client) : query.Thumbprint.Span);
        if (await shared.ExchangeAsync($"bulwark:{query.Model}:{watched?.Monitor.Name}", client, time.GetUtcNow(), query.RowCount, prints) is not { } sight)
            return goOnAlone ? Word(Observe(query)) : ObservedAnswer.Unavailable;
        var alarms = watched is null ? 0 : ExtractionAlarm(query, watched, rows);
        for (var row = 0; row < prints.Count; row++)
            alarms += Told(query, watched!.Monitor.Judge(prints[row], sight.Earlier[row]));
        if (alarms > 0)
            shared.Tell(client, time.GetUtcNow(), alarms);
        Interlocked.Add(ref _alarms, alarms);
        var suspicion = SuspicionOfAnAlarm * (alarms + sight.AlarmsThisHour + (sight.AlarmsLastHour / 2.0));
        ConductOf(query.Client).Learn(query.Time, sight.RowsToday, suspicion);
        return Word(alarms == 0 || answer == AlarmAnswer.Record);
    }

    /// <inheritdoc/>
    public override ReadOnlyMemory<float> Repeated(ObservedQuery query)
    {
        var (rows, watched) = EncodedRows(query);
        if (watched?.First is not { } first || query.Scores.IsEmpty || query.Scores.Length % query.RowCount != 0)
            return query.Scores;
        var (scores, classes) = (query.Scores.ToArray(), query.Scores.Length / query.RowCount);
        foreach (var (row, print) in FingerprintsOf(rows, watched).Index())
            first.FirstOr(query.Client, print, query.Scores.Span.Slice(row * classes, classes)).CopyTo(scores, row * classes);
        return scores;
    }

    private ObservedAnswer Word(bool given) => given ? ObservedAnswer.Give : answer switch
    {
        AlarmAnswer.DecisionOnly => ObservedAnswer.DecisionOnly,
        AlarmAnswer.Repeat => ObservedAnswer.Repeat,
        _ => ObservedAnswer.Withhold,
    };

    private Conduct ConductOf(string client)
    {
        if (_clients.Count >= MostClients)
            _clients.Clear();   // a flood of names forgets suspicion, never the monitors' counts, which know no names
        return _clients.GetOrAdd(client, _ => new Conduct());
    }

    private (float[] Rows, Watched? Watched) EncodedRows(in ObservedQuery query) =>
        query.Rows.IsEmpty || !_models.TryGetValue(query.Model, out var watched) || query.Rows.Length != (long)query.RowCount * watched.Encoder.Width
            ? ([], null) : (watched.Encoder.Encode(query.Rows.Span), watched);

    private static List<QueryFingerprint> FingerprintsOf(float[] rows, Watched watched)
    {
        var prints = new List<QueryFingerprint>();
        for (var (at, width) = (0, watched.Encoder.EncodedWidth); at < rows.Length; at += width)
            prints.Add(watched.Monitor.FingerprintOf(rows.AsSpan(at, width)));
        return prints;
    }

    private int CountAlarms(in ObservedQuery query)
    {
        var (encoded, watched) = EncodedRows(query);
        if (watched is null)
            return 0;
        var (alarms, width) = (ExtractionAlarm(query, watched, encoded), watched.Encoder.EncodedWidth);
        for (var row = 0; row < query.RowCount; row++)
            alarms += Told(query, watched.Monitor.Observe(encoded.AsSpan(row * width, width)));
        return alarms;
    }

    private int Told(in ObservedQuery query, QueryVerdict verdict)
    {
        if (verdict.IsAlarm)
            Alerted?.Invoke(QueryAlert.OfCrowd(query, verdict));
        return verdict.IsAlarm ? 1 : 0;
    }

    private int ExtractionAlarm(in ObservedQuery query, Watched watched, float[] encoded)
    {
        if (watched.Extraction?.Observe(query.Client, encoded, watched.Encoder.EncodedWidth, query.Scores.Span) is not { } alarm)
            return 0;
        Alerted?.Invoke(QueryAlert.OfExtraction(query, alarm.W, alarm.Queries));
        return 1;
    }

    private sealed record Watched(FeatureEncoder Encoder, QueryMonitor Monitor, ExtractionWatches? Extraction, FirstAnswers? First);

    /// <summary>One client's day.</summary>
    private sealed class Conduct
    {
        private static readonly TimeSpan HalfLife = TimeSpan.FromHours(1);
        private readonly Lock _lock = new();
        private DateTimeOffset _seen;
        private DateOnly _day;
        private long _rows;
        private double _suspicion;

        internal ClientStanding Standing(DateTimeOffset now, long? budget)
        {
            lock (_lock)
            {
                Pass(now);
                return new(budget is { } rows ? Math.Max(0, rows - _rows) : null, (int)Math.Min(1000, _suspicion));
            }
        }

        internal void Add(DateTimeOffset now, int rows, double suspicion)
        {
            lock (_lock)
            {
                Pass(now);
                _rows += rows;
                _suspicion = Math.Min(1000, _suspicion + suspicion);
            }
        }

        /// <summary>What all gateways know.</summary>
        internal void Learn(DateTimeOffset now, long rowsToday, double suspicion)
        {
            lock (_lock)
            {
                Pass(now);
                (_rows, _suspicion) = (Math.Max(_rows, rowsToday), Math.Min(1000, Math.Max(_suspicion, suspicion)));
            }
        }

        private void Pass(DateTimeOffset now)
        {
            if (DateOnly.FromDateTime(now.UtcDateTime) is var today && today != _day)
                (_day, _rows) = (today, 0);
            if (now > _seen)
                (_suspicion, _seen) = (_suspicion == 0 ? 0 : _suspicion * Math.Pow(0.5, (now - _seen) / HalfLife), now);
        }
    }
}
