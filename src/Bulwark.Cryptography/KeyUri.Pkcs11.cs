namespace Bulwark.Cryptography;

public sealed partial record KeyUri
{
    private static readonly string[] s_pathAttributes = ["token", "manufacturer", "serial", "model", "library-manufacturer", "library-version", "library-description", "slot-manufacturer", "slot-description", "slot-id", "object", "type", "id"];
    private static readonly string[] s_queryAttributes = ["module-name", "module-path", "pin-source"];

    /// <summary>The attributes of a PKCS#11 address, percent-decoded (RFC 7512 §2.3), those of its query too; empty for another store.</summary>
    public IReadOnlyDictionary<string, byte[]> Pkcs11Attributes => Scheme != "pkcs11" ? new Dictionary<string, byte[]>() : Pairs(Path, ';')
        .Concat(Version is null ? [] : [("id", Version)]).Concat(Pairs(Query, '&'))
        .ToDictionary(pair => pair.Item1, pair => Decode(pair.Item2), StringComparer.Ordinal);

    private static KeyUri Pkcs11(string rest)
    {
        var question = rest.IndexOf('?', StringComparison.Ordinal);
        var (path, query) = question < 0 ? (rest, "") : (rest[..question], rest[(question + 1)..]);
        var attributes = Attributes(path, ';', s_pathAttributes);
        var reach = Attributes(query, '&', s_queryAttributes);
        if (!attributes.ContainsKey("object"))
            throw new FormatException("A PKCS#11 address names its key: pkcs11:token=TOKEN;object=KEY (RFC 7512).");
        var version = attributes.TryGetValue("id", out var id) ? id : null;
        var ordered = s_pathAttributes.Where(name => name != "id" && attributes.ContainsKey(name)).Select(name => $"{name}={attributes[name]}");
        return new KeyUri("pkcs11", string.Join(';', ordered), version, string.Join('&', reach.Select(pair => $"{pair.Key}={pair.Value}")));
    }

    private static SortedDictionary<string, string> Attributes(string text, char separator, string[] known)
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in Pairs(text, separator))
        {
            if (name == "pin-value")
                throw new FormatException("A PIN does not belong in an address, which is stored and logged: use pin-source=file:PATH or BULWARK_PKCS11_PIN.");
            if (!known.Contains(name))
                throw new FormatException($"'{name}' is no attribute of a PKCS#11 address that this program knows (RFC 7512).");
            if (!found.TryAdd(name, name == "id" ? EncodeAll(Decode(value)) : Encode(Decode(value))))
                throw new FormatException($"The PKCS#11 address states '{name}' twice.");
        }

        return found;
    }

    private static IEnumerable<(string Name, string Value)> Pairs(string text, char separator) => text.Length == 0 ? [] : text.Split(separator)
        .Select(pair => pair.Split('=', 2) is [{ Length: > 0 } name, { Length: > 0 } value] ? (name, value) : throw new FormatException($"'{pair}' is no attribute of a PKCS#11 address: expected name=value."));

    private static byte[] Decode(string value)
    {
        var bytes = new List<byte>(value.Length);
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] != '%')
            {
                bytes.Add((byte)value[i]);
                continue;
            }

            if (i + 2 >= value.Length || !char.IsAsciiHexDigit(value[i + 1]) || !char.IsAsciiHexDigit(value[i + 2]))
                throw new FormatException($"'{value}' has a broken percent-encoding.");
            bytes.Add(Convert.FromHexString(value.AsSpan(i + 1, 2))[0]);
            i += 2;
        }

        return [.. bytes];
    }

    /// <summary>One spelling: letters, digits and <c>-._~/</c> stand as they are, every other byte is encoded.</summary>
    private static string Encode(byte[] bytes) => string.Concat(bytes.Select(value =>
        char.IsAsciiLetterOrDigit((char)value) || "-._~/:".Contains((char)value, StringComparison.Ordinal) ? ((char)value).ToString() : $"%{value:X2}"));

    private static string EncodeAll(byte[] bytes) => string.Concat(bytes.Select(value => $"%{value:X2}"));
}
