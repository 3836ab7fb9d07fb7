using Bulwark.Lineage;

namespace Bulwark.Server;

/// <summary>A witness as a web server: <c>POST add-checkpoint</c> of C2SP tlog-witness, and <c>GET vkey</c> for people. Dispose of it to stop.</summary>
public sealed class WitnessHost : IAsyncDisposable
{
    private const int MaximumRequestBytes = 1 << 20;
    private readonly WebApplication _app;

    private WitnessHost(WebApplication app)
    {
        _app = app;
        BaseAddress = LogHost.AddressOf(app);
    }

    /// <summary>The witness's submission prefix.</summary>
    public Uri BaseAddress { get; }

    /// <summary>Listens.</summary>
    /// <param name="witness">Answers; stays the caller's.</param>
    /// <param name="port">0 for any free one.</param>
    /// <param name="anyAddress">False listens on loopback only: put a TLS proxy or a bastion in front of it.</param>
    /// <param name="answered">Told of every answer: the status, and the first line of its body.</param>
    /// <param name="cancel">Ends the starting.</param>
    public static async Task<WitnessHost> StartAsync(Witness witness, int port, bool anyAddress = false, Action<int, string>? answered = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(witness);
        var app = LogHost.Create(port, anyAddress);
        app.MapPost("/add-checkpoint", context => AnswerAsync(context, witness, answered));
        app.MapGet("/vkey", () => Results.Text($"{witness.Key}\n"));
        await app.StartAsync(cancel);
        return new WitnessHost(app);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static async Task AnswerAsync(HttpContext context, Witness witness, Action<int, string>? answered)
    {
        var answer = await JudgeAsync(context, witness);
        answered?.Invoke(answer.Status, answer.Body.Split('\n')[0]);
        context.Response.StatusCode = answer.Status;
        context.Response.ContentType = answer.ContentType;
        await context.Response.WriteAsync(answer.Body, context.RequestAborted);
    }

    /// <summary>A record that cannot be read or written must give no cosignature, and the log's operator no detail of this machine.</summary>
    private static async Task<WitnessAnswer> JudgeAsync(HttpContext context, Witness witness)
    {
        try
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            return body.Length > MaximumRequestBytes
                ? new WitnessAnswer(StatusCodes.Status400BadRequest, "text/plain; charset=utf-8", "longer than 1 MiB\n")
                : await witness.AddCheckpointAsync(body.ToArray(), context.RequestAborted);
        }
        catch (BadHttpRequestException failure)
        {
            return new WitnessAnswer(failure.StatusCode, "text/plain; charset=utf-8", "the request cannot be read\n");
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            return new WitnessAnswer(StatusCodes.Status500InternalServerError, "text/plain; charset=utf-8", "the witness cannot use its record; nothing was cosigned\n");
        }
    }
}
