using System.Net;
using System.Text.Json.Nodes;
using Bulwark.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Bulwark.Tests.Servers;

/// <summary>A request as a cloud sees it: over real HTTP, with its raw body.</summary>
internal sealed record CloudRequest(string Method, string Path, IHeaderDictionary Headers, string Host, byte[] Body)
{
    internal JsonNode Json => JsonNode.Parse(Body.Length == 0 ? "{}"u8 : Body)!;
}

/// <summary>A cloud's key service on this machine, answered by a function.</summary>
internal sealed class FakeCloud : IAsyncDisposable
{
    private WebApplication _app = null!;

    internal List<string> Requests { get; } = [];

    internal Uri Endpoint { get; private set; } = null!;

    internal static async Task<FakeCloud> StartAsync(Func<CloudRequest, (int Status, JsonNode? Answer)> answer)
    {
        var cloud = new FakeCloud();
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        cloud._app = builder.Build();
        cloud._app.Run(async http =>
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            cloud.Requests.Add($"{http.Request.Method} {http.Request.Path}");
            var (status, reply) = answer(new(http.Request.Method, http.Request.Path.Value!, http.Request.Headers, http.Request.Host.Value!, body.ToArray()));
            http.Response.StatusCode = status;
            await http.Response.WriteAsync(reply?.ToJsonString() ?? "");
        });
        await cloud._app.StartAsync();
        cloud.Endpoint = new Uri(cloud._app.Urls.First() + "/");
        return cloud;
    }

    internal KeyStoreOptions Options(params (string Name, string Value)[] variables) => new()
    {
        Variable = name => Array.Find(variables, variable => variable.Name == name).Value,
        Endpoint = Endpoint,
        Retries = 0,
        Timeout = TimeSpan.FromSeconds(60),
    };

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
