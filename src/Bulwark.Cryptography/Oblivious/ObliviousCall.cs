using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>The client's side of one request under <see cref="ObliviousProtocol"/>.</summary>
public sealed class ObliviousCall : IDisposable
{
    private readonly ObliviousProtocol _protocol;
    private readonly EhbpExchange? _ehbp;
    private readonly ObliviousExchange? _oblivious;

    private ObliviousCall(ObliviousProtocol protocol, byte[] message, EhbpExchange? ehbp, ObliviousExchange? oblivious) =>
        (_protocol, Message, _ehbp, _oblivious) = (protocol, message, ehbp, oblivious);

    /// <summary>The body to send.</summary>
    public ReadOnlyMemory<byte> Message { get; }

    /// <summary>EHBP: the encapsulated key, for the header; else empty.</summary>
    public ReadOnlyMemory<byte> Encapsulated => _ehbp?.Enc ?? [];

    /// <summary>A secret of this exchange, which keys the receipt's digests.</summary>
    public byte[] ReceiptSalt() => _ehbp?.ReceiptSalt() ?? _oblivious!.ReceiptSalt();

    /// <summary>Seals a request.</summary>
    /// <param name="protocol">Which.</param>
    /// <param name="keyList">The worker's configuration, <c>application/ohttp-keys</c>.</param>
    /// <param name="authority">The gateway's host; sealed by Oblivious HTTP only, as is the path.</param>
    /// <param name="path">The path of the request.</param>
    /// <param name="body">JSON.</param>
    /// <exception cref="InvalidDataException">The configuration offers nothing that is built.</exception>
    public static ObliviousCall Seal(ObliviousProtocol protocol, ReadOnlySpan<byte> keyList, string authority, string path, ReadOnlySpan<byte> body)
    {
        var config = ObliviousKeyConfig.ParseList(keyList).FirstOrDefault(one => one.Kem == 0x0020 && one.Suites.Contains((HpkeKdf.Id, HpkeAead.Aes256Gcm)))
            ?? throw new InvalidDataException("The worker offers no X25519 key with AES-256-GCM.");
        if (protocol is ObliviousProtocol.Ehbp)
        {
            var ehbp = EhbpExchange.Sender(new X25519PublicKey(config.PublicKey));
            return new(protocol, ehbp.SealFrame(body), ehbp, null);
        }

        var request = BinaryHttp.Write(new BinaryHttp.Request("POST", "https", authority, path, [("content-type", "application/json")], body.ToArray()));
        var (message, exchange) = protocol is ObliviousProtocol.ChunkedObliviousHttp
            ? ObliviousExchange.SealChunked(config, HpkeAead.Aes256Gcm, request) : ObliviousExchange.Seal(config, HpkeAead.Aes256Gcm, request);
        return new(protocol, message, null, exchange);
    }

    /// <summary>Opens the response.</summary>
    /// <param name="status">The HTTP status that came outside; EHBP's only one.</param>
    /// <param name="nonce">EHBP: the response's nonce of the header; else empty.</param>
    /// <param name="message">The body.</param>
    /// <exception cref="SealedRequestException">It answers another request, or was changed, or is not sealed at all.</exception>
    public (int Status, byte[] Body) Open(int status, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> message)
    {
        try
        {
            if (_ehbp is not null)
                return (status, message.IsEmpty ? throw new CryptographicException("The answer is empty.") : _ehbp.OpenResponse(message, nonce));
            var response = BinaryHttp.ReadResponse(_protocol is ObliviousProtocol.ChunkedObliviousHttp ? _oblivious!.OpenChunkedResponse(message) : _oblivious!.OpenResponse(message));
            return (response.Status, response.Content);
        }
        catch (Exception failure) when (failure is CryptographicException or InvalidDataException)
        {
            throw new SealedRequestException(SealedRefusal.Tampered, $"The answer does not open: {failure.Message}");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ehbp?.Dispose();
        _oblivious?.Dispose();
    }
}
