using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Bulwark.Policy;

/// <summary>An IPv4 or IPv6 address, or a range of them by prefix length.</summary>
/// <remarks>Source: Cedar extension <c>ipaddr</c>. Stricter than <see cref="IPAddress"/>: no octal, no zone, no IPv4 inside IPv6, no leading zero in the prefix.</remarks>
public sealed class CedarAddress : CedarValue
{
    private readonly UInt128 _bits;

    private CedarAddress(UInt128 bits, bool isV6, int prefix)
    {
        _bits = bits;
        IsV6 = isV6;
        Prefix = prefix;
    }

    /// <summary>True for IPv6.</summary>
    public bool IsV6 { get; }

    /// <summary>The prefix length in bits; 32 or 128 for one address.</summary>
    public int Prefix { get; }

    internal override string TypeName => "ipaddr";

    private int Width => IsV6 ? 128 : 32;

    /// <summary>Loopback: within 127.0.0.0/8, or ::1.</summary>
    internal bool IsLoopback => IsV6 ? _bits == 1 && Prefix == 128 : _bits >> 24 == 127 && Prefix >= 8;

    /// <summary>Multicast: within 224.0.0.0/4, or ff00::/8.</summary>
    internal bool IsMulticast => IsV6 ? _bits >> 120 == 0xff && Prefix >= 8 : _bits >> 28 == 0xe && Prefix >= 4;

    /// <summary>One address, as a connection names it; an IPv4 address mapped into IPv6 becomes IPv4.</summary>
    public static CedarAddress Of(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? new(BinaryPrimitives.ReadUInt128BigEndian(bytes), true, 128)
            : new(BinaryPrimitives.ReadUInt32BigEndian(bytes), false, 32);
    }

    /// <summary>Reads <c>address</c> or <c>address/prefix</c>; null when the text is neither.</summary>
    public static CedarAddress? TryParse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > 43)
            return null;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var address = slash < 0 ? text.AsSpan() : text.AsSpan(0, slash);
        var isV6 = address.Contains(':');
        if (!(isV6 ? ParseV6(address, out var bits) : ParseV4(address, out bits)))
            return null;
        var width = isV6 ? 128 : 32;
        return slash < 0 ? new(bits, isV6, width)
            : ParsePrefix(text.AsSpan(slash + 1), width) is { } prefix ? new(bits, isV6, prefix) : null;
    }

    /// <summary>True when every address of this is one of <paramref name="range"/>; never across families.</summary>
    internal bool IsInRange(CedarAddress range) =>
        IsV6 == range.IsV6 && Prefix >= range.Prefix && (range.Prefix == 0 || (_bits >> (Width - range.Prefix)) == (range._bits >> (Width - range.Prefix)));

    private static int? ParsePrefix(ReadOnlySpan<char> text, int width) =>
        text.Length is >= 1 and <= 3 && !text.ContainsAnyExceptInRange('0', '9') && (text.Length == 1 || text[0] != '0')
            && int.Parse(text, CultureInfo.InvariantCulture) is var prefix && prefix <= width ? prefix : null;

    private static bool ParseV4(ReadOnlySpan<char> text, out UInt128 bits)
    {
        bits = 0;
        var parts = 0;
        foreach (var part in text.Split('.'))
        {
            var octet = text[part];
            if (++parts > 4 || octet.Length is < 1 or > 3 || octet.ContainsAnyExceptInRange('0', '9') || (octet.Length > 1 && octet[0] == '0')
                || int.Parse(octet, CultureInfo.InvariantCulture) is not (<= 255 and var value))
                return false;
            bits = (bits << 8) | (UInt128)value;
        }

        return parts == 4;
    }

    private static bool ParseV6(ReadOnlySpan<char> text, out UInt128 bits)
    {
        bits = 0;
        var gap = text.IndexOf("::");
        if (gap < 0)
            return Groups(text, out bits, out var all) && all == 8;
        if (!Groups(text[..gap], out var head, out var before) || !Groups(text[(gap + 2)..], out var tail, out var after) || before + after > 7)
            return false;
        bits = before == 0 ? tail : (head << (16 * (8 - before))) | tail;
        return true;
    }

    private static bool Groups(ReadOnlySpan<char> text, out UInt128 bits, out int count)
    {
        bits = 0;
        count = 0;
        if (text.IsEmpty)
            return true;
        foreach (var part in text.Split(':'))
        {
            var group = text[part];
            if (++count > 8 || group.Length is < 1 or > 4 || !ushort.TryParse(group, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
                return false;
            bits = (bits << 16) | value;
        }

        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is CedarAddress other && IsV6 == other.IsV6 && Prefix == other.Prefix && _bits == other._bits;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_bits, IsV6, Prefix);

    /// <inheritdoc/>
    public override string ToString()
    {
        var bytes = new byte[IsV6 ? 16 : 4];
        if (IsV6)
            BinaryPrimitives.WriteUInt128BigEndian(bytes, _bits);
        else
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)_bits);
        return $"ip(\"{new IPAddress(bytes)}{(Prefix == Width ? "" : $"/{Prefix}")}\")";
    }
}
