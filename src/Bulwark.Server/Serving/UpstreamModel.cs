using Bulwark.Cryptography;
using Bulwark.Worker;

namespace Bulwark.Server;

/// <summary>Another server's model. A typed client rather than a byte-copying proxy: the request was read whole and screened, and only what was understood is written anew.</summary>
internal sealed class UpstreamModel : IServedModel
{
    private readonly IUpstreamCaller _caller;
    private readonly UpstreamOptions _options;
    private readonly ILogger _logger;
    private volatile bool _answered = true;

    private UpstreamModel(IUpstreamCaller caller, UpstreamOptions options, UpstreamFacts facts, int maximumRows, ILogger logger)
    {
        (_caller, _options, _logger) = (caller, options, logger);
        Signature = facts.Signature with { MaximumRows = maximumRows };
        Digest = facts.Digest;
    }

    public ModelSignature Signature { get; }

    public Digest Digest { get; }

    public string Attestation => "none";

    public bool IsReady => _answered;

    /// <summary>Asks the server what its model is, and pins it.</summary>
    /// <exception cref="InvalidDataException">The server does not answer, or not by the protocol.</exception>
    internal static async Task<UpstreamModel> ConnectAsync(UpstreamOptions options, int maximumRows, ILogger logger, CancellationToken cancel)
    {
        IUpstreamCaller caller = options.Protocol is UpstreamProtocol.Grpc ? new GrpcUpstream(options) : new RestUpstream(options);
        try
        {
            return new(caller, options, await caller.DescribeAsync(cancel), maximumRows, logger);
        }
        catch
        {
            caller.Dispose();
            throw;
        }
    }

    public async ValueTask<ServedAnswer> AnswerAsync(InferenceRequest request, AnswerAsked asked, CancellationToken cancel)
    {
        if (Screened(request) is { } refused)
            return ServedAnswer.Of("screened", refused);
        var wanted = Array.ConvertAll(request.Outputs, output => Signature.Outputs.First(known => known.Name == output.Name));
        try
        {
            var outputs = await _caller.AskAsync(request, Signature, wanted, cancel);
            _answered = true;
            return Write(request, asked.Form, outputs);
        }
        catch (ArgumentException)   // text that is no Unicode, for a server that takes JSON only
        {
            return ServedAnswer.Of("refused", Refusal.WrongType("A value has no JSON form, and the model's server takes JSON only."));
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or OperationCanceledException or InvalidDataException)
        {
            _answered = cancel.IsCancellationRequested && _answered;
            return Unavailable(failure is OperationCanceledException ? "it did not answer in time" : failure.Message);
        }
    }

    public ValueTask DisposeAsync()
    {
        _caller.Dispose();
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

    /// <summary>What went wrong there is ours to log, not the client's to read.</summary>
    private ServedAnswer Unavailable(string why)
    {
        _logger.UpstreamFailed(Signature.Name, why);
        return ServedAnswer.Of("unavailable", new(StatusCodes.Status503ServiceUnavailable, "upstream-unavailable", "The model's server does not answer as it should; try again later."));
    }
}
