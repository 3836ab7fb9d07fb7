using System.Diagnostics;
using Bulwark.Attestation;
using Bulwark.Attestation.Sources;
using Bulwark.Attestation.Tpm;
using Bulwark.Cryptography;
using Bulwark.Tests.Servers;

namespace Bulwark.Tests.Attestation;

/// <summary>The kernel's and Gramine's files played by a folder whose report file is a pipe: it answers, when it is read, about what was written before.</summary>
public sealed class EvidenceSourceTests : IDisposable
{
    private static readonly Digest s_model = Digest.Of("model"u8);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-tsm-");
    private readonly List<Task> _kernel = [];
    private int _entries;
    private readonly AttestedWorld _world = new();
    private readonly EvidenceChallenge _challenge = new() { Nonce = AttestedWorld.Nonce() };

    public void Dispose()
    {
        _world.Dispose();
        TemporaryFolder.Remove(_folder.FullName);
    }

    [Fact]
    public async Task A_report_is_about_the_report_data_and_brings_the_hosts_certificates()
    {
        var source = new TsmEvidenceSource(_folder.FullName, entry => PlayKernel(entry, "sev_guest", "1"));
        Assert.Equal(EvidenceKinds.SevSnp, source.Kind);
        var evidence = await source.CollectAsync(_challenge, _world.Keys, s_model, CancellationToken.None);
        Assert.Equal([.. "report"u8, .. evidence.ReportData()], evidence.Payload);
        Assert.Equal("table"u8, evidence.Parts[EvidenceParts.CertificateTable]);
        Assert.Equal(_challenge.Nonce, evidence.Nonce);
        await Task.WhenAll(_kernel).WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
    }

    [Fact]
    public async Task A_report_that_somebody_else_wrote_to_is_not_given_out()
    {
        var source = new TsmEvidenceSource(_folder.FullName, entry => PlayKernel(entry, "tdx_guest", "2"));
        Assert.Equal(EvidenceKinds.Tdx, source.Kind);
        var failure = await Assert.ThrowsAsync<IOException>(async () => await source.CollectAsync(_challenge, _world.Keys, s_model, CancellationToken.None));
        Assert.Contains("generation 2", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_machine_that_is_no_confidential_guest_says_so()
    {
        Assert.Contains("no confidential guest", Assert.Throws<IOException>(() => new TsmEvidenceSource(Path.Combine(_folder.FullName, "absent"))).Message, StringComparison.Ordinal);
        Assert.Contains("'other'", Assert.Throws<IOException>(() => new TsmEvidenceSource(_folder.FullName, entry => PlayKernel(entry, "other", "1"))).Message, StringComparison.Ordinal);
        Assert.Contains("no Gramine enclave", Assert.Throws<IOException>(() => new GramineEvidenceSource(_folder.FullName)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gramine_quote_is_about_the_report_data()
    {
        var type = Path.Combine(_folder.FullName, "attestation_type");
        File.WriteAllText(type, "none");
        Assert.Contains("dcap", Assert.Throws<IOException>(() => new GramineEvidenceSource(_folder.FullName)).Message, StringComparison.Ordinal);
        File.WriteAllText(type, "dcap");
        File.WriteAllBytes(Path.Combine(_folder.FullName, "user_report_data"), new byte[64]);
        AnswerWhenRead(_folder.FullName, "quote", "user_report_data", "quote"u8.ToArray());
        var evidence = await new GramineEvidenceSource(_folder.FullName).CollectAsync(_challenge, _world.Keys, s_model, CancellationToken.None);
        Assert.Equal([.. "quote"u8, .. evidence.ReportData()], evidence.Payload);
        Assert.Equal(EvidenceKinds.Sgx, evidence.Kind);
    }

    [Fact]
    public async Task A_tpms_evidence_passes_the_policy_that_lists_its_key_and_another_nonce_does_not()
    {
        using var server = SoftwareTpm.Start();
        using var source = new TpmEvidenceSource(server.Address, new(TpmHash.Sha256, [0, 16]));
        var evidence = await source.CollectAsync(_challenge, _world.Keys, _world.Model, CancellationToken.None);
        Assert.True(TpmPublic.TryRead(source.AttestationKey.Span, out var key));
        var policy = _world.Policy with
        {
            Kinds = [EvidenceKinds.Tpm],
            InsecureSimulated = false,
            SimulatedKeys = [],
            Tpm = new() { Required = new(TpmHash.Sha256, [0, 16]), AllowUnendorsed = true, AttestationKeys = [Convert.ToHexStringLower(key.Name.Span)] },
        };
        var legs = _world.Verify(evidence, _challenge.Nonce, policy).Legs;
        Assert.All(["tpm.quote-signature", "binding", "tpm.pcr-digest", "platform", "nonce", "parts"], name => Assert.Equal(LegOutcome.Passed, legs.Single(leg => leg.Name == name).Outcome));
        var moved = evidence with { Nonce = AttestedWorld.Nonce() };
        Assert.Equal(LegOutcome.Failed, _world.Verify(moved, moved.Nonce, policy).Legs.Single(leg => leg.Name == "binding").Outcome);
    }

    private void PlayKernel(string entry, string provider, string generation)
    {
        File.WriteAllText(Path.Combine(entry, "provider"), provider + "\n");
        File.WriteAllText(Path.Combine(entry, "generation"), generation + "\n");
        File.WriteAllBytes(Path.Combine(entry, "inblob"), []);
        File.WriteAllBytes(Path.Combine(entry, "auxblob"), "table"u8.ToArray());
        if (_entries++ == 0)
            return;   // the first entry is only asked for its provider
        AnswerWhenRead(entry, "outblob", "inblob", "report"u8.ToArray());
    }

    private void AnswerWhenRead(string folder, string file, string about, byte[] prefix)
    {
        var path = Path.Combine(folder, file);
        using (var made = Process.Start("mkfifo", path))
            made.WaitForExit();
        _kernel.Add(Task.Run(() =>
        {
            using var pipe = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);   // waits for a reader
            pipe.Write([.. prefix, .. File.ReadAllBytes(Path.Combine(folder, about))]);
        }));
    }
}
