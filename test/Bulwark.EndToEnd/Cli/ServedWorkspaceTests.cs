using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Cli;
using Bulwark.EndToEnd.Gateway;
using Bulwark.EndToEnd.Sealing;
using Bulwark.Server;
using Bulwark.Tests;
using Bulwark.Tests.Servers;

namespace Bulwark.EndToEnd.Cli;

/// <summary>The built program serves a workspace's model, watched through Redis; then the commands that read what it recorded.</summary>
public sealed class ServedWorkspaceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private string Workspace => _folder["ws"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_is_served_is_watched_recorded_exported_and_replayed()
    {
        using var redis = await RedisProcess.StartAsync();
        await MakeAsync();
        using var served = BuiltProgram.Start(
            "serve", _folder["fraud.bulwark"], "--dev", "--worker", "inside", "--port", "0", "--metrics-port", "0", "--config", _folder["gateway.json"],
            "--monitor", _folder["ordinary.csv"], "--on-alarm", "decisiononly", "--neighbourhood-budget", "3", "--alerts", _folder["alerts.jsonl"],
            "--monitor-store", redis.Address.ToString(), "--monitor-key", _folder["monitor.key"], "-w", Workspace, "--json");
        var said = served.StandardError.ReadToEndAsync(Cancel);
        try
        {
            using var client = Client(await AddressAsync(served));
            var scores = new List<float>();
            for (var i = 0; i < 6; i++)
                scores.Add(await ScoreAsync(client, 120 + (i / 100f)));
            Assert.All(scores.Take(3), score => Assert.False(score is 0 or 1));   // the budget's own
            Assert.All(scores.Skip(3), score => Assert.True(score is 0 or 1));    // beyond it the decision alone
            await File.WriteAllBytesAsync(_folder["another.key"], [.. new byte[31], 1], Cancel);
            var stranger = await Bulwark.EndToEnd.Making.CommandLine.RunAsync("serve", _folder["fraud.bulwark"], "--dev", "--worker", "inside", "--port", "0", "--config", _folder["gateway.json"], "--monitor-store", redis.Address.ToString(), "--monitor-key", _folder["another.key"], "-w", Workspace);
            Assert.True(stranger.Code == 2 && stranger.Error.Contains("have another --monitor-key", StringComparison.Ordinal), stranger.Said);
            redis.Kill();
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "monitor-unavailable"), await AskAsync(client, 500));
            await redis.StartAgainAsync();
            await Eventually.IsSoAsync(async () => (await AskAsync(client, 500)).Status == HttpStatusCode.OK);
            Assert.Equal((HttpStatusCode.UnprocessableEntity, "out-of-bounds"), await AskAsync(client, 5000));
            using (var interrupt = Process.Start("kill", ["-TERM", served.Id.ToString(CultureInfo.InvariantCulture)]))
                await interrupt.WaitForExitAsync(Cancel);
            await served.WaitForExitAsync(Cancel);
            Assert.True(served.ExitCode == 0, await said);
        }
        finally
        {
            if (!served.HasExited)
                served.Kill(entireProcessTree: true);
        }

        var alerts = (await File.ReadAllLinesAsync(_folder["alerts.jsonl"], Cancel)).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(3, alerts.Count(alert => alert.GetProperty("detector").GetString() == "neighbourhood-budget"));
        Assert.All(alerts, alert => Assert.Equal("AML.T0042", alert.GetProperty("technique").GetString()));
        Assert.Equal([4, 5, 6], alerts.Where(alert => alert.GetProperty("detector").GetString() == "neighbourhood-budget").Select(alert => alert.GetProperty("evidence").GetProperty("queries").GetInt32()));
        await VerifiesAsync();
        await ExportsAsync();
        await ReplaysAsync();
    }

    private async Task MakeAsync()
    {
        var workspace = await Bulwark.Cli.Workspace.CreateAsync(new(Workspace), passphrase: null);
        using (var keys = workspace.OpenKeys())
        {
            var package = await FraudModel.SealAsync(keys, _folder["fraud.bulwark"], Cancel);
            await workspace.AppendAsync(keys, Bulwark.Cli.Claims.Sealed("fraud", package), Cancel);
        }

        var random = new Random(7);
        await File.WriteAllLinesAsync(_folder["ordinary.csv"], ["amount,age,online,is_fraud", .. Enumerable.Range(0, 600).Select(i => string.Create(CultureInfo.InvariantCulture, $"{random.NextSingle() * 1000},{random.Next(18, 118)},{random.Next(2)},{i % 2}"))], Cancel);
        await File.WriteAllTextAsync(_folder["gateway.json"], """{ "receipts": "asked" }""", Cancel);
        await File.WriteAllBytesAsync(_folder["monitor.key"], RandomNumberGenerator.GetBytes(32), Cancel);
    }

    private async Task VerifiesAsync()
    {
        var (whole, report) = await RunAsync("audit", "verify");
        Assert.True(whole == 0, report);
        var trail = Directory.GetFiles(Path.Combine(Workspace, "audit"), "decisions-*.jsonl").Order(StringComparer.Ordinal).First();
        var lines = await File.ReadAllTextAsync(trail, Cancel);
        await File.WriteAllTextAsync(trail, lines.Replace("\"reason\":\"monitor-unavailable\"", "\"reason\":\"accepted\"", StringComparison.Ordinal), Cancel);
        var (changed, faults) = await RunAsync("audit", "verify");
        Assert.Equal(1, changed);
        Assert.Contains("were changed", faults, StringComparison.Ordinal);
        await File.WriteAllTextAsync(trail, lines, Cancel);
        Assert.Equal(0, (await RunAsync("audit", "verify")).Code);
    }

    private async Task ExportsAsync()
    {
        foreach (var (format, reason) in ((string, string)[])[("ocsf", "status_detail"), ("ecs", "event.reason")])
        {
            Assert.Equal(0, (await RunAsync("audit", "export", "--format", format, "-o", _folder[format])).Code);
            var events = (await File.ReadAllLinesAsync(_folder[format], Cancel)).Select(line => JsonDocument.Parse(line).RootElement).ToList();
            var reasons = events.ConvertAll(one => reason.Split('.').Aggregate(one, (at, name) => at.GetProperty(name)).GetString());
            Assert.Equal((3, 1), (reasons.Count(word => word == "decision-only"), reasons.Count(word => word == "out-of-bounds")));
            Assert.Contains("monitor-unavailable", reasons);
            Assert.DoesNotContain("120.0", await File.ReadAllTextAsync(_folder[format], Cancel), StringComparison.Ordinal);
            var (code, text) = await RunAsync("audit", "export", "--format", format);
            Assert.Equal((0, events.Count), (code, text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length));
        }
    }

    private async Task ReplaysAsync()
    {
        await File.WriteAllTextAsync(_folder["same.cedar"], GatewaySetup.DevelopmentPolicy, Cancel);
        await File.WriteAllTextAsync(_folder["none.cedar"], """forbid (principal, action == Action::"infer", resource); permit (principal, action, resource);""", Cancel);
        var (same, unchanged) = await RunAsync("policy", "replay", _folder["same.cedar"], "--json");
        Assert.True(same == 0, unchanged);
        var (none, answer) = await RunAsync("policy", "replay", _folder["none.cedar"], "--json");
        Assert.Equal(1, none);
        var json = JsonDocument.Parse(answer).RootElement;
        Assert.True(json.GetProperty("replayed").GetInt32() >= 8);
        Assert.Equal(json.GetProperty("replayed").GetInt32(), json.GetProperty("newlyDenied").GetInt32());
        Assert.Equal(2, (await RunAsync("policy", "replay", _folder["none.cedar"], "--trail", _folder["absent"])).Code);
    }

    private static async Task<Uri> AddressAsync(Process served)
    {
        var text = "";
        while (await served.StandardOutput.ReadLineAsync(Cancel) is { } line)
        {
            text += line;
            if (line == "}")
                return new Uri(JsonDocument.Parse(text).RootElement.GetProperty("address").GetString()!);
        }

        throw new InvalidOperationException("The program ended before it served: " + text);
    }

    private HttpClient Client(Uri address)
    {
        var identity = DevelopmentIdentity.Open(Path.Combine(Workspace, "pki"));
        var handler = new SocketsHttpHandler { SslOptions = Bulwark.Cryptography.TlsPolicy.Client([identity.LoadAuthority()], identity.LoadClient("payments")) };
        return new HttpClient(handler) { BaseAddress = address, DefaultRequestHeaders = { Authorization = new("Bearer", identity.LoadToken("payments")) } };
    }

    private static async Task<float> ScoreAsync(HttpClient client, float amount)
    {
        var text = "";
        await Eventually.IsSoAsync(async () =>   // a Redis that takes its time is an honest 503; the same row again counts once
        {
            using var response = await GatewayWorld.InferAsync(client, GatewayWorld.Body([amount, 30, 1]));
            text = await response.Content.ReadAsStringAsync(Cancel);
            Assert.True(response.StatusCode is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, text);
            return response.IsSuccessStatusCode;
        });
        return JsonDocument.Parse(text).RootElement.GetProperty("outputs")[0].GetProperty("data")[0].GetSingle();
    }

    private static async Task<(HttpStatusCode Status, string Reason)> AskAsync(HttpClient client, float amount)
    {
        using var response = await GatewayWorld.InferAsync(client, GatewayWorld.Body([amount, 68, 0]));
        return (response.StatusCode, response.IsSuccessStatusCode ? "" : (await GatewayWorld.ErrorAsync(response)).Split(':')[0]);
    }

    private async Task<(int Code, string Output)> RunAsync(params string[] args)
    {
        using StringWriter output = new(), error = new();
        var code = await BulwarkCommand.RunAsync([.. args, "-w", Workspace], output, error);
        return (code, output.ToString() + (code == 2 ? error.ToString() : ""));
    }
}
