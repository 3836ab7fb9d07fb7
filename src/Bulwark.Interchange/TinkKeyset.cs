using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bulwark.Interchange;

/// <summary>A cleartext Tink keyset in JSON (what <c>tinkey create-keyset --out-format json</c> writes) of AES-GCM-HKDF streaming keys. It holds its keys openly.</summary>
public sealed class TinkKeyset : IDisposable
{
    private const string KeyType = "type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey";
    private const int LargestFile = 1 << 20;

    private TinkKeyset(IReadOnlyList<TinkStreamingKey> keys, TinkStreamingKey primary) => (Keys, Primary) = (keys, primary);

    /// <summary>Every enabled key: any of them may have made a message.</summary>
    public IReadOnlyList<TinkStreamingKey> Keys { get; }

    /// <summary>The key that encrypts.</summary>
    public TinkStreamingKey Primary { get; }

    /// <summary>A keyset of one fresh key.</summary>
    /// <param name="segmentSizeInBytes"><see cref="TinkStreamingKey.FourKilobytes"/> or <see cref="TinkStreamingKey.OneMegabyte"/>.</param>
    public static TinkKeyset Generate(int segmentSizeInBytes = TinkStreamingKey.OneMegabyte)
    {
        var key = TinkStreamingKey.Generate(segmentSizeInBytes);
        return new TinkKeyset([key], key);
    }

    /// <summary>Reads a keyset.</summary>
    /// <exception cref="InvalidDataException">It is none, or one of other keys; the message says which.</exception>
    public static TinkKeyset Parse(ReadOnlySpan<byte> json)
    {
        var keys = new List<TinkStreamingKey>();
        try
        {
            if (json.Length > LargestFile)
                throw new InvalidDataException("The Tink keyset is too long.");
            using var document = JsonDocument.Parse(json.ToArray());
            var primaryId = document.RootElement.GetProperty("primaryKeyId").GetUInt32();
            TinkStreamingKey? primary = null;
            foreach (var entry in document.RootElement.GetProperty("key").EnumerateArray())
            {
                if (entry.GetProperty("status").GetString() != "ENABLED")
                    continue;
                keys.Add(Key(entry));
                if (entry.GetProperty("keyId").GetUInt32() == primaryId)
                    primary = keys[^1];
            }

            return new TinkKeyset(keys, primary ?? throw new InvalidDataException("The Tink keyset's primary key is not among its enabled keys."));
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException or OverflowException)
        {
            keys.ForEach(key => key.Dispose());
            throw new InvalidDataException("This is no cleartext Tink keyset in JSON.", failure);
        }
        catch
        {
            keys.ForEach(key => key.Dispose());
            throw;
        }
    }

    /// <summary>The keyset as JSON. It holds the keys openly: keep it as you keep them.</summary>
    public byte[] ToJson()
    {
        var ids = Keys.Select((_, i) => (uint)RandomNumberGenerator.GetInt32(1, int.MaxValue) ^ (uint)i).ToArray();
        var entries = Keys.Select((key, i) => (JsonNode)new JsonObject
        {
            ["keyData"] = new JsonObject { ["typeUrl"] = KeyType, ["value"] = Convert.ToBase64String(TinkKeyProto.Write(key)), ["keyMaterialType"] = "SYMMETRIC" },
            ["status"] = "ENABLED",
            ["keyId"] = ids[i],
            ["outputPrefixType"] = "RAW",
        });
        return JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["primaryKeyId"] = ids[Keys.ToList().IndexOf(Primary)], ["key"] = new JsonArray([.. entries]) });
    }

    /// <summary>Wipes the keys.</summary>
    public void Dispose()
    {
        foreach (var key in Keys)
            key.Dispose();
    }

    private static TinkStreamingKey Key(JsonElement entry)
    {
        var data = entry.GetProperty("keyData");
        if (data.GetProperty("typeUrl").GetString() != KeyType)
            throw new InvalidDataException($"The Tink keyset has a key of the type {data.GetProperty("typeUrl")}; only AesGcmHkdfStreamingKey is read.");
        if (entry.GetProperty("outputPrefixType").GetString() != "RAW")
            throw new InvalidDataException("A Tink streaming key has the output prefix type RAW.");
        var bytes = Convert.FromBase64String(data.GetProperty("value").GetString() ?? "");
        try
        {
            return TinkKeyProto.Read(bytes);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }
}
