using System.Text.Json;

namespace Bulwark.Conformance.Suites.Robustness;

/// <summary>Reads arrays of numbers and compares them.</summary>
internal static class Vectors
{
    internal static double[] Flat(this JsonElement element)
    {
        var values = new List<double>();
        Collect(element, values);
        return [.. values];
    }

    internal static double[] Flat(this JsonElement element, string member) => element.GetProperty(member).Flat();

    internal static int[] Whole(this JsonElement element, string member) => [.. element.Flat(member).Select(value => (int)value)];

    internal static bool[] Flags(this JsonElement element, string member) => [.. element.Flat(member).Select(value => value != 0)];

    internal static double Number(this JsonElement element, string member) => element.GetProperty(member).GetDouble();

    /// <summary>A case that passes when every pair agrees to <paramref name="tolerance"/>, relative above 1 and absolute below.</summary>
    internal static CaseResult Close(string id, ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, double tolerance)
    {
        if (expected.Length != actual.Length)
            return CaseResult.Fail(id, $"{actual.Length} values instead of {expected.Length}");
        for (var i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(expected[i] - actual[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i]))))
                return CaseResult.Fail(id, $"value {i} is {actual[i]:R}, published {expected[i]:R}");
        }

        return CaseResult.Pass(id);
    }

    /// <summary>A family whose code refuses its vectors has failed, not ended the suite.</summary>
    internal static CaseResult Try(string id, Func<CaseResult> run)
    {
        try
        {
            return run();
        }
        catch (Exception failure)
        {
            return CaseResult.Fail(id, $"{failure.GetType().Name}: {failure.Message}");
        }
    }

    private static void Collect(JsonElement element, List<double> values)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                    Collect(item, values);
                break;
            case JsonValueKind.True:
                values.Add(1);
                break;
            case JsonValueKind.False:
                values.Add(0);
                break;
            default:
                values.Add(element.GetDouble());
                break;
        }
    }
}
