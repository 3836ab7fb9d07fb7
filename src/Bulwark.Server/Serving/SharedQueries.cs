using System.Buffers.Binary;
using Bulwark.Monitoring;
using StackExchange.Redis;

namespace Bulwark.Server;

/// <summary>What several gateways have seen, kept together in Redis: fingerprints of the last queries by keyed cell, and each client's day. Raw values never go there.</summary>
/// <remarks>
/// One request is one round trip: a script adds the request's rows and returns what shares a cell with each. Everything expires. All keys of a model share a hash slot.
/// A server that is away costs one short wait a request, and comes back by itself; what a gateway does meanwhile is its own choice.
/// </remarks>
public sealed class SharedQueries : IAsyncDisposable
{
    private const int MostOfACell = 64;
    private const int NumberBytes = 8;

    // KEYS: the prefix. ARGV: seconds that a cell lives, client, day, hour, rows, rows scored; then of each row digest, four cells, sketch.
    private const string Script = """
        local p = KEYS[1]
        local ttl = tonumber(ARGV[1])
        local rows = tonumber(ARGV[5])
        local day = p .. ':b:' .. ARGV[3] .. ':' .. ARGV[2]
        local used = redis.call('INCRBY', day, ARGV[6])
        redis.call('EXPIRE', day, 172800)
        local alarms = redis.call('MGET', p .. ':s:' .. ARGV[4] .. ':' .. ARGV[2], p .. ':s:' .. (tonumber(ARGV[4]) - 1) .. ':' .. ARGV[2])
        local out = { used, tonumber(alarms[1] or '0'), tonumber(alarms[2] or '0') }
        for r = 0, rows - 1 do
          local at = 7 + r * 6
          local found = { 0 }
          if redis.call('SET', p .. ':d:' .. ARGV[at], '1', 'NX', 'EX', 3600) then
            local number = redis.call('INCR', p .. ':n')
            found[1] = number
            local mine = struct.pack('>I8', number) .. ARGV[at + 5]
            for t = 1, 4 do
              local cell = p .. ':c:' .. t .. ':' .. ARGV[at + t]
              for _, one in ipairs(redis.call('LRANGE', cell, 0, 63)) do found[#found + 1] = one end
              redis.call('LPUSH', cell, mine)
              redis.call('LTRIM', cell, 0, 63)
              redis.call('EXPIRE', cell, ttl)
            end
          end
          out[#out + 1] = found
        end
        return out
        """;

    private readonly ConnectionMultiplexer _redis;
    private readonly TimeSpan _memory;

    private SharedQueries(ConnectionMultiplexer redis, TimeSpan memory) => (_redis, _memory) = (redis, memory);

    /// <summary>Joins a server; it need not be there yet.</summary>
    /// <param name="address"><c>redis://host:port</c>, or <c>rediss://</c> for TLS; a user before an at sign, a database as the path.</param>
    /// <param name="password">The password; null for none.</param>
    /// <param name="memory">How long a query is remembered.</param>
    /// <param name="patience">The longest wait for an answer.</param>
    /// <exception cref="ArgumentException">The address is none.</exception>
    public static async Task<SharedQueries> JoinAsync(Uri address, string? password, TimeSpan memory, TimeSpan patience)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!address.IsAbsoluteUri || address.Scheme is not ("redis" or "rediss") || address.UserInfo.Contains(':', StringComparison.Ordinal))
            throw new ArgumentException("The store's address is redis://host:port or rediss://host:port, without a password.", nameof(address));
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
        return new(await ConnectionMultiplexer.ConnectAsync(options), memory);
    }

    /// <summary>Adds a request, with the fingerprints of its rows where the model is watched; null when the server cannot be asked.</summary>
    internal async Task<SharedSight?> ExchangeAsync(string prefix, string client, DateTimeOffset now, int scored, IReadOnlyList<QueryFingerprint> rows)
    {
        List<RedisValue> arguments = [(long)_memory.TotalSeconds, client, now.UtcDateTime.ToString("yyyyMMdd", System.Globalization.CultureInfo.InvariantCulture), HourOf(now), rows.Count, scored];
        foreach (var row in rows)
        {
            arguments.Add(row.Digest.ToString("x16", System.Globalization.CultureInfo.InvariantCulture));
            foreach (var cell in row.Cells)
                arguments.Add(cell.ToString("x16", System.Globalization.CultureInfo.InvariantCulture));
            arguments.Add(row.Sketch);
        }

        try
        {
            var answer = (RedisResult[]?)await _redis.GetDatabase().ScriptEvaluateAsync(Script, [$"{{{prefix}}}"], [.. arguments]);
            return answer is { Length: > 2 } && answer.Length == 3 + rows.Count
                ? new((long)answer[0], (int)(long)answer[1], (int)(long)answer[2], [.. answer.Skip(3).Select(Earlier)]) : null;
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException or InvalidCastException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>Tells the others of alarms; lost when the server is away.</summary>
    internal void Tell(string prefix, string client, DateTimeOffset now, int alarms)
    {
        try
        {
            var database = _redis.GetDatabase();
            RedisKey key = $"{{{prefix}}}:s:{HourOf(now)}:{client}";
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

    private static long HourOf(DateTimeOffset now) => now.ToUnixTimeSeconds() / 3600;

    /// <summary>The queries that share a cell, newest first, each once; null for a row that was asked a short time ago.</summary>
    private static IReadOnlyList<EarlierQuery>? Earlier(RedisResult row)
    {
        var found = (RedisResult[])row!;
        var number = (long)found[0];
        if (number == 0)
            return null;
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
/// <param name="Earlier">For each row the queries that share a cell; null for a retry.</param>
internal sealed record SharedSight(long RowsToday, int AlarmsThisHour, int AlarmsLastHour, IReadOnlyList<EarlierQuery>?[] Earlier);
