using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Bulwark.Models;

namespace Bulwark.Cli.Attacks;

/// <summary>A model behind the Open Inference Protocol v2, asked within a budget: one question a row.</summary>
/// <remarks>POST URL/infer, one FP32 input of shape (rows, features), the first output's data as probabilities.</remarks>
internal sealed class RemoteScorer(Uri model, FeatureSchema schema, long budget, HttpMessageHandler? handler, string? token) : IScorer
{
    private const int MostRows = 256;
    private readonly HttpClient _client = new(handler ?? new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(60) };
    private long _asked;

    public int Width => schema.Width;

    public int Classes => 1;

    /// <summary>Questions asked so far.</summary>
    internal long Asked => _asked;

    public void Score(ReadOnlySpan<float> rawRows, int rows, Span<float> probabilities)
    {
        for (var at = 0; at < rows; at += MostRows)
        {
            var count = int.Min(MostRows, rows - at);
            if (Interlocked.Add(ref _asked, count) > budget)
                throw new CommandException($"The endpoint's budget of {budget} questions is spent.", "ask for fewer rows or queries, or raise --query-budget");
            Ask(rawRows.Slice(at * Width, count * Width), count, probabilities.Slice(at, count));
        }
    }

    public void Dispose() => _client.Dispose();

    private void Ask(ReadOnlySpan<float> raw, int rows, Span<float> probabilities)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(model.AbsoluteUri.TrimEnd('/') + "/infer")) { Content = new StringContent(Body(raw, rows), Encoding.UTF8, "application/json") };
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        try
        {
            using var response = _client.Send(request);
            using var reader = new StreamReader(response.Content.ReadAsStream());
            var text = reader.ReadToEnd();
            if (!response.IsSuccessStatusCode)
                throw new CommandException($"{model} answers {(int)response.StatusCode}: {(text.Length > 300 ? text[..300] : text)}", "check the address, the token (BULWARK_TOKEN) and the schema");
            Read(text, probabilities);
        }
        catch (HttpRequestException fault)
        {
            throw new CommandException($"{model} cannot be asked: {fault.Message}");
        }
    }

    private string Body(ReadOnlySpan<float> raw, int rows)
    {
        var text = new StringBuilder($$"""{"inputs":[{"name":"features","datatype":"FP32","shape":[{{rows}},{{Width}}],"data":[""");
        for (var i = 0; i < raw.Length; i++)
            text.Append(i == 0 ? "" : ",").Append(raw[i].ToString("R", CultureInfo.InvariantCulture));
        return text.Append("]}]}").ToString();
    }

    private static void Read(string text, Span<float> probabilities)
    {
        using var document = JsonDocument.Parse(text);
        var data = document.RootElement.GetProperty("outputs")[0].GetProperty("data");
        var columns = data.GetArrayLength() / probabilities.Length;
        if (columns is not (1 or 2) || data.GetArrayLength() != columns * probabilities.Length)
            throw new CommandException($"The endpoint gives {data.GetArrayLength()} numbers for {probabilities.Length} rows; one probability a row is understood.");
        for (var row = 0; row < probabilities.Length; row++)
            probabilities[row] = data[(row * columns) + columns - 1].GetSingle();
    }
}
