using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace Bulwark.Server;

/// <summary>Another server's model over REST: JSON, or raw tensors where the server lists them.</summary>
internal sealed class RestUpstream(UpstreamOptions options) : IUpstreamCaller
{
    private readonly HttpClient _http = new(UpstreamConnection.Handler(options)) { BaseAddress = options.Address, Timeout = options.Timeout, MaxResponseContentBufferSize = options.MaximumAnswerBytes };
    private UpstreamFacts? _facts;

    public async Task<UpstreamFacts> DescribeAsync(CancellationToken cancel) => _facts = await UpstreamFacts.AskAsync(_http, options, cancel);

    public async Task<Tensor[]> AskAsync(InferenceRequest request, ModelSignature signature, TensorSpec[] wanted, CancellationToken cancel)
    {
        var body = InferenceWriter.Request(request.Id, request.Inputs, [.. wanted.Select(output => output.Name)], _facts!.IsBinary, out var headBytes);
        var (answer, answerHead) = await SendAsync(body, headBytes, cancel);
        return InferenceRequest.ReadAnswer(answer.Span, answerHead, signature, wanted, out var fault)
            ?? throw new InvalidDataException($"its answer breaks the protocol: {fault.Text}");
    }

    public void Dispose() => _http.Dispose();

    private async Task<(ReadOnlyMemory<byte> Body, int HeadBytes)> SendAsync(byte[] body, int headBytes, CancellationToken cancel)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri($"{_facts!.Path}/infer", UriKind.Relative)) { Content = new ByteArrayContent(body) };
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
}
