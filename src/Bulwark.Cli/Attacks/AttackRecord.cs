using System.CommandLine;
using System.Text;
using System.Text.Json;
using Bulwark.Cli.Report;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Cli.Attacks;

/// <summary>Keeps an attack's report: in a file where one is asked for, in the log where there is a workspace.</summary>
internal static class AttackRecord
{
    /// <returns>Index of the log entry, or null without a workspace.</returns>
    internal static async Task<long?> KeepAsync<T>(ParseResult parsed, string attack, FileInfo? output, T report, IEnumerable<Subject> subjects, CancellationToken cancel)
    {
        if (output is not null)
            await WriteAsync(output, report, cancel);
        if (Workspace.Find(parsed) is not { } workspace)
            return null;
        var predicate = JsonSerializer.SerializeToElement(report, Screen.JsonOptions);
        return (await workspace.AppendAsync(Statement.Of(subjects, new ModelAttacked { Attack = attack, Time = DateTimeOffset.UtcNow, Report = predicate }), cancel)).Index;
    }

    internal static async Task WriteAsync<T>(FileInfo output, T report, CancellationToken cancel)
    {
        output.Directory?.Create();
        await AtomicFile.WriteAsync(output.FullName, stream => JsonSerializer.SerializeAsync(stream, report, Screen.JsonOptions, cancel), cancel);
    }

    /// <summary>The report as a page, where one is asked for.</summary>
    internal static async Task WriteHtmlAsync(FileInfo? html, Func<ReportModel> report, CancellationToken cancel)
    {
        if (html is null)
            return;
        html.Directory?.Create();
        var bytes = Encoding.UTF8.GetBytes(HtmlReport.Render(report()));
        await AtomicFile.WriteAsync(html.FullName, stream => stream.WriteAsync(bytes, cancel).AsTask(), cancel);
    }
}
