using System.Security.Cryptography;
using Bulwark.Attestation.Sources;
using Bulwark.Attestation.Tpm;
using Bulwark.Cryptography;

namespace Bulwark.Fuzz.Targets;

/// <summary>Sealed requests: whatever opens is exactly what was sealed.</summary>
internal sealed class SealedRequestTarget : IFuzzTarget
{
    private static readonly SealedRoute s_route = new("POST", "/v2/models/fraud/sealed", "fraud");
    private static readonly byte[] s_body = [.. Enumerable.Range(0, 700).Select(i => (byte)(i % 251))];
    private readonly byte[] _private;
    private readonly byte[] _public;

    public SealedRequestTarget()
    {
        using var keys = HpkeKeyPair.Generate();
        (_private, _public) = (keys.ExportPrivateKey(), keys.PublicKey.ToArray());
    }

    public string Name => "sealed-request";

    public IEnumerable<byte[]> Seeds()
    {
        using var channel = SealedChannel.Open(_public, [1], DateTimeOffset.UtcNow);
        yield return channel.Seal(s_route, s_body).Message.ToArray();
        yield return channel.Seal(s_route, []).Message.ToArray();
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        using var endpoint = new SealedEndpoint(HpkeKeyPair.Import(_private), [1], TimeProvider.System);
        var body = endpoint.Open(s_route, input).Body.Span;
        if (!body.IsEmpty && !body.SequenceEqual(s_body))
            throw new InvalidOperationException("Something else than what was sealed was opened.");
    }

    public bool IsRefusal(Exception failure) => failure is SealedRequestException;
}

/// <summary>Oblivious HTTP: key configurations, whole and chunked requests.</summary>
internal sealed class ObliviousTarget : IFuzzTarget
{
    private readonly X25519KeyPair _keys = X25519KeyPair.Generate();
    private readonly ObliviousKeyConfig _config;

    public ObliviousTarget() => _config = new(1, 0x0020, _keys.PublicKey.Bytes.ToArray(), [(1, HpkeAead.Aes256Gcm)]);

    public string Name => "oblivious";

    public IEnumerable<byte[]> Seeds()
    {
        var bytes = _config.ToBytes();
        var (whole, one) = ObliviousExchange.Seal(_config, HpkeAead.Aes256Gcm, new byte[40]);
        var (chunked, two) = ObliviousExchange.SealChunked(_config, HpkeAead.Aes256Gcm, new byte[40], chunkSize: 16);
        one.Dispose();
        two.Dispose();
        return [[0, .. whole], [1, .. chunked], [2, 0, (byte)bytes.Length, .. bytes]];
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
            return;
        if (input[0] % 3 == 2)
        {
            _ = ObliviousKeyConfig.ParseList(input[1..]);
            return;
        }

        var (request, exchange) = ObliviousExchange.Open(_config, _keys, input[1..], isChunked: input[0] % 3 == 1);
        exchange.Dispose();
        if (!request.AsSpan().SequenceEqual(new byte[40]))
            throw new InvalidOperationException("Something else than what was sealed was opened.");
    }

    public bool IsRefusal(Exception failure) => failure is CryptographicException or InvalidDataException;
}

/// <summary>Answers of a TPM: a chip that lies, or a bus that is tampered with.</summary>
internal sealed class TpmAnswerTarget : IFuzzTarget
{
    public string Name => "tpm-answer";

    public IEnumerable<byte[]> Seeds() =>
    [
        [0x80, 0x01, 0, 0, 0, 10, 0, 0, 0, 0], [0x80, 0x01, 0, 0, 0, 10, 0, 0, 1, 0],
        [0x80, 0x02, 0, 0, 0, 19, 0, 0, 0, 0, 0, 0, 0, 3, 0, 1, 7, 0, 0],
        [0x80, 0x02, 0, 0, 0, 23, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 3, 0, 1, 7, 0, 0],
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        foreach (var command in (TpmCommand[])[new(0x17E), new TpmCommand(0x158, 1).Authorize()])
            foreach (var hasHandle in (bool[])[false, true])
                _ = TpmClient.ReadResponse(input, command, hasHandle);
        _ = TpmPublic.TryRead(input, out _);
        _ = TpmQuote.TryRead(input, out _);
    }

    public bool IsRefusal(Exception failure) => failure is TpmException;
}
