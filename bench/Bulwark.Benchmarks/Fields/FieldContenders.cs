using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Data;
using Org.BouncyCastle.Crypto.Fpe;
using Org.BouncyCastle.Crypto.Parameters;

namespace Bulwark.Benchmarks.Fields;

/// <summary>One thing to time.</summary>
/// <param name="Name">How the table calls it.</param>
/// <param name="Values">Values in one call.</param>
/// <param name="Limit">What bounds it, measured beside it.</param>
/// <param name="LimitUnits">How many of the limit's units one value needs at least.</param>
/// <param name="Run">One call.</param>
internal sealed record FieldContender(string Name, int Values, string? Limit, double LimitUnits, Action Run);

/// <summary>The field primitives over 16 k values, their limits, and BouncyCastle's FF1 as judge.</summary>
internal sealed class FieldContenders : IDisposable
{
    internal const string Cards = "FF1 tokens, 16-digit cards as numbers", Judge = "BouncyCastle FF1, 15 digits, one by one (judge)";
    private const string Ecb = "raw AES-256-ECB, blocks of 16 bytes in calls of 16 KiB", Gcm = "raw AES-256-GCM, 32 bytes, one AesGcm", Hmac = "raw HMAC-SHA-256, 20 bytes, HMACSHA256.HashData";
    private const int Rows = 16_384, Judged = 64;
    private readonly List<IDisposable> _owned = [];
    private readonly string _folder = Directory.CreateTempSubdirectory("bulwark-fields").FullName;

    internal FieldContenders() => All = [.. Limits(), .. Tokens(), .. Joins(), .. Randoms(), .. Hashes()];

    internal IReadOnlyList<FieldContender> All { get; }

    internal int Agreed { get; private set; }

    internal int IndexOf(string name) => All.ToList().FindIndex(one => one.Name == name);

    public void Dispose()
    {
        _owned.ForEach(one => one.Dispose());
        Directory.Delete(_folder, recursive: true);
    }

    private T Own<T>(T one)
        where T : IDisposable
    {
        _owned.Add(one);
        return one;
    }

    private static byte[] Key(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)i)];

    private IEnumerable<FieldContender> Limits()
    {
        var aes = Own(Aes.Create());
        aes.SetKey(Key(32));
        var blocks = new byte[1024 * 16];
        yield return new(Ecb, 1024, null, 1, () => aes.EncryptEcb(blocks, blocks, PaddingMode.None));
        var gcm = Own(new AesGcm(Key(32), 16));
        var (nonce, plain, output, tag) = (new byte[12], new byte[32], new byte[32], new byte[16]);
        yield return new(Gcm, 256, null, 1, () =>
        {
            for (var i = 0; i < 256; i++)
                gcm.Encrypt(nonce, plain, output, tag, plain);
        });
        var key = Key(32);
        yield return new(Hmac, 256, null, 1, () =>
        {
            Span<byte> hash = stackalloc byte[32];
            for (var i = 0; i < 256; i++)
                HMACSHA256.HashData(key, key.AsSpan(0, 20), hash);
        });
    }

    private IEnumerable<FieldContender> Tokens()
    {
        var tokenizer = Own(new CardTokenizer(SecretBytes.CopyOf(Key(32)), new byte[8]));
        string[] texts = [.. Enumerable.Range(0, Rows).Select(i => WithLuhn(400000000000000UL + (ulong)i * 7919))];
        ulong[] cards = [.. texts.Select(ulong.Parse)], work = new ulong[Rows];
        yield return new(Cards, Rows, Ecb, 10, () =>
        {
            cards.CopyTo(work, 0);
            tokenizer.Tokenize(work, 16);
        });
        var tokens = tokenizer.Tokenize(texts);
        ulong[] numbers = [.. tokens.Select(ulong.Parse)];
        yield return new("FF1 back, 16-digit tokens as numbers", Rows, Ecb, 10, () =>
        {
            numbers.CopyTo(work, 0);
            tokenizer.Reveal(work, 16);
        });
        yield return new("FF1 tokens, 16-digit cards as strings", Rows, Ecb, 10, () => tokenizer.Tokenize(texts));
        var ff1 = Own(new Ff1(Key(32), "0123456789"));
        string[] ids = [.. Enumerable.Range(0, Rows).Select(i => $"{100_000_000 + i * 31}")];
        yield return new("FF1, ids of 9 digits as strings", Rows, Ecb, 10, () => ff1.EncryptMany(ids, new byte[8]));
        var judge = new FpeFf1Engine();
        judge.Init(true, new FpeParameters(new KeyParameter(Key(32)), 10, new byte[8]));
        byte[] digits = [.. texts[0][..15].Select(c => (byte)(c - '0'))];
        var result = new byte[15];
        yield return new(Judge, 8, null, 1, () =>
        {
            for (var i = 0; i < 8; i++)
                judge.ProcessBlock(digits, 0, 15, result, 0);
        });
        for (var i = 0; i < Judged; i++)
        {
            digits = [.. texts[i][..15].Select(c => (byte)(c - '0'))];
            judge.ProcessBlock(digits, 0, 15, result, 0);
            if (string.Concat(result) != tokens[i][..15])
                throw new InvalidOperationException($"Token {i} is not the judge's.");
            Agreed++;
        }
    }

    private IEnumerable<FieldContender> Joins()
    {
        var siv = Own(new AesSiv(Key(64)));
        byte[][] context = [Encoding.ASCII.GetBytes("payments"), Encoding.ASCII.GetBytes("email")];
        foreach (var (length, blocks) in new[] { (12, 2), (24, 4) })
        {
            var values = RandomNumberGenerator.GetBytes(Rows * length);
            int[] ends = [.. Enumerable.Range(1, Rows).Select(i => i * length)], sealedEnds = [.. Enumerable.Range(1, Rows).Select(i => i * (length + 16))];
            var output = new byte[Rows * (length + 16)];
            siv.EncryptBatch(values, ends, output, context);
            yield return new($"AES-256-SIV, {length} bytes, batch", Rows, Ecb, blocks, () => siv.EncryptBatch(values, ends, output, context));
            var (back, opened) = (new byte[Rows * length], new bool[Rows]);
            yield return new($"AES-256-SIV back, {length} bytes, batch", Rows, Ecb, blocks, () => siv.DecryptBatch(output, sealedEnds, back, opened, context));
        }
    }

    private IEnumerable<FieldContender> Randoms()
    {
        var xaes = Own(new Xaes256Gcm(Key(32)));
        var (plain, output, aad) = (new byte[32], new byte[72], new byte[32]);
        yield return new("XAES-256-GCM, 32 bytes, fresh nonce each, one by one", 256, Gcm, 1, () =>
        {
            for (var i = 0; i < 256; i++)
                xaes.EncryptFresh(plain, output, aad);
        });
        const int Batch = 4096;
        var values = RandomNumberGenerator.GetBytes(Batch * 32);
        int[] ends = [.. Enumerable.Range(1, Batch).Select(i => i * 32)], sealedEnds = [.. Enumerable.Range(1, Batch).Select(i => i * 72)];
        var (many, back, opened) = (new byte[Batch * 72], new byte[Batch * 32], new bool[Batch]);
        yield return new("XAES-256-GCM, 32 bytes, fresh nonce each, batch", Batch, Gcm, 1, () => xaes.EncryptBatch(values, ends, many, aad));
        xaes.EncryptBatch(values, ends, many, aad);
        yield return new("XAES-256-GCM back, 32 bytes, batch", Batch, Gcm, 1, () => xaes.DecryptBatch(many, sealedEnds, back, opened, aad));
        var ring = Own(KeyRing.Create(Path.Combine(_folder, "ring.json"), KeyRingUnlock.KeyFile(Path.Combine(_folder, "ring.key"))));
        var format = new FieldFormat { Kind = ColumnKind.Text, Scope = FieldScope.Of("bench", "note", null) };
        var (step, rows) = (Own(new ValueStep("note", ring, ring.GetOrCreateSymmetric("notes"), format, reveal: false)), new FieldRows(0));
        var column = new TextColumn("note", [.. Enumerable.Range(0, Batch).Select(i => $"some 32 bytes of free text {i:00000}")]);
        yield return new("encryptValue of a column: text in, base64url out", Batch, Gcm, 1, () => step.Apply(column, rows));
    }

    private IEnumerable<FieldContender> Hashes()
    {
        var hash = Own(new KeyedHash(Key(32)));
        byte[] value = Key(20), output = new byte[32];
        yield return new("keyed hash, 20 bytes", 256, Hmac, 1, () =>
        {
            for (var i = 0; i < 256; i++)
                hash.Compute(value, output);
        });
    }

    private static string WithLuhn(ulong digits)
    {
        for (var check = 0UL; ; check++)
        {
            var text = $"{digits * 10 + check}";
            var sum = text.Reverse().Select((c, i) => i % 2 == 0 ? c - '0' : (c - '0') * 2 / 10 + (c - '0') * 2 % 10).Sum();
            if (sum % 10 == 0)
                return text;
        }
    }
}
