using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Bulwark.Cryptography;
using Bulwark.Worker;

namespace Bulwark.Server;

/// <summary>Another server's model. A typed client rather than a byte-copying proxy: the request was read whole and screened, and only what was understood is written anew.</summary>
internal sealed class UpstreamModel : IServedModel
{
    private readonly HttpClient _http;
    private readonly UpstreamOptions _options;
    private readonly Uri _infer;
    private readonly bool _isBinary;
    private readonly ILogger _logger;
    private volatile bool _answered = true;

    private UpstreamModel(HttpClient http, UpstreamOptions options, UpstreamFacts facts, int maximumRows, ILogger logger)
    {
        (_http, _options, _isBinary, _logger) = (http, options, facts.IsBinary, logger);
        Signature = facts.Signature with { MaximumRows = maximumRows };
        Digest = facts.Digest;
        _infer = new Uri($"{facts.Path}/infer", UriKind.Relative);
    }

    public ModelSignature Signature { get; }

    public Digest Digest { get; }

    public string Attestation => "none";

    public bool IsReady => _answered;

    /// <summary>Asks the server what its model is, and pins it.</summary>
    /// <exception cref="InvalidDataException">The server does not answer, or not by the protocol.</exception>
    internal static async Task<UpstreamModel> ConnectAsync(UpstreamOptions options, int maximumRows, ILogger logger, CancellationToken cancel)
    {
        var http = Client(options);
        try
        {
            return new(http, options, await UpstreamFacts.AskAsync(http, options, cancel), maximumRows, logger);
        }
        catch
        {
            http.Dispose();
            throw;
        }
    }

    public async ValueTask<ServedAnswer> AnswerAsync(InferenceRequest request, AnswerAsked asked, CancellationToken cancel)
    {
        if (Screened(request) is { } refused)
            return ServedAnswer.Of("screened", refused);
        var wanted = Array.ConvertAll(request.Outputs, output => Signature.Outputs.First(known => known.Name == output.Name));
        byte[] body;
        int headBytes;
        try
        {
            body = InferenceWriter.Request(request.Id, request.Inputs, [.. wanted.Select(output => output.Name)], _isBinary, out headBytes);
        }
        catch (ArgumentException)   // text that is no Unicode, for a server that takes JSON only
        {
            return ServedAnswer.Of("refused", Refusal.WrongType("A value has no JSON form, and the model's server takes JSON only."));
        }

        try
        {
            var (answer, answerHead) = await SendAsync(body, headBytes, cancel);
            if (InferenceRequest.ReadAnswer(answer.Span, answerHead, Signature, wanted, out var fault) is not { } outputs)
                return Unavailable($"its answer breaks the protocol: {fault.Text}");
            _answered = true;
            return Write(request, asked.Form, outputs);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or OperationCanceledException or InvalidDataException)
        {
            _answered = cancel.IsCancellationRequested && _answered;
            return Unavailable(failure is OperationCanceledException ? "it did not answer in time" : failure.Message);
        }
    }

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>The pinned types and shapes held already; numbers must be finite, and rows keep the contract where there is one.</summary>
    private Refusal? Screened(InferenceRequest request)
    {
        foreach (var input in request.Inputs)
            if (!input.IsFinite())
                return new(StatusCodes.Status422UnprocessableEntity, "not-finite", $"The input \"{input.Name}\" holds NaN or Infinity.");
        if (_options.Screen is not { } screen)
            return null;
        var rows = request.Inputs[0].ToFloats();
        var width = rows.Length / request.RowCount;
        for (var row = 0; row < request.RowCount; row++)
            if (screen.CheckContract(rows.AsSpan(row * width, width)) is { IsAccepted: false } verdict)
                return LocalModel.Screened(verdict, row, screen);
        return null;
    }

    private ServedAnswer Write(InferenceRequest request, AnswerForm form, Tensor[] outputs)
    {
        try
        {
            var headBytes = -1;
            var body = form is AnswerForm.Message or AnswerForm.RawMessage
                ? InferenceMessages.Write(Signature, request.Id, outputs, form is AnswerForm.RawMessage)
                : InferenceWriter.Answer(Signature, request.Id, [.. outputs.Zip(request.Outputs, (tensor, output) => (tensor, output.IsBinary))], out headBytes);
            return new(StatusCodes.Status200OK, "scored", "accepted", body, headBytes, Scores: outputs[0].Values as float[]);
        }
        catch (ArgumentException fault)   // an FP16 output, or NaN, asked for as JSON
        {
            return ServedAnswer.Of("refused", Refusal.WrongType($"The answer has no JSON form; ask for raw bytes (binary_data). {fault.Message}"));
        }
    }

    private async Task<(ReadOnlyMemory<byte> Body, int HeadBytes)> SendAsync(byte[] body, int headBytes, CancellationToken cancel)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, _infer) { Content = new ByteArrayContent(body) };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue(headBytes < 0 ? "application/json" : "application/octet-stream");
        if (headBytes >= 0)
            message.Headers.TryAddWithoutValidation(RequestBody.HeadLengthHeader, headBytes.ToString(CultureInfo.InvariantCulture));
        using var answer = await _http.SendAsync(message, HttpCompletionOption.ResponseContentRead, cancel);
        if (answer.StatusCode != HttpStatusCode.OK)
            throw new InvalidDataException($"it answered {(int)answer.StatusCode}");
        var bytes = await answer.Content.ReadAsByteArrayAsync(cancel);
        if (!answer.Headers.TryGetValues(RequestBody.HeadLengthHeader, out var stated) && !answer.Content.Headers.TryGetValues(RequestBody.HeadLengthHeader, out stated))
            return (bytes, bytes.Length);
        return int.TryParse(stated.FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out var head) && head <= bytes.Length
            ? (bytes, head) : throw new InvalidDataException("it states no sound length of its JSON head");
    }

    /// <summary>What went wrong there is ours to log, not the client's to read.</summary>
    private ServedAnswer Unavailable(string why)
    {
        _logger.UpstreamFailed(Signature.Name, why);
        return ServedAnswer.Of("unavailable", new(StatusCodes.Status503ServiceUnavailable, "upstream-unavailable", "The model's server does not answer as it should; try again later."));
    }

    private static HttpClient Client(UpstreamOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,   // a server that sends us elsewhere is not the one that was configured
            UseCookies = false,
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.None,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxResponseHeadersLength = 16,
            SslOptions = TlsPolicy.Client(options.Roots.Count == 0 ? null : [.. options.Roots], options.Certificate),
        };
        return new HttpClient(handler) { BaseAddress = options.Address, Timeout = options.Timeout, MaxResponseContentBufferSize = options.MaximumAnswerBytes };
    }
}
