using System.Text;

namespace Bulwark.Conformance.Suites.Protection;

/// <summary>What the columns of the published encrypted files hold, by the rules of the programs that wrote them (apache/arrow and apache/parquet-java, their encryption tests).</summary>
internal static class ParquetExpectations
{
    /// <summary>True when one of the rules for columns of that name gives the values.</summary>
    internal static bool Hold(string column, int rows, Array read) => Of(column, rows).Any(expected => Same(expected, read));

    private static Array[] Of(string column, int rows) => column switch
    {
        "boolean_field" => [Each(rows, i => i % 2 == 0)],
        "int32_field" or "integers" or "id" => [Each(rows, i => i)],
        "int64_field" => [Each(2 * rows, i => i * 1_000_000_000_000L)],   // two to a row
        "int96_field" => [Each<byte[]>(rows, i => [.. BitConverter.GetBytes(i), .. BitConverter.GetBytes(i + 1), .. BitConverter.GetBytes(i + 2)])],
        "float_field" => [Each(rows, i => i * 1.1f), Each(rows, i => i + 0.25f)],
        "double_field" => [Each(rows, i => i * 1.1111111), Each(rows, i => i + 0.5)],
        "ba_field" => [Each((rows + 1) / 2, i => Encoding.ASCII.GetBytes($"parquet{2 * i:000}"))],   // every other row
        "flba_field" => [Each(rows, i => Enumerable.Repeat((byte)i, 10).ToArray())],
        "name" => [Each(rows, i => Encoding.ASCII.GetBytes($"name_{i}"))],
        "strings" => [Each(rows, i => Encoding.ASCII.GetBytes($"{(char)('a' + (i % 10))}{i}"))],
        _ => [],
    };

    internal static bool Same(Array expected, Array read)
    {
        if (expected.Length != read.Length)
            return false;
        for (var i = 0; i < expected.Length; i++)
        {
            if (expected.GetValue(i) is byte[] bytes ? !(read.GetValue(i) is byte[] other && bytes.AsSpan().SequenceEqual(other)) : !Equals(expected.GetValue(i), read.GetValue(i)))
                return false;
        }

        return true;
    }

    internal static string Show(Array values) => string.Join(", ", Enumerable.Range(0, Math.Min(4, values.Length)).Select(i => values.GetValue(i) is byte[] bytes ? Convert.ToHexString(bytes) + "=" + Encoding.Latin1.GetString(bytes) : values.GetValue(i))) + $" ({values.Length} values of {values.GetType().GetElementType()!.Name})";

    private static T[] Each<T>(int rows, Func<int, T> value) => [.. Enumerable.Range(0, rows).Select(value)];
}
