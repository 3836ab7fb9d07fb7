using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>A model server of the Open Inference Protocol V2 that gives each input back; and, when told to, misbehaves.</summary>
internal sealed class FakeUpstream : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeUpstream(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/");
    }

    internal Uri Address { get; }

    /// <summary>What the server does instead of answering; null answers.</summary>
    internal Func<HttpContext, Task>? Misbehaves { get; set; }

    internal int Requests { get; private set; }

    internal IHeaderDictionary? LastHeaders { get; private set; }

    internal static async Task<FakeUpstream> StartAsync(string datatype, long[] shape, bool isBinary)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        FakeUpstream? fake = null;
        app.MapGet("/v2", () => Results.Json(new { name = "fake", version = "1", extensions = isBinary ? new[] { "binary_tensor_data" } : [] }));
        app.MapGet("/v2/models/echo", () => Results.Json(new
        {
            name = "echo",
            versions = new[] { "3" },
            platform = "fake",
            inputs = new[] { new { name = "in", datatype, shape } },
            outputs = new[] { new { name = "out", datatype, shape } },
        }));
        app.MapPost("/v2/models/echo/versions/3/infer", http => fake!.AnswerAsync(http));
        await app.StartAsync();
        return fake = new(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        (Requests, LastHeaders) = (Requests + 1, http.Request.Headers);
        if (Misbehaves is { } other)
        {
            await other(http);
            return;
        }

        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        var bytes = body.ToArray();
        var head = http.Request.Headers.TryGetValue("Inference-Header-Content-Length", out var stated) ? int.Parse(stated[0]!, CultureInfo.InvariantCulture) : bytes.Length;
        var request = JsonNode.Parse(bytes.AsSpan(0, head))!;
        var tensor = request["inputs"]![0]!.DeepClone();
        tensor["name"] = "out";
        var answer = new JsonObject { ["model_name"] = "echo", ["model_version"] = "3", ["id"] = request["id"]?.DeepClone(), ["outputs"] = new JsonArray(tensor) };
        if (answer["id"] is null)
            answer.Remove("id");
        var text = Encoding.UTF8.GetBytes(answer.ToJsonString());
        if (head < bytes.Length)
            http.Response.Headers["Inference-Header-Content-Length"] = text.Length.ToString(CultureInfo.InvariantCulture);
        await http.Response.Body.WriteAsync((byte[])[.. text, .. bytes[head..]]);
    }
}
