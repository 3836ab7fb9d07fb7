namespace Bulwark.Server;

/// <summary>Which path is answered by what.</summary>
internal static class GatewayRoutes
{
    internal static void Map(WebApplication app, GatewayParts parts, GatewayOptions options)
    {
        var gateway = parts.Gateway;
        if (parts.Issuer is { } issuer)
            app.Use(next => http => issuer.BeforeAsync(http, next));
        app.MapGet("/v2", http => GatewayMetadata.Server().WriteAsync(http));
        app.MapGet("/v2/health/live", http => GatewayMetadata.Live().WriteAsync(http));
        app.MapGet("/v2/health/ready", http => GatewayMetadata.Ready(parts.IsReady).WriteAsync(http));
        app.MapGet("/v2/openapi.json", OpenApiDocument.WriteAsync);
        foreach (var path in (string[])["/v2/models/{model}", "/v2/models/{model}/versions/{version}"])
        {
            app.MapGet(path, http => gateway.InspectAsync(http, model => GatewayMetadata.Model(model.Signature)));
            app.MapGet(path + "/ready", http => gateway.InspectAsync(http, GatewayMetadata.ModelReady));
            app.MapGet(path + "/stats", http => gateway.InspectAsync(http, model => GatewayMetadata.Statistics(parts.Models.CountsOf(model))));
            app.MapPost(path + "/infer", gateway.InferAsync);
            app.MapPost(path + "/sealed", gateway.InferSealedAsync);
            app.MapPost(path + "/ohttp", gateway.InferObliviousAsync);
            app.MapGet(path + "/attestation", http => gateway.AttestAsync(http, parts.Records));
        }

        foreach (var path in (string[])["/.well-known/hpke-keys", "/.well-known/ohttp-gateway"])
            app.MapGet(path, gateway.ObliviousKeysAsync);
        parts.Grpc.Map(app);
        app.MapFallback(http => Reply.Of(new Refusal(StatusCodes.Status404NotFound, "unknown-path", "The Open Inference Protocol V2 has no such path.")).WriteAsync(http));
    }
}
