using System.Text.Json;
using Bulwark.Server;

namespace Bulwark.Cli.Serving;

/// <summary>Alarms of the query monitor, a line of JSON each. A line that cannot be written is lost; the refusal itself is in the trail.</summary>
internal sealed class AlertFile(string path)
{
    private readonly Lock _lock = new();

    internal void Write(QueryAlert alert)
    {
        try
        {
            lock (_lock)
                File.AppendAllText(path, JsonSerializer.Serialize(alert, JsonSerializerOptions.Web) + "\n");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"An alarm could not be written to {path}: {failure.Message}");
        }
    }
}
