using System.Text;
using Bulwark.Attestation;
using Bulwark.Attestation.Nvidia;
using Bulwark.Deployment;
using Bulwark.Tests.Attestation;
using Bulwark.Tests.Attestation.Nvidia;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Fuzz.Targets;

/// <summary>A GPU's report and its certificates: whatever is read and is not what was signed is never accepted.</summary>
internal sealed class GpuTarget : IFuzzTarget
{
    private static readonly GpuPlatform s_gpu = new();
    private static readonly byte[] s_nonce = new byte[32], s_report = s_gpu.Report(s_nonce), s_chain = s_gpu.Chain;

    public string Name => "attestation-gpu";

    public IEnumerable<byte[]> Seeds() => [s_report, s_chain];

    public void Run(ReadOnlySpan<byte> input)
    {
        var (bytes, verifier) = (input.ToArray(), new NvidiaVerifier(s_gpu.Policy, new FakeTimeProvider(AttestationPki.Now)));
        if (verifier.Verify(bytes, s_chain, s_nonce).Decision is PlatformDecision.Accepted && !input[..^GpuReport.SignatureSize].SequenceEqual(s_report.AsSpan(0, s_report.Length - GpuReport.SignatureSize)))
            throw new InvalidOperationException("A report that nobody signed was accepted.");
        _ = verifier.Verify(s_report, bytes, s_nonce);
    }

    public bool IsRefusal(Exception failure) => false;
}

/// <summary>Initdata and Gramine's manifests.</summary>
internal sealed class TomlTarget : IFuzzTarget
{
    public string Name => "toml";

    public IEnumerable<byte[]> Seeds() =>
    [
        "version = \"0.1.0\"\nalgorithm = \"sha256\"\n[data]\n\"a.toml\" = '''\nx = 1\n'''\n"u8.ToArray(),
        "loader.env.A = { passthrough = true }\n[[sgx.trusted_files]]\nuri = \"file:/a\"\nl = [ 1, 0xff, -1.5, \"\\u0041\" ] # c\n"u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        try
        {
            _ = GramineRules.Check(Encoding.UTF8.GetString(input));
        }
        catch (FormatException)
        {
            // refused as a manifest; it may still be an initdata
        }

        _ = Initdata.Parse(input.ToArray());
    }

    public bool IsRefusal(Exception failure) => failure is FormatException;
}

/// <summary>Requests and answers of Oblivious HTTP and EHBP, and the HTTP messages inside.</summary>
internal sealed class ObliviousDoorTarget : IFuzzTarget
{
    private static readonly Cryptography.ObliviousEndpoint s_endpoint = new();

    public string Name => "oblivious-door";

    public IEnumerable<byte[]> Seeds()
    {
        using var call = Cryptography.ObliviousCall.Seal(Cryptography.ObliviousProtocol.ChunkedObliviousHttp, s_endpoint.KeyList, "gateway", "/v2/models/m/infer", "{}"u8);
        yield return call.Message.ToArray();
        yield return Cryptography.BinaryHttp.Write(new Cryptography.BinaryHttp.Request("POST", "https", "gateway", "/v2", [("content-type", "application/json")], "{}"u8.ToArray()));
        yield return Cryptography.BinaryHttp.Write(new Cryptography.BinaryHttp.Response(200, [], "{}"u8.ToArray()));
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        foreach (var protocol in new[] { Cryptography.ObliviousProtocol.Ehbp, Cryptography.ObliviousProtocol.ObliviousHttp, Cryptography.ObliviousProtocol.ChunkedObliviousHttp })
        {
            try
            {
                s_endpoint.Open(protocol, input.Length > 32 ? input[..32] : default, input).Dispose();
            }
            catch (Cryptography.SealedRequestException)
            {
                // the answer
            }
        }

        try
        {
            _ = Cryptography.BinaryHttp.ReadResponse(input);
        }
        catch (InvalidDataException)
        {
            // it may still be a request
        }

        _ = Cryptography.BinaryHttp.ReadRequest(input);
    }

    public bool IsRefusal(Exception failure) => failure is InvalidDataException;
}
