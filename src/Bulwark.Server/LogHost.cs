using System.IO.Compression;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Bulwark.Server;

/// <summary>A log's folder as a web server: its checkpoint, tiles and entry bundles, and nothing else of what lies there.</summary>
/// <remarks>Source: C2SP tlog-tiles: content types, caching, bundles compressed where the client takes it. Any static server can do the same. Dispose of it to stop.</remarks>
public sealed partial class LogHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private LogHost(WebApplication app)
    {
        _app = app;
        BaseAddress = AddressOf(app);
    }

    /// <summary>The log's prefix.</summary>
    public Uri BaseAddress { get; }

    /// <summary>Listens.</summary>
    /// <param name="directory">The log's folder.</param>
    /// <param name="port">0 for any free one.</param>
    /// <param name="anyAddress">False listens on loopback only.</param>
    /// <param name="cancel">Ends the starting.</param>
    public static async Task<LogHost> StartAsync(string directory, int port, bool anyAddress = false, CancellationToken cancel = default)
    {
        var folder = Path.GetFullPath(directory);
        var app = Create(port, anyAddress);
        app.MapMethods("/{**path}", ["GET", "HEAD"], (HttpContext context, string? path) => AnswerAsync(context, folder, path ?? ""));
        await app.StartAsync(cancel);
        return new LogHost(app);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app.DisposeAsync();

    /// <summary>A small server without the usual furniture.</summary>
    internal static WebApplication Create(int port, bool anyAddress)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 1 << 20;
            kestrel.Listen(anyAddress ? IPAddress.Any : IPAddress.Loopback, port);
        });
        return builder.Build();
    }

    internal static Uri AddressOf(WebApplication app)
    {
        var bound = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return new UriBuilder(bound) { Host = "localhost" }.Uri;
    }

    private static async Task AnswerAsync(HttpContext context, string folder, string path)
    {
        var isCheckpoint = path == "checkpoint";
        if ((!isCheckpoint && !TilePattern().IsMatch(path)) || !File.Exists(Path.Combine(folder, path)))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var response = context.Response;
        byte[] bytes;
        try
        {
            bytes = await File.ReadAllBytesAsync(Path.Combine(folder, path), context.RequestAborted);
        }
        catch (IOException)
        {
            response.StatusCode = StatusCodes.Status404NotFound;   // a partial file whose whole one came between
            return;
        }

        response.ContentType = isCheckpoint ? "text/plain; charset=utf-8" : "application/octet-stream";
        response.Headers.CacheControl = isCheckpoint ? "no-cache" : "public, max-age=31536000, immutable";
        response.Headers.XContentTypeOptions = "nosniff";
        if (path.StartsWith("tile/entries/", StringComparison.Ordinal))
        {
            response.Headers.Vary = "Accept-Encoding";
            if (context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase))
            {
                bytes = Compress(bytes);
                response.Headers.ContentEncoding = "gzip";
            }
        }

        response.ContentLength = bytes.Length;
        if (HttpMethods.IsGet(context.Request.Method))
            await response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    private static byte[] Compress(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(bytes);
        return compressed.ToArray();
    }

    /// <summary>tlog-tiles: a level of 0 to 63 or the entries, an index in groups of three digits, a width of 1 to 255.</summary>
    [GeneratedRegex(@"^tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/(x[0-9]{3}/)*[0-9]{3}(\.p/([1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?\z", RegexOptions.CultureInvariant)]
    private static partial Regex TilePattern();
}
