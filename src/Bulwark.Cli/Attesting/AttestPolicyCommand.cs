using System.CommandLine;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary>What evidence must say: write a development policy, check, sign; publish the measurements that a policy may name.</summary>
internal static class AttestPolicyCommand
{
    internal static Command Create() => new("policy", "What evidence must say for a model's key to be released.") { CreateCheck(), CreateInit(), CreateSign(), CreatePublish() };

    /// <summary>The keys whose policies are in force: those of the files, or the workspace's own.</summary>
    internal static IReadOnlyCollection<VerificationKey> Trusted(FileInfo[]? files, KeyRing keys) =>
        files is { Length: > 0 } ? [.. files.Select(file => VerificationKey.Parse(File.ReadAllText(file.FullName).Trim()))] : [keys.PublicKey(Workspace.SigningKey)];

    private static Command CreateCheck()
    {
        var file = new Argument<FileInfo>("policy") { Description = "The evidence policy, signed or plain." }.AcceptExistingOnly();
        var trust = new Option<FileInfo[]>("--key") { Description = "File of a key (ed25519:…) whose signature counts; without it a signed policy is only read, and the answer says so.", HelpName = "FILE" };
        var command = new Command("check", "Checks an evidence policy; exit 1 when it is unsound. Example: bulwark attest policy check evidence-policy.json") { file, trust };
        command.SetAction(parsed =>
        {
            var screen = new Screen(parsed);
            try
            {
                var bytes = File.ReadAllBytes(parsed.GetRequiredValue(file).FullName);
                var keys = parsed.GetValue(trust) is { Length: > 0 } files ? files.Select(one => VerificationKey.Parse(File.ReadAllText(one.FullName).Trim())).ToList() : null;
                var envelope = Dsse.Peek(bytes);
                var policy = envelope is { } peeked && keys is null ? EvidencePolicy.FromJson(peeked.Payload) : keys is null ? EvidencePolicy.FromJson(bytes) : EvidencePolicySignature.Open(bytes, keys);
                var signature = envelope is null ? "unsigned" : keys is null ? "signature not checked" : "signature good";
                return screen.Answer(new { sound = true, digest = policy.Digest(), policy.Version, policy.Environment, signature, flags = policy.Flags(), insecure = policy.Environment is not EvidenceEnvironment.Production }, console =>
                {
                    console.MarkupLineInterpolated($"sound: {policy.Digest()}, version {policy.Version}, for {policy.Environment}{(policy.InsecureSimulated ? ", INSECURE: lets simulated evidence in" : "")}, {signature}");
                    foreach (var flag in policy.Flags())
                        console.MarkupLineInterpolated($"[yellow]lets in[/] {flag}");
                });
            }
            catch (InvalidDataException failure)
            {
                var fault = JsonWords.Plain(failure.Message);
                return screen.Answer(new { sound = false, fault }, console => console.MarkupLineInterpolated($"[red]{fault}[/]"), ExitCode.No);
            }
        });
        return command;
    }

    private static Command CreateInit()
    {
        var package = new Argument<FileInfo>("package") { Description = "The sealed model whose key may be released." }.AcceptExistingOnly();
        var output = new Option<FileInfo>("--output", "-o") { Description = "Where to write the policy.", Required = true, HelpName = "FILE" };
        var command = new Command("init", "Writes a development policy for this build of the worker. Example: bulwark attest policy init fraud.bulwark -o evidence-policy.json") { package, output };
        command.SetAction(parsed =>
        {
            using var keys = Workspace.Require(parsed).OpenKeys();
            var policy = GatewaySetup.DevelopmentEvidencePolicy(keys, parsed.GetRequiredValue(package).FullName);
            AtomicFile.Write(parsed.GetRequiredValue(output).FullName, policy.ToJson());
            return new Screen(parsed).Answer(new { digest = policy.Digest(), insecure = true }, console =>
            {
                console.MarkupLine("[yellow]INSECURE: a development policy; it lets simulated evidence in.[/]");
                console.MarkupLineInterpolated($"policy  {policy.Digest()}");
            });
        });
        return command;
    }

    private static Command CreateSign()
    {
        var file = new Argument<FileInfo>("policy") { Description = "The evidence policy." }.AcceptExistingOnly();
        var output = new Option<FileInfo>("--output", "-o") { Description = "Where to write the signed policy.", Required = true, HelpName = "FILE" };
        var key = new Option<string>("--key") { Description = "The workspace's signing key to sign with.", DefaultValueFactory = _ => Workspace.SigningKey, HelpName = "NAME" };
        var command = new Command("sign", "Signs a sound evidence policy. Example: bulwark attest policy sign evidence-policy.json -o evidence-policy.dsse") { file, output, key };
        command.SetAction(parsed =>
        {
            using var keys = Workspace.Require(parsed).OpenKeys();
            using var signer = keys.OpenSigner(parsed.GetRequiredValue(key));
            var policy = EvidencePolicy.FromJson(File.ReadAllBytes(parsed.GetRequiredValue(file).FullName));
            AtomicFile.Write(parsed.GetRequiredValue(output).FullName, EvidencePolicySignature.Sign(policy, signer));
            return new Screen(parsed).Answer(new { digest = policy.Digest(), policy.Version, signedBy = signer.PublicKey.ToString() }, console =>
                console.MarkupLineInterpolated($"signed  {policy.Digest()}, version {policy.Version}, by {signer.PublicKey}"));
        });
        return command;
    }

    private static Command CreatePublish()
    {
        var value = new Argument<string>("measurement") { Description = "sha256: or sha384: and hexadecimal digits." };
        var kind = new Option<string>("--kind") { Description = $"The kind of evidence that shows it: {string.Join(", ", EvidenceKinds.All)}.", Required = true, HelpName = "KIND" };
        var program = new Option<string>("--program") { Description = "What it is the measurement of: a program and its version.", Required = true, HelpName = "TEXT" };
        var output = new Option<FileInfo>("--output", "-o") { Description = "Where to write the measurement with its proof, as a policy takes it.", Required = true, HelpName = "FILE" };
        var command = new Command("publish", """
            Publishes a measurement in the log, and writes it with its proof for the measurements of a policy.

            Example: bulwark attest policy publish sha384:4d… --kind sev-snp --program "worker 1.2" -o worker-1.2.json
            """) { value, kind, program, output };
        command.SetAction(async (parsed, cancel) =>
        {
            var (workspace, text) = (Workspace.Require(parsed), parsed.GetRequiredValue(value));
            if (!EvidenceKinds.All.Contains(parsed.GetRequiredValue(kind)))
                throw new CommandException($"'{parsed.GetRequiredValue(kind)}' is no kind of evidence.", string.Join(", ", EvidenceKinds.All));
            if (new ReferenceValue(text).Fault() is { } fault)
                throw new CommandException(fault);
            using var keys = workspace.OpenKeys();
            using var signer = keys.OpenSigner(Workspace.SigningKey);
            await using var log = await workspace.OpenLogAsync(keys);
            var reference = await MeasurementProvenance.PublishAsync(log, signer, new() { Value = text, Kind = parsed.GetRequiredValue(kind), Program = parsed.GetRequiredValue(program), Time = DateTimeOffset.UtcNow }, cancel);
            await workspace.CosignAsync(log, cancel);
            AtomicFile.Write(parsed.GetRequiredValue(output).FullName, reference.ToJson());
            return new Screen(parsed).Answer(new { measurement = text, log = log.Key.ToString(), publisher = signer.PublicKey.ToString() }, console =>
            {
                console.MarkupLineInterpolated($"published  {text}");
                console.MarkupLineInterpolated($"log        {log.Key}");
                console.MarkupLineInterpolated($"publisher  {signer.PublicKey}");
            });
        });
        return command;
    }
}
