using Bulwark.Cryptography;

namespace Bulwark.Server;

/// <summary>What the server writes to its log: never a key, a token, a feature or a score.</summary>
internal static partial class Log
{
    [LoggerMessage(1001, LogLevel.Warning, "Connection refused: client certificate {Verdict}")]
    internal static partial void CertificateRefused(this ILogger logger, CertificateVerdict verdict);

    [LoggerMessage(1002, LogLevel.Warning, "Request refused: {Status} {Reason}")]
    internal static partial void RequestRefused(this ILogger logger, int status, string reason);

    [LoggerMessage(1003, LogLevel.Information, "Model {Model} {Version} opened in memory; package {Package}")]
    internal static partial void ModelOpened(this ILogger logger, string model, string version, Digest package);

    [LoggerMessage(1004, LogLevel.Warning, "INSECURE: the worker's evidence is simulated; it proves nothing about this machine")]
    internal static partial void Simulated(this ILogger logger);

    [LoggerMessage(1005, LogLevel.Error, "A decision could not be written to the transparency log; the request was answered 503")]
    internal static partial void LogFailed(this ILogger logger, Exception failure);

    [LoggerMessage(1006, LogLevel.Information, "The worker's process has shut itself in: {Walls}")]
    internal static partial void WorkerShutIn(this ILogger logger, string walls);

    [LoggerMessage(1007, LogLevel.Warning, "INSECURE: the worker's sandbox lacks {Missing}")]
    internal static partial void SandboxIncomplete(this ILogger logger, string missing);

    [LoggerMessage(1101, LogLevel.Information, "Key {Verdict}: release {ReleaseId}, model {Model}, {Kind} evidence, {Trust}. {Reason}")]
    internal static partial void KeyDecided(this ILogger logger, string verdict, string releaseId, Digest model, string kind, string trust, string reason);

    [LoggerMessage(1102, LogLevel.Warning, "Model {Model}: {Action} by {By}")]
    internal static partial void KeyAuthority(this ILogger logger, string action, Digest model, VerificationKey by);

    [LoggerMessage(1103, LogLevel.Warning, "The evidence policy lets in without naming it: {Flag}")]
    internal static partial void PolicyFlag(this ILogger logger, string flag);

    [LoggerMessage(1104, LogLevel.Error, "A decision could not be made or recorded; the request was answered 503")]
    internal static partial void BrokerFailed(this ILogger logger, Exception failure);

    [LoggerMessage(1021, LogLevel.Warning, "The server of model {Model} failed: {Why}")]
    internal static partial void UpstreamFailed(this ILogger logger, string model, string why);

    [LoggerMessage(1023, LogLevel.Error, "The token keys stay as they are: {Why}")]
    internal static partial void TokenKeysFailed(this ILogger logger, string why);

    [LoggerMessage(1024, LogLevel.Error, "The OCSP responder gives no answer to be relied on: {Why}")]
    internal static partial void OcspFailed(this ILogger logger, string why);

    [LoggerMessage(1022, LogLevel.Information, "Rotated: {What}")]
    internal static partial void Rotated(this ILogger logger, string what);
}
