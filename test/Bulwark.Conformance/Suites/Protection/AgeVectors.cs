using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Bulwark.Interchange;

namespace Bulwark.Conformance.Suites.Protection;

/// <summary>The age testkit (CCTV): a file each, with what must come of opening it; a failing payload must still give out its sound beginning.</summary>
internal static class AgeVectors
{
    internal static IEnumerable<CaseResult> Cases(DirectoryInfo directory) => directory.EnumerateFiles("*", SearchOption.AllDirectories)
        .Where(file => Path.GetRelativePath(directory.FullName, file.FullName).Split(Path.DirectorySeparatorChar)[0] == "age" && file.Extension is "" or ".age")
        .OrderBy(file => file.Name, StringComparer.Ordinal)
        .Select(file => Path.GetRelativePath(directory.FullName, file.FullName) is var id ? Vectors.Judge(id, () => Run(id, File.ReadAllBytes(file.FullName))) : null!);

    private static CaseResult Run(string id, byte[] bytes)
    {
        var end = bytes.AsSpan().IndexOf("\n\n"u8);
        var facts = Encoding.UTF8.GetString(bytes, 0, end).Split('\n').Select(line => line.Split(": ", 2)).ToLookup(pair => pair[0], pair => pair[1]);
        if (facts["identity"].Any(identity => identity.StartsWith("AGE-SECRET-KEY-PQ-", StringComparison.Ordinal)))
            return CaseResult.Skip(id, "not built: age's post-quantum hybrid recipients (ML-KEM-768 with X25519), which age v1 itself does not have");
        var file = facts["compressed"].Contains("zlib") ? Inflate(bytes[(end + 2)..]) : bytes[(end + 2)..];
        AgeIdentity[] identities = [.. facts["identity"].Select(text => AgeIdentity.X25519(AgeIdentity.Parse(text))), .. facts["passphrase"].Select(text => AgeIdentity.Passphrase(text))];
        using var plaintext = new MemoryStream();
        var outcome = Open(file, identities, plaintext);
        var expected = facts["expect"].Single();
        if (outcome != expected)
            return CaseResult.Fail(id, $"expected {expected}, came to {outcome}");
        var prefix = plaintext.ToArray();
        return CaseResult.Of(id, expected != "success" || facts["payload"].Single() == Convert.ToHexStringLower(SHA256.HashData(prefix)), "another plaintext");
    }

    private static string Open(byte[] file, AgeIdentity[] identities, MemoryStream plaintext)
    {
        try
        {
            AgeFile.OpenToAsync(new MemoryStream(file), plaintext, identities, threads: 2).GetAwaiter().GetResult();
            return "success";
        }
        catch (AgeException refusal)
        {
            return refusal.Fault switch
            {
                AgeFault.Armor => "armor failure",
                AgeFault.Header => "header failure",
                AgeFault.NoMatch => "no match",
                AgeFault.Authentication => "HMAC failure",
                _ => "payload failure",
            };
        }
        catch (CryptographicException)
        {
            return "payload failure";
        }
    }

    private static byte[] Inflate(byte[] compressed)
    {
        using var inflated = new MemoryStream();
        using var zlib = new ZLibStream(new MemoryStream(compressed), CompressionMode.Decompress);
        zlib.CopyTo(inflated);
        return inflated.ToArray();
    }
}
