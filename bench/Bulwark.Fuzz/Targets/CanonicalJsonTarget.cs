using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Fuzz.Targets;

/// <summary>RFC 8785: what is made canonical must stay as it is when it is made canonical again.</summary>
internal sealed class CanonicalJsonTarget : IFuzzTarget
{
    public string Name => "canonical-json";

    public IEnumerable<byte[]> Seeds() =>
    [
        "{\"b\":1,\"a\":[true,null,1e30,-0,\"\\u20ac\\n\"]}"u8.ToArray(),
        "[[[[{}]]],0.1,123456789012345678901234567890,\"\\ud83d\\ude00\"]"u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        using var document = JsonDocument.Parse(input.ToArray());
        var once = CanonicalJson.Canonicalize(document.RootElement);
        if (!CanonicalJson.IsCanonical(once))
            throw new InvalidOperationException("What was made canonical is not canonical.");
        _ = CanonicalJson.IsCanonical(input.ToArray());
    }

    public bool IsRefusal(Exception failure) => failure is JsonException or ArgumentException;
}
