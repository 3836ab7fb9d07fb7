using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Bulwark.Assurance;
using Bulwark.Models;

namespace Bulwark.Cli.Attacks;

/// <summary>A model behind the Open Inference Protocol v2, asked within a budget: one question a row.</summary>
/// <remarks>POST URL/infer, one FP32 input of shape (rows, …), the first output's data.</remarks>
internal sealed class InferenceEndpoint(Uri model, long budget, HttpMessageHandler? handler, string? token) : IDisposable
{
    private const int MostRows = 256;
    private readonly HttpClient _client = new(handler ?? new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(60) };
    private long _asked;

    /// <summary>Questions asked so far.</summary>
    internal long Asked => _asked;

    /// <summary>The numbers that the endpoint gives for rows, as many for each; 0 rows give none.</summary>
    /// <param name="values">Shape (rows, width).</param>
    /// <param name="rows">How many.</param>
    /// <param name="shape">A row's shape as the endpoint takes it.</param>
    internal float[] Ask(ReadOnlySpan<float> values, int rows, IReadOnlyList<int> shape)
    {
        var answers = new List<float>();
        var width = values.Length / Math.Max(1, rows);
        for (var at = 0; at < rows; at += MostRows)
        {
            var count = int.Min(MostRows, rows - at);
            if (Interlocked.Add(ref _asked, count) > budget)
                throw new CommandException($"The endpoint's budget of {budget} questions is spent.", "ask for fewer rows or queries, or raise --query-budget");
            answers.AddRange(Post(values.Slice(at * width, count * width), count, shape));
        }

        return [.. answers];
    }

    public void Dispose() => _client.Dispose();

    private float[] Post(ReadOnlySpan<float> values, int rows, IReadOnlyList<int> shape)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(model.AbsoluteUri.TrimEnd('/') + "/infer")) { Content = new StringContent(Body(values, rows, shape), Encoding.UTF8, "application/json") };
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        try
        {
            using var response = _client.Send(request);
            using var reader = new StreamReader(response.Content.ReadAsStream());
            var text = reader.ReadToEnd();
            if (!response.IsSuccessStatusCode)
                throw new CommandException($"{model} answers {(int)response.StatusCode}: {(text.Length > 300 ? text[..300] : text)}", "check the address, the token (BULWARK_TOKEN) and what the model takes");
            using var document = JsonDocument.Parse(text);
            return [.. document.RootElement.GetProperty("outputs")[0].GetProperty("data").EnumerateArray().Select(value => value.GetSingle())];
        }
        catch (HttpRequestException fault)
        {
            throw new CommandException($"{model} cannot be asked: {fault.Message}");
        }
        catch (TaskCanceledException fault) when (fault.InnerException is TimeoutException)
        {
            throw new CommandException($"{model} did not answer within {_client.Timeout.TotalSeconds:F0} s.", "ask for fewer rows at once, or look at the endpoint");
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException or FormatException)
        {
            throw new CommandException($"{model} gives no answer of the Open Inference Protocol: {fault.Message}");
        }
    }

    private static string Body(ReadOnlySpan<float> values, int rows, IReadOnlyList<int> shape)
    {
        var text = new StringBuilder($$"""{"inputs":[{"name":"features","datatype":"FP32","shape":[{{rows}},{{string.Join(',', shape)}}],"data":[""");
        for (var i = 0; i < values.Length; i++)
            text.Append(i == 0 ? "" : ",").Append(values[i].ToString("R", CultureInfo.InvariantCulture));
        return text.Append("]}]}").ToString();
    }
}

/// <summary>A binary model of tables behind an endpoint: one probability a row.</summary>
internal sealed class RemoteScorer(Uri model, FeatureSchema schema, long budget, HttpMessageHandler? handler, string? token) : IScorer
{
    private readonly InferenceEndpoint _endpoint = new(model, budget, handler, token);

    public int Width => schema.Width;

    public int Classes => 1;

    /// <summary>Questions asked so far.</summary>
    internal long Asked => _endpoint.Asked;

    public void Score(ReadOnlySpan<float> rawRows, int rows, Span<float> probabilities)
    {
        var data = _endpoint.Ask(rawRows, rows, [Width]);
        var columns = data.Length / Math.Max(1, rows);
        if (rows > 0 && (columns is not (1 or 2) || data.Length != columns * rows))
            throw new CommandException($"The endpoint gives {data.Length} numbers for {rows} rows; one probability a row is understood.");
        for (var row = 0; row < rows; row++)
            probabilities[row] = data[(row * columns) + columns - 1];
    }

    public void Dispose() => _endpoint.Dispose();
}

/// <summary>A model of images behind an endpoint: one score a class.</summary>
internal sealed class RemoteImages : IQueriedModel, IDisposable
{
    private readonly InferenceEndpoint _endpoint;
    private readonly int[] _shape;

    /// <param name="model">Its address.</param>
    /// <param name="shape">An image as the endpoint takes it, for example 1, 28, 28 or 784.</param>
    /// <param name="example">One image: how many classes there are is learned from the answer to it.</param>
    /// <param name="budget">Questions.</param>
    /// <param name="handler">Null for the network.</param>
    /// <param name="token">Bearer token, or null.</param>
    internal RemoteImages(Uri model, int[] shape, ReadOnlySpan<float> example, long budget, HttpMessageHandler? handler, string? token)
    {
        (_endpoint, _shape, Inputs) = (new(model, budget, handler, token), shape, example.Length);
        Classes = _endpoint.Ask(example, 1, shape).Length;
        if (Classes < 2)
            throw new CommandException($"{model} gives {Classes} numbers for an image; one score a class is understood.");
    }

    public int Inputs { get; }

    public int Classes { get; }

    public void Score(ReadOnlySpan<float> points, int rows, Span<float> scores)
    {
        var data = _endpoint.Ask(points, rows, _shape);
        if (data.Length != rows * Classes)
            throw new CommandException($"The endpoint gives {data.Length} numbers for {rows} images of {Classes} classes.");
        data.CopyTo(scores);
    }

    public void Dispose() => _endpoint.Dispose();
}
