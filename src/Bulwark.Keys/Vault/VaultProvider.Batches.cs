using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Keys;

public sealed partial class VaultProvider
{
    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<WrappedKey>> WrapManyAsync(KeyUri kek, IReadOnlyList<(SecretBytes DataKey, KeyContext Context)> keys, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(kek);
        ArgumentNullException.ThrowIfNull(keys);
        if (keys.Any(key => key.Context.MustAuthenticate))
            await RequireSecretAsync(kek.Key, cancel).ConfigureAwait(false);
        var wrapped = new List<WrappedKey>(keys.Count);
        foreach (var batch in keys.Chunk(BatchItems))
        {
            var body = Batch(batch, (writer, item) =>
            {
                writer.WriteBase64String("plaintext", item.DataKey.Span);
                Bind(writer, item.Context);
                if (kek.Version is { } version)
                    writer.WriteNumber("key_version", int.Parse(version, System.Globalization.CultureInfo.InvariantCulture));
            });
            using var reply = await AskAsync(HttpMethod.Post, $"encrypt/{Name(kek)}", body, kek, opening: false, repeatable: true, cancel).ConfigureAwait(false);
            var results = Results(reply, batch.Length);
            wrapped.AddRange(results.Select(result => result.Optional("error") is null ? Wrapped(kek, result.Text("ciphertext")) : throw new KeyProviderException($"Vault at {_server.Authority} does not wrap by {kek}.", "is it an encryption key, and the version enabled?", null)));
        }

        await CheckBindingAsync(wrapped, keys, cancel).ConfigureAwait(false);
        return wrapped;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<KeyAnswer<SecretBytes>>> UnwrapManyAsync(IReadOnlyList<WrappedItem> items, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        var answers = new KeyAnswer<SecretBytes>[items.Count];
        Array.Fill(answers, new(null, VaultFaults.Refusal));
        try
        {
            var known = Enumerable.Range(0, items.Count).Where(i => Holds(items[i].Wrapped.Kek) && IsCiphertext(items[i].Wrapped));
            foreach (var batch in known.GroupBy(i => items[i].Wrapped.Kek.Key).SelectMany(key => key.Chunk(BatchItems)))
            {
                if (batch.Any(i => items[i].Context.MustAuthenticate))
                    await RequireSecretAsync(items[batch[0]].Wrapped.Kek.Key, cancel).ConfigureAwait(false);
                var body = Batch(batch, (writer, i) =>
                {
                    writer.WriteString("ciphertext", Ciphertext(items[i].Wrapped));
                    Bind(writer, items[i].Context);
                });
                await UnwrapBatchAsync(items, batch, body, answers, cancel).ConfigureAwait(false);
            }

            return answers;
        }
        catch
        {
            foreach (var answer in answers)
                answer.Value?.Dispose();
            throw;
        }
    }

    private async Task UnwrapBatchAsync(IReadOnlyList<WrappedItem> items, int[] batch, byte[] body, KeyAnswer<SecretBytes>[] answers, CancellationToken cancel)
    {
        var kek = items[batch[0]].Wrapped.Kek;
        try
        {
            using var reply = await AskAsync(HttpMethod.Post, $"decrypt/{Name(kek)}", body, kek, opening: true, repeatable: true, cancel, batch: true).ConfigureAwait(false);
            foreach (var (i, result) in batch.Zip(Results(reply, batch.Length)))
            {
                if (result.Optional("error") is not { } error || string.IsNullOrEmpty(error.ToString()))
                    answers[i] = new(result.Secret("plaintext"), null);
            }
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            // the whole batch was refused: each keeps its refusal
        }
    }

    /// <summary>Servers of before 2023 ignore associated data: a key that opens under another context would not be bound at all.</summary>
    private async Task CheckBindingAsync(List<WrappedKey> wrapped, IReadOnlyList<(SecretBytes DataKey, KeyContext Context)> keys, CancellationToken cancel)
    {
        var bound = Enumerable.Range(0, keys.Count).FirstOrDefault(i => !keys[i].Context.Binding.IsEmpty, -1);
        if (_binds || bound < 0)
            return;
        var other = keys[bound].Context with { Binding = (byte[])[.. keys[bound].Context.Binding.Span, 0] };
        var answer = (await UnwrapManyAsync([new(wrapped[bound], other)], cancel).ConfigureAwait(false))[0];
        if (answer.Value is { } opened)
        {
            opened.Dispose();
            throw new KeyProviderException($"Vault at {_server.Authority} does not bind keys to their context: it ignores associated_data.", "update it (Vault 1.13, OpenBao 2), and use a key of the type aes256-gcm96", null);
        }

        _binds = true;
    }

    /// <summary>A transit key of the RSA types has a public half by which anybody makes a ciphertext that opens: asked of the server once for each key.</summary>
    private async ValueTask RequireSecretAsync(KeyUri key, CancellationToken cancel)
    {
        if (_secret.ContainsKey(key))
            return;
        if ((await DescribeAsync(key, cancel).ConfigureAwait(false)).Algorithm is var type && !type.StartsWith("aes", StringComparison.Ordinal) && !type.Contains("chacha20", StringComparison.Ordinal))
            throw CloudFaults.PublicHalf(key, "a transit key of the type aes256-gcm96");
        _secret[key] = true;
    }

    private static byte[] Batch<T>(IEnumerable<T> items, Action<Utf8JsonWriter, T> write) => StoreJson.Body(writer =>
    {
        writer.WriteStartArray("batch_input");
        foreach (var item in items)
        {
            writer.WriteStartObject();
            write(writer, item);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    });

    private static void Bind(Utf8JsonWriter writer, KeyContext context)
    {
        if (!context.Binding.IsEmpty)
            writer.WriteBase64String("associated_data", context.Binding.Span);
    }

    private static JsonElement[] Results(StoreReply reply, int count) =>
        reply.Json.Member("data").Member("batch_results") is { ValueKind: JsonValueKind.Array } results && results.GetArrayLength() == count
            ? [.. results.EnumerateArray()]
            : throw StoreReply.Malformed();

    private static bool IsCiphertext(WrappedKey wrapped) => wrapped.Bytes.AsSpan().StartsWith(System.Text.Encoding.ASCII.GetBytes($"vault:v{wrapped.Kek.Version}:"));
}
