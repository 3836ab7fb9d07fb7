namespace Bulwark.Server;

/// <summary>The description of the REST half for clients and validating proxies (OpenAPI 3.0.3). Tests hold every answer to it.</summary>
internal static class OpenApiDocument
{
    /// <summary>The document, JSON.</summary>
    internal static byte[] Bytes { get; } = Load();

    internal static async Task WriteAsync(HttpContext http)
    {
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = Bytes.Length;
        await http.Response.Body.WriteAsync(Bytes, http.RequestAborted);
    }

    private static byte[] Load()
    {
        using var stream = typeof(OpenApiDocument).Assembly.GetManifestResourceStream("openapi.json")!;
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }
}
