using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Bulwark.Monitoring;
using StackExchange.Redis;

namespace Bulwark.Server;

/// <summary>What several gateways have seen, kept together in Redis: fingerprints of the last queries by keyed cell, and each client's day. Raw values never go there.</summary>
/// <remarks>
/// A script adds the request's rows, some dozens a call, and returns what shares a cell with each; beside it another counts for the client. Everything expires.
/// All keys of a monitor share a hash slot, as do all of a client, who is named by a keyed hash of its certificate: the same at every gateway that has the key.
/// A server that is away costs one short wait a request, and comes back by itself; what a gateway does meanwhile is its own choice.
/// </remarks>
public sealed class SharedQueries : IAsyncDisposable
{
    private const int MostOfACell = 64;
    private const int NumberBytes = 8;
    private const int KeyBytes = 32;

    /// <summary>Where the fingerprint of the key lies in the store.</summary>
    public const string FingerprintKey = "bulwark:monitor-key";

    private const int MostRowsOfACall = 64;   // a script holds up everybody else's

    // KEYS: the client. ARGV: day, hour, rows scored. One client's day is one for all models and all ways of asking.
    private const string ClientScript = """
        local day = KEYS[1] .. ':b:' .. ARGV[1]
        local used = redis.call('INCRBY', day, ARGV[3])
        redis.call('EXPIRE', day, 172800)
        local alarms = redis.call('MGET', KEYS[1] .. ':s:' .. ARGV[2], KEYS[1] .. ':s:' .. (tonumber(ARGV[2]) - 1))
        return { used, tonumber(alarms[1] or '0'), tonumber(alarms[2] or '0') }
        """;

    // KEYS: the monitor. ARGV: seconds that a cell lives, rows; then of each row digest, four cells, sketch.
    // A row that was asked a short time ago keeps its number and is not added again, but what was there before it is told again: whoever asked first may never have got the answer.
    private const string RowsScript = """
        local p = KEYS[1]
        local ttl = tonumber(ARGV[1])
        local out = {}
        for r = 0, tonumber(ARGV[2]) - 1 do
          local at = 3 + r * 6
          local asked = p .. ':r:' .. ARGV[at]
          local known = redis.call('GET', asked)
          local number = known and tonumber(known) or redis.call('INCR', p .. ':n')
          if not known then redis.call('SET', asked, number, 'EX', 3600) end
          local found = { number }
          local mine = struct.pack('>I8', number) .. ARGV[at + 5]
          for t = 1, 4 do
            local cell = p .. ':c:' .. t .. ':' .. ARGV[at + t]
            for _, one in ipairs(redis.call('LRANGE', cell, 0, 63)) do found[#found + 1] = one end
            if not known then
              redis.call('LPUSH', cell, mine)
              redis.call('LTRIM', cell, 0, 63)
              redis.call('EXPIRE', cell, ttl)
            end
          end
          out[#out + 1] = found
        end
        return out
        """;

    // KEYS: the client. ARGV: microseconds between requests, burst. The arrival that is due next, as text of whole microseconds: a number would lose digits.
    private const string RateScript = """
        local clock = redis.call('TIME')
        local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
        local interval = tonumber(ARGV[1])
        local due = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
        if due - now > interval * (tonumber(ARGV[2]) - 1) then return 0 end
        redis.call('SET', KEYS[1], string.format('%.0f', due + interval), 'PX', string.format('%.0f', math.ceil((due + interval - now) / 1000)))
        return 1
        """;

    private readonly ConnectionMultiplexer _redis;
    private readonly TimeSpan _memory;
    private readonly byte[] _names;
    private readonly string _fingerprint;

    private SharedQueries(ConnectionMultiplexer redis, ReadOnlySpan<byte> key, TimeSpan memory)
    {
        (_redis, _memory) = (redis, memory);
        _names = HMACSHA256.HashData(key, "bulwark shared clients v1"u8);
        _fingerprint = Convert.ToHexStringLower(HMACSHA256.HashData(key, "bulwark shared key v1"u8));
    }

    /// <summary>Joins a server; it need not be there yet.</summary>
    /// <param name="address"><c>redis://host:port</c>, or <c>rediss://</c> for TLS; a user before an at sign, a database as the path.</param>
    /// <param name="password">The password; null for none.</param>
    /// <param name="key">32 secret bytes, the same on every gateway.</param>
    /// <param name="memory">How long a query is remembered.</param>
    /// <param name="patience">The longest wait for an answer.</param>
    /// <exception cref="ArgumentException">The address is none, or the key has another length.</exception>
    public static async Task<SharedQueries> JoinAsync(Uri address, string? password, ReadOnlyMemory<byte> key, TimeSpan memory, TimeSpan patience)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!address.IsAbsoluteUri || address.Scheme is not ("redis" or "rediss") || address.UserInfo.Contains(':', StringComparison.Ordinal))
            throw new ArgumentException("The store's address is redis://host:port or rediss://host:port, without a password.", nameof(address));
        if (key.Length != KeyBytes)
            throw new ArgumentException($"The shared key has {key.Length} bytes; it must be {KeyBytes}.", nameof(key));
        var options = new ConfigurationOptions
        {
            EndPoints = { { address.Host, address.IsDefaultPort || address.Port < 0 ? 6379 : address.Port } },
            User = address.UserInfo.Length > 0 ? address.UserInfo : null,
            Password = password,
            Ssl = address.Scheme == "rediss",
            DefaultDatabase = int.TryParse(address.AbsolutePath.Trim('/'), out var database) ? database : 0,
            AbortOnConnectFail = false,
            ConnectTimeout = (int)patience.TotalMilliseconds,
            AsyncTimeout = (int)patience.TotalMilliseconds,
            SyncTimeout = (int)patience.TotalMilliseconds,
            BacklogPolicy = BacklogPolicy.FailFast,
            ReconnectRetryPolicy = new LinearRetry(500),
            ClientName = "bulwark-gateway",
        };
        return new(await ConnectionMultiplexer.ConnectAsync(options), key.Span, memory);
    }

    /// <summary>
    /// Whether the gateways that use this store have the same key; the first leaves a fingerprint there for those who come. Gateways with different keys would name
    /// every client differently and share nothing, silently. Null when the server cannot be asked.
    /// </summary>
    public async Task<bool?> HasSameKeyAsync()
    {
        try
        {
            var database = _redis.GetDatabase();
            await database.StringSetAsync(FingerprintKey, _fingerprint, when: When.NotExists);
            return await database.StringGetAsync(FingerprintKey) == _fingerprint;
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>What a client is called in the store.</summary>
    /// <param name="thumbprint">SHA-256 of its certificate.</param>
    internal string NameOf(ReadOnlySpan<byte> thumbprint) => Convert.ToHexStringLower(HMACSHA256.HashData(_names, thumbprint).AsSpan(0, 16));

    /// <summary>Adds a request, with the fingerprints of its rows where the model is watched; null when the server cannot be asked.</summary>
    internal async Task<SharedSight?> ExchangeAsync(string monitor, string client, DateTimeOffset now, int scored, IReadOnlyList<QueryFingerprint> rows)
    {
        try
        {
            var database = _redis.GetDatabase();
            var earlier = new List<IReadOnlyList<EarlierQuery>>(rows.Count);
            var day = database.ScriptEvaluateAsync(ClientScript, [KeyOf(client)], [now.UtcDateTime.ToString("yyyyMMdd", CultureInfo.InvariantCulture), HourOf(now), scored]);
            for (var first = 0; first < rows.Count; first += MostRowsOfACall)
            {
                var found = (RedisResult[]?)await database.ScriptEvaluateAsync(RowsScript, [$"{{{monitor}}}"], ArgumentsOf(rows, first, Math.Min(MostRowsOfACall, rows.Count - first)));
                earlier.AddRange((found ?? []).Select(Earlier));
            }

            return (RedisResult[]?)await day is [var used, var thisHour, var lastHour] && earlier.Count == rows.Count
                ? new((long)used, (int)(long)thisHour, (int)(long)lastHour, earlier) : null;
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException or InvalidCastException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>True for the first of all gateways to name something within its life, false for the others; null when the server cannot be asked.</summary>
    internal async Task<bool?> IsFirstAsync(string name, TimeSpan life)
    {
        try
        {
            return await _redis.GetDatabase().StringSetAsync(name, 1, life, When.NotExists);
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>Counts a request of a client; false when it is above its rate at all gateways together, null when the server cannot be asked.</summary>
    internal async Task<bool?> IsWithinRateAsync(string client, long interval, int burst)
    {
        try
        {
            return (long)await _redis.GetDatabase().ScriptEvaluateAsync(RateScript, [$"{KeyOf(client)}:r"], [interval, burst]) == 1;
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException or InvalidCastException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>Tells the others of alarms; lost when the server is away.</summary>
    internal void Tell(string client, DateTimeOffset now, int alarms)
    {
        try
        {
            var database = _redis.GetDatabase();
            RedisKey key = $"{KeyOf(client)}:s:{HourOf(now)}";
            _ = database.StringIncrementAsync(key, alarms, CommandFlags.FireAndForget);
            _ = database.KeyExpireAsync(key, TimeSpan.FromHours(3), CommandFlags.FireAndForget);
        }
        catch (Exception failure) when (failure is RedisException or ObjectDisposedException)
        {
            // the alarm itself stands; the others learn of the next one
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    private static string KeyOf(string client) => $"{{bulwark:client:{client}}}";

    private static long HourOf(DateTimeOffset now) => now.ToUnixTimeSeconds() / 3600;

    private RedisValue[] ArgumentsOf(IReadOnlyList<QueryFingerprint> rows, int first, int count)
    {
        List<RedisValue> arguments = [(long)_memory.TotalSeconds, count];
        for (var row = first; row < first + count; row++)
        {
            arguments.Add(rows[row].Digest.ToString("x16", CultureInfo.InvariantCulture));
            foreach (var cell in rows[row].Cells)
                arguments.Add(cell.ToString("x16", CultureInfo.InvariantCulture));
            arguments.Add(rows[row].Sketch);
        }

        return [.. arguments];
    }

    /// <summary>The queries before this one that share a cell with it, newest first, each once.</summary>
    private static IReadOnlyList<EarlierQuery> Earlier(RedisResult row)
    {
        var found = (RedisResult[])row!;
        var number = (long)found[0];
        var earlier = new SortedDictionary<long, ReadOnlyMemory<byte>>();
        foreach (var one in found.Skip(1).Take(4 * MostOfACell))
            if ((byte[]?)one is { Length: > NumberBytes } bytes)
                earlier[number - (long)BinaryPrimitives.ReadUInt64BigEndian(bytes)] = bytes.AsMemory(NumberBytes);
        return [.. earlier.Where(pair => pair.Key > 0).Select(pair => new EarlierQuery(pair.Key, pair.Value))];
    }
}

/// <summary>What the shared store knows of a request.</summary>
/// <param name="RowsToday">Rows that the client had scored today, these among them.</param>
/// <param name="AlarmsThisHour">Alarms of the client.</param>
/// <param name="AlarmsLastHour">Alarms of the client in the hour before.</param>
/// <param name="Earlier">For each row the queries before it that share a cell.</param>
internal sealed record SharedSight(long RowsToday, int AlarmsThisHour, int AlarmsLastHour, IReadOnlyList<IReadOnlyList<EarlierQuery>> Earlier);
