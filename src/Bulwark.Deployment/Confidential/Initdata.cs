using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Deployment;

/// <summary>What the host hands a confidential guest at its start: settings of the guest's agents and their policy. Its digest is in the hardware's report, so that the host cannot hand another one.</summary>
/// <remarks>
/// Source: Confidential Containers, initdata specification 0.1.0. The digest is over the document's bytes, under the algorithm that it names, cut or filled with zeros to the
/// length of the field: HOST_DATA of SEV-SNP has 32 bytes, MRCONFIGID of TDX has 48.
/// </remarks>
public sealed record Initdata
{
    private const string Version = "0.1.0";
    private const int LongestDocument = 1 << 20;
    private const int HostDataBytes = 32, MrConfigIdBytes = 48;

    private Initdata(ReadOnlyMemory<byte> document, string algorithm)
    {
        Document = document;
        var digest = algorithm switch { "sha256" => SHA256.HashData(document.Span), "sha384" => SHA384.HashData(document.Span), _ => SHA512.HashData(document.Span) };
        (Algorithm, HostData, MrConfigId) = (algorithm, Fit(digest, HostDataBytes), Fit(digest, MrConfigIdBytes));
    }

    /// <summary>The document, TOML in UTF-8.</summary>
    public ReadOnlyMemory<byte> Document { get; }

    /// <summary>The digest's algorithm, as the document names it.</summary>
    public string Algorithm { get; }

    /// <summary>What an SEV-SNP report's HOST_DATA will be: 64 hexadecimal digits, for a policy's <c>snp.hostData</c>.</summary>
    public string HostData { get; }

    /// <summary>What a TDX quote's MRCONFIGID will be: 96 hexadecimal digits, for a policy's <c>tdx.mrConfigId</c>.</summary>
    public string MrConfigId { get; }

    /// <summary>The value of the annotation <c>io.katacontainers.config.hypervisor.cc_init_data</c>: the document packed by gzip, in base64.</summary>
    public string Annotation()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
            gzip.Write(Document.Span);
        return Convert.ToBase64String(packed.ToArray());
    }

    /// <summary>The initdata of a topology's pods.</summary>
    /// <exception cref="ArgumentException">The topology has faults, or describes no confidential pods.</exception>
    public static Initdata Of(Topology topology)
    {
        ArgumentNullException.ThrowIfNull(topology);
        if (topology.Confidential is not { } pod)
            throw new ArgumentException("The topology has no \"confidential\".", nameof(topology));
        if (topology.Faults().ToList() is { Count: > 0 } faults)
            throw new ArgumentException(string.Join(" ", faults), nameof(topology));
        var algorithm = pod.Hardware is ConfidentialHardware.Tdx ? "sha384" : "sha256";   // fills the field exactly
        var text = new StringBuilder($"version = \"{Version}\"\nalgorithm = \"{algorithm}\"\n\n[data]\n");
        if (pod.Broker is { } broker)
        {
            text.Append($"\"aa.toml\" = '''\n[token_configs]\n[token_configs.kbs]\nurl = \"{broker.AbsoluteUri.TrimEnd('/')}\"\n{Authority("cert", pod)}'''\n\n");
            text.Append($"\"cdh.toml\" = '''\n[kbc]\nname = \"cc_kbc\"\nurl = \"{broker.AbsoluteUri.TrimEnd('/')}\"\n{Authority("kbs_cert", pod)}'''\n\n");
        }

        text.Append($"\"policy.rego\" = '''\n{AgentPolicy.Write(topology, pod)}'''\n");
        return Parse(Encoding.UTF8.GetBytes(text.ToString()));
    }

    /// <summary>Reads a document: anyone's, as it stands.</summary>
    /// <param name="document">TOML, or the annotation's value (base64 of gzip).</param>
    /// <exception cref="FormatException">It is no initdata of version 0.1.0; the message says why.</exception>
    public static Initdata Parse(ReadOnlyMemory<byte> document)
    {
        if (document.Span.StartsWith("H4sI"u8))
            document = Unpack(document);
        if (document.Length > LongestDocument)
            throw new FormatException($"An initdata has at most {LongestDocument} bytes.");
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(document.Span);
        }
        catch (DecoderFallbackException failure)
        {
            throw new FormatException("The initdata is no UTF-8 text.", failure);
        }

        var table = Toml.Parse(text);
        if (!table.TryGetValue("version", out var version) || version is not Version)
            throw new FormatException($"The initdata's version is '{version}'; this version reads {Version}.");
        if (!table.TryGetValue("algorithm", out var algorithm) || algorithm is not ("sha256" or "sha384" or "sha512"))
            throw new FormatException($"The initdata's algorithm is '{algorithm}'; sha256, sha384 and sha512 are known.");
        if (!table.TryGetValue("data", out var data) || data is not Dictionary<string, object> { Count: > 0 } entries || entries.Values.Any(value => value is not string))
            throw new FormatException("The initdata has no table \"data\" of texts.");
        return new(document, (string)algorithm);
    }

    private static string Fit(byte[] digest, int length)
    {
        Array.Resize(ref digest, length);
        return Convert.ToHexStringLower(digest);
    }

    private static string Authority(string member, ConfidentialPod pod) =>
        pod.BrokerAuthority is { } pem ? $"{member} = \"\"\"\n{pem.ReplaceLineEndings("\n").Trim()}\n\"\"\"\n" : "";

    private static byte[] Unpack(ReadOnlyMemory<byte> annotation)
    {
        try
        {
            using var packed = new GZipStream(new MemoryStream(Convert.FromBase64String(Encoding.ASCII.GetString(annotation.Span).Trim())), CompressionMode.Decompress);
            var document = new byte[LongestDocument + 1];
            var length = packed.ReadAtLeast(document, document.Length, throwOnEndOfStream: false);
            return length > 0 ? document[..length] : throw new InvalidDataException("Nothing is packed.");
        }
        catch (InvalidDataException failure)
        {
            throw new FormatException("The annotation is not packed by gzip.", failure);
        }
    }
}
