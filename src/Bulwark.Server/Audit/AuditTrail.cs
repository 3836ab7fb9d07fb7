using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Server;

/// <summary>The gateway's private record beside the log: one line of JSON a decision, with who asked and what the policies were told. A file a day.</summary>
/// <remarks>
/// The log holds the digest of each group of lines, so that a line cannot be changed unnoticed, and names nobody; this file names clients, and never
/// holds a feature, a score or a token. It is what <c>policy replay</c> and <c>audit export</c> read. Used by one thread.
/// </remarks>
internal sealed class AuditTrail(string directory) : IDisposable
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
    private readonly ArrayBufferWriter<byte> _lines = new(64 * 1024);
    private readonly Utf8JsonWriter _json = new(Stream.Null, Plain);
    private FileStream? _file;
    private DateOnly _day;

    /// <summary>Writes the lines of one group, all of one policy; returns their digest. Throws when the disk refuses, and leaves no half of a line behind.</summary>
    internal Digest Write(IReadOnlyList<GatewayDecision> decisions, string gateway, long first)
    {
        _lines.ResetWrittenCount();
        var policy = decisions[0].Policy.ToString();
        for (var i = 0; i < decisions.Count; i++)
        {
            _json.Reset(_lines);
            Write(_json, decisions[i], policy, gateway, first + i);
            _json.Flush();
            _lines.Write("\n"u8);
        }

        var file = File(decisions[0].Time);
        var end = file.Position;
        try
        {
            file.Write(_lines.WrittenSpan);
            file.Flush();
        }
        catch
        {
            CutOff(file, end);
            throw;
        }

        return Digest.Of(_lines.WrittenSpan);
    }

    public void Dispose()
    {
        _file?.Dispose();
        _json.Dispose();
    }

    /// <summary>A disk that is full takes the first bytes of a group and refuses the rest. The next group opens the file anew.</summary>
    private void CutOff(FileStream file, long end)
    {
        try
        {
            file.SetLength(end);
        }
        catch (Exception failure) when (failure is IOException or NotSupportedException)
        {
            // The disk refuses this too; whoever reads the file says which line is no line.
        }

        file.Dispose();
        _file = null;
    }

    private FileStream File(DateTimeOffset time)
    {
        var day = DateOnly.FromDateTime(time.UtcDateTime);
        if (_file is not null && day == _day)
            return _file;
        _file?.Dispose();
        _file = null;
        PrivateFile.CreateDirectory(directory);
        var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.Read, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        _file = new FileStream(Path.Combine(directory, $"decisions-{day:yyyy-MM-dd}.jsonl"), options);
        _day = day;
        return _file;
    }

    private static void Write(Utf8JsonWriter json, GatewayDecision decision, string policy, string gateway, long number)
    {
        json.WriteStartObject();
        json.WriteString("v"u8, AuditLine.Format);
        json.WriteString("gateway"u8, gateway);
        json.WriteNumber("number"u8, number);
        json.WriteString("time"u8, decision.Time);
        json.WriteString("action"u8, decision.Action);
        json.WriteString("outcome"u8, decision.Outcome);
        json.WriteString("reason"u8, decision.Reason);
        json.WriteNumber("status"u8, decision.Status);
        if (decision.Client is not null)
            json.WriteString("client"u8, decision.Client);
        if (decision.Subject is not null)
            json.WriteString("subject"u8, decision.Subject);
        if (decision.Model is not null)
            json.WriteString("model"u8, decision.Model);
        json.WriteString("policy"u8, policy);
        json.WriteStartArray("policies"u8);
        foreach (var rule in decision.Policies)
            json.WriteStringValue(rule);
        json.WriteEndArray();
        decision.Facts?.Write(json);
        json.WriteEndObject();
    }
}
