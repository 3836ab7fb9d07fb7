using System.Globalization;
using System.Text.RegularExpressions;

namespace Bulwark.Cli;

/// <summary>What System.Text.Json says of bytes that are no JSON, in words for someone who wrote the file and not the program.</summary>
internal static partial class JsonWords
{
    private const string Nothing = "The input does not contain any JSON tokens. Expected the input to start with a valid JSON token, when isFinalBlock is true.";

    /// <summary>The same message with places as an editor counts them; any other text stays as it is.</summary>
    internal static string Plain(string message) => Place().Replace(message, match =>
    {
        if (match.Groups["what"].ValueSpan.EndsWith(Nothing))
            return $"{match.Groups["what"].Value[..^Nothing.Length]}it is empty.";
        var path = match.Groups["path"].Value is "$" or "" ? "" : $"{match.Groups["path"].Value}, ";
        return string.Create(CultureInfo.InvariantCulture, $"{match.Groups["what"].Value.TrimEnd('.', ' ')} ({path}line {Next(match.Groups["line"])}, byte {Next(match.Groups["at"])}).");
    });

    private static long Next(Group number) => long.Parse(number.ValueSpan, CultureInfo.InvariantCulture) + 1;

    [GeneratedRegex(@"^(?<what>[\s\S]{0,2000}?)(?: Path: (?<path>[^|]{0,400}?) \||) LineNumber: (?<line>\d{1,18}) \| BytePositionInLine: (?<at>\d{1,18})\.")]
    private static partial Regex Place();
}
