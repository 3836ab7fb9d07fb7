using System.Net;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>A log on a web server.</summary>
/// <remarks>Source: C2SP tlog-tiles: a partial tile that is gone was overtaken by the whole one.</remarks>
internal sealed class HttpTiles(HttpClient http, Uri prefix) : ITileSource
{
    private const int MaximumBytes = 17 << 20;   // a bundle of 256 entries of 65,535 bytes and their lengths

    public string Place => prefix.ToString();

    public byte[] ReadCheckpoint() => Get("checkpoint") ?? throw new IOException($"There is no checkpoint at {prefix}.");

    public Digest[] ReadTile(int level, long index, int width) =>
        TileLayout.SplitTile(Get(TileLayout.TilePath(level, index, width), TileLayout.TilePath(level, index, TileLayout.Width)), TileLayout.TilePath(level, index, width), width);

    public List<ReadOnlyMemory<byte>> ReadBundle(long index, int width) =>
        TileLayout.SplitBundle(Get(TileLayout.BundlePath(index, width), TileLayout.BundlePath(index, TileLayout.Width)), TileLayout.BundlePath(index, width), width);

    private byte[] Get(string exact, string whole) => Get(exact) ?? Get(whole) ?? throw new InvalidDataException($"The log at {prefix} lacks {exact}.");

    private byte[]? Get(string path)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(prefix.ToString().TrimEnd('/') + "/" + path));
            using var response = http.Send(request, HttpCompletionOption.ResponseHeadersRead);
            if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone)
                return null;
            if (!response.IsSuccessStatusCode)
                throw new IOException($"{request.RequestUri} answered {(int)response.StatusCode}.");
            using var stream = response.Content.ReadAsStream();
            using var bytes = new MemoryStream();
            var buffer = new byte[64 << 10];
            for (int read; (read = stream.Read(buffer)) > 0;)
            {
                bytes.Write(buffer, 0, read);
                if (bytes.Length > MaximumBytes)
                    throw new InvalidDataException($"{request.RequestUri} is longer than any file of a log.");
            }

            return bytes.ToArray();
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            throw new IOException($"{prefix} cannot be read: {failure.Message}", failure);
        }
    }
}
