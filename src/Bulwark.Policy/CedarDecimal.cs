using System.Globalization;

namespace Bulwark.Policy;

/// <summary>A decimal number of four fractional digits in 64 bits: from -922337203685477.5808 to 922337203685477.5807.</summary>
/// <remarks>Source: Cedar extension <c>decimal</c>; written <c>-?digits.digits</c> with one to four fractional digits.</remarks>
public sealed class CedarDecimal : CedarValue
{
    internal CedarDecimal(long tenThousandths) => TenThousandths = tenThousandths;

    /// <summary>The number times ten thousand.</summary>
    public long TenThousandths { get; }

    internal override string TypeName => "decimal";

    /// <summary>Reads the written form; null when the text is none or out of range.</summary>
    public static CedarDecimal? TryParse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var point = text.IndexOf('.', StringComparison.Ordinal);
        var start = text.StartsWith('-') ? 1 : 0;
        if (point <= start || point == text.Length - 1 || text.Length - point > 5
            || !Digits(text.AsSpan(start, point - start)) || !Digits(text.AsSpan(point + 1)))
            return null;
        var scaled = string.Concat(text.AsSpan(0, point), text.AsSpan(point + 1).ToString().PadRight(4, '0'));
        return long.TryParse(scaled, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? new(value) : null;
    }

    private static bool Digits(ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange('0', '9');

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is CedarDecimal other && TenThousandths == other.TenThousandths;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine('d', TenThousandths);

    /// <inheritdoc/>
    public override string ToString() => $"decimal(\"{(TenThousandths / 10_000m).ToString("0.0###", CultureInfo.InvariantCulture)}\")";
}
