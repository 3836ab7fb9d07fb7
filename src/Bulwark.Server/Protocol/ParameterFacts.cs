using System.Text.Json;

namespace Bulwark.Server;

/// <summary>What a <c>parameters</c> object says that matters here. Clients' own parameters are let through and ignored.</summary>
internal struct ParameterFacts
{
    /// <summary><c>binary_data_size</c> of a tensor.</summary>
    internal long? BinarySize { get; private set; }

    /// <summary><c>binary_data</c> of a requested output.</summary>
    internal bool? Binary { get; private set; }

    /// <summary><c>binary_data_output</c> of a request.</summary>
    internal bool? BinaryOutput { get; private set; }

    internal bool Read(ref Utf8JsonReader json, out Refusal refusal)
    {
        refusal = Refusal.Malformed("\"parameters\" must be an object.");
        if (json.TokenType is not JsonTokenType.StartObject)
            return false;
        while (json.Read() && json.TokenType is JsonTokenType.PropertyName)
        {
            if (json.ValueSpan.StartsWith("shared_memory"u8) || json.ValueTextEquals("classification"u8))
            {
                // Regions of a server's memory named by a stranger, and an answer of another form
                refusal = new(StatusCodes.Status400BadRequest, "unsupported", "Shared memory and classification are not served here.");
                return false;
            }

            var (size, binary, output) = (json.ValueTextEquals("binary_data_size"u8), json.ValueTextEquals("binary_data"u8), json.ValueTextEquals("binary_data_output"u8));
            json.Read();
            refusal = Refusal.Malformed("A parameter must be a string, a number or a boolean; binary_data_size a whole number, binary_data and binary_data_output a boolean.");
            if (json.TokenType is not (JsonTokenType.String or JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False))
                return false;
            var isTrue = json.TokenType is JsonTokenType.True;
            if ((binary || output) && !isTrue && json.TokenType is not JsonTokenType.False)
                return false;
            if (size)
            {
                if (json.TokenType is not JsonTokenType.Number || !json.TryGetInt64(out var bytes) || bytes < 0 || BinarySize is not null)
                    return false;
                BinarySize = bytes;
            }
            else if (binary)
            {
                Binary = isTrue;
            }
            else if (output)
            {
                BinaryOutput = isTrue;
            }
        }

        refusal = default;
        return true;
    }
}
