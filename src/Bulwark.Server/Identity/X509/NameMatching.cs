using System.Net;

namespace Bulwark.Server;

/// <summary>Names against constraints and against expected names. Where a wildcard leaves doubt, the answer is the one that refuses.</summary>
internal static class NameMatching
{
    /// <summary>Letters, digits and hyphens; a whole leftmost label may be <c>*</c> where two more follow.</summary>
    internal static bool IsDnsName(string name)
    {
        if (name.StartsWith("*.", StringComparison.Ordinal))
            return name.Count('.') >= 2 && IsHost(name.AsSpan(2));
        return IsHost(name);
    }

    internal static bool IsIpAddress(GeneralName name) => name.Bytes.Length is 4 or 16;

    internal static bool IsConstraint(GeneralName constraint) => constraint.Kind switch
    {
        GeneralNameKind.Dns => constraint.Text.Length == 0 || IsHost(constraint.Text),
        GeneralNameKind.Ip => constraint.Bytes.Length is 8 or 32 && IsMask(constraint.Bytes.Span[(constraint.Bytes.Length / 2)..]),
        GeneralNameKind.Email => IsHost(Host(constraint.Text).TrimStart('.')),
        GeneralNameKind.Uri => IsHost(constraint.Text.AsSpan().TrimStart('.')),
        _ => true,
    };

    /// <summary>True when every name that <paramref name="name"/> stands for lies in the subtree.</summary>
    internal static bool IsWithin(GeneralName name, GeneralName constraint) => name.Kind switch
    {
        GeneralNameKind.Dns => IsBelow(WithoutWildcard(name.Text), constraint.Text),
        GeneralNameKind.Ip => InRange(name.Bytes.Span, constraint.Bytes.Span),
        GeneralNameKind.Email => EmailMatches(name.Text, constraint.Text),
        GeneralNameKind.Uri => Uri.TryCreate(name.Text, UriKind.Absolute, out var uri) && HostMatches(uri.Host, constraint.Text),
        GeneralNameKind.Directory => name.Name!.IsWithin(constraint.Name!),
        _ => false,   // not understood: not permitted
    };

    /// <summary>True when some name that <paramref name="name"/> stands for lies in the subtree.</summary>
    internal static bool Overlaps(GeneralName name, GeneralName constraint) => name.Kind switch
    {
        GeneralNameKind.Dns => IsWithin(name, constraint) || (name.Text.StartsWith('*') && IsBelow(constraint.Text, WithoutWildcard(name.Text))),
        GeneralNameKind.Ip => name.Bytes.Length is not (4 or 16) || IsWithin(name, constraint),
        GeneralNameKind.Uri => !Uri.TryCreate(name.Text, UriKind.Absolute, out _) || IsWithin(name, constraint),
        GeneralNameKind.Email or GeneralNameKind.Directory => IsWithin(name, constraint),
        _ => true,   // not understood: excluded
    };

    internal static bool MatchesDns(string presented, string expected) =>
        presented.StartsWith("*.", StringComparison.Ordinal)
            ? expected.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot && Same(expected[(dot + 1)..], presented[2..])
            : Same(presented, expected);

    internal static bool MatchesIp(ReadOnlySpan<byte> presented, string expected) =>
        IPAddress.TryParse(expected, out var address) && presented.SequenceEqual(address.GetAddressBytes());

    /// <summary>The part before @ counts to the letter, the host in either case.</summary>
    internal static bool MatchesEmail(string presented, string expected) =>
        presented.LastIndexOf('@') is > 0 and var at && at == expected.LastIndexOf('@')
        && presented.AsSpan(0, at).SequenceEqual(expected.AsSpan(0, at)) && Same(presented[at..], expected[at..]);

    /// <summary>The text by which a common name must repeat an IP name: dotted decimal, or RFC 5952.</summary>
    internal static string IpText(ReadOnlySpan<byte> address) => address.Length is 4 or 16 ? new IPAddress(address).ToString() : "";

    private static bool IsHost(ReadOnlySpan<char> host)
    {
        if (host.Length is 0 or > 253)
            return false;
        foreach (var range in host.Split('.'))
        {
            var label = host[range];
            if (label.Length is 0 or > 63 || label[0] == '-' || label[^1] == '-')
                return false;
            foreach (var c in label)
                if (!char.IsAsciiLetterOrDigit(c) && c != '-')
                    return false;
        }

        return true;
    }

    private static bool IsMask(ReadOnlySpan<byte> mask)
    {
        var ended = false;
        foreach (var b in mask)
            for (var bit = 7; bit >= 0; bit--)
            {
                var one = (b >> bit & 1) == 1;
                if (one && ended)
                    return false;
                ended |= !one;
            }

        return true;
    }

    private static bool InRange(ReadOnlySpan<byte> address, ReadOnlySpan<byte> range)
    {
        if (address.Length * 2 != range.Length)
            return false;
        for (var i = 0; i < address.Length; i++)
            if ((address[i] & range[address.Length + i]) != (range[i] & range[address.Length + i]))
                return false;
        return true;
    }

    private static string Host(string email) => email.LastIndexOf('@') is >= 0 and var at ? email[(at + 1)..] : email;

    private static bool EmailMatches(string email, string constraint) =>
        constraint.Contains('@') ? MatchesEmail(email, constraint) : email.Contains('@') && HostMatches(Host(email), constraint);

    /// <summary>A leading period means the domains below; none means that host alone.</summary>
    private static bool HostMatches(string host, string constraint) =>
        constraint.StartsWith('.') ? host.EndsWith(constraint, StringComparison.OrdinalIgnoreCase) : Same(host, constraint);

    private static bool IsBelow(string name, string root) =>
        root.Length == 0 || Same(name, root) || (name.Length > root.Length && name.EndsWith(root, StringComparison.OrdinalIgnoreCase) && name[^(root.Length + 1)] == '.');

    private static string WithoutWildcard(string name) => name.StartsWith("*.", StringComparison.Ordinal) ? name[2..] : name;

    private static bool Same(string a, string b) => a.Equals(b, StringComparison.OrdinalIgnoreCase);
}
