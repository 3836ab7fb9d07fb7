using System.CommandLine;
using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Worker;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary>Evidence of what runs: collect it, verify it, write and check the policy it is held against.</summary>
internal static class AttestCommand
{
    internal static Command Create() => new("attest", "Evidence of what runs: collect, verify, policy.")
    {
        CreateCollect(), CreateVerify(), AttestPolicyCommand.Create(),
    };

    private static Command CreateCollect()
    {
        var package = new Argument<FileInfo>("package") { Description = "The sealed model whose key would be asked for." }.AcceptExistingOnly();
        var nonce = new Option<string>("--nonce") { Description = "The verifier's fresh number: 64 hexadecimal digits; a fresh one when left out.", HelpName = "HEX" };
        var output = new Option<FileInfo>("--output", "-o") { Description = "Where to write the evidence.", Required = true, HelpName = "FILE" };
        var command = new Command("collect", """
            Collects evidence of this build of the worker, of kind simulated: signed by the workspace's development key. Insecure.

            The keys that it binds are made for it and thrown away, so it is for trying policies, not for getting keys.
            Example: bulwark attest collect fraud.bulwark -o evidence.json
            """) { package, nonce, output };
        command.SetAction(parsed =>
        {
            using var keys = Workspace.Require(parsed).OpenKeys();
            keys.GetOrCreateSigning(GatewaySetup.DevelopmentKey);
            using var development = keys.OpenSigner(GatewaySetup.DevelopmentKey);
            using var hpke = HpkeKeyPair.Generate();
            using var receipt = Signer.Generate();
            var number = parsed.GetValue(nonce) is { } given ? Nonce(given) : RandomNumberGenerator.GetBytes(Evidence.NonceSizeInBytes);
            var source = new SimulatedEvidenceSource(development, WorkerClosure.Measure(), TimeProvider.System);
            var model = Digest.OfFile(parsed.GetRequiredValue(package).FullName);
            var evidence = source.Collect(number, new() { Hpke = hpke.PublicKey.ToArray(), Receipt = receipt.PublicKey }, model);
            AtomicFile.Write(parsed.GetRequiredValue(output).FullName, evidence.ToJson());
            var answer = new { evidence = evidence.Digest(), nonce = Convert.ToHexStringLower(number), measurement = source.Measurement, model, kind = evidence.Kind, insecure = true };
            return new Screen(parsed).Answer(answer, console =>
            {
                console.MarkupLine("[yellow]INSECURE: simulated evidence proves nothing about this machine.[/]");
                console.MarkupLineInterpolated($"evidence     {answer.evidence}");
                console.MarkupLineInterpolated($"measurement  {answer.measurement}");
                console.MarkupLineInterpolated($"nonce        {answer.nonce}");
            });
        });
        return command;
    }

    private static Command CreateVerify()
    {
        var file = new Argument<FileInfo>("evidence") { Description = "The evidence." }.AcceptExistingOnly();
        var policy = new Option<FileInfo>("--policy") { Description = "The evidence policy.", Required = true, HelpName = "FILE" };
        var nonce = new Option<string>("--nonce") { Description = "The number that you gave: 64 hexadecimal digits.", Required = true, HelpName = "HEX" };
        var trust = new Option<FileInfo[]>("--policy-key") { Description = "File of a key (ed25519:…) whose policies are in force; needed for a signed policy.", HelpName = "FILE" };
        var collateral = new Option<DirectoryInfo>("--collateral") { Description = "Folder of vendors' certificates, revocation lists and documents, for evidence that brings none.", HelpName = "DIR" };
        var ear = new Option<FileInfo>("--ear") { Description = "Also write the result as a signed attestation result (EAR, a JWT), by the workspace's signing key.", HelpName = "FILE" };
        var command = new Command("verify", "Checks every leg of evidence; exit 1 when one fails. Example: bulwark attest verify evidence.json --policy evidence-policy.json --nonce HEX") { file, policy, nonce, trust, collateral, ear };
        command.SetAction(parsed =>
        {
            var evidence = Evidence.FromJson(File.ReadAllBytes(parsed.GetRequiredValue(file).FullName));
            var keys = (parsed.GetValue(trust) ?? []).Select(one => VerificationKey.Parse(File.ReadAllText(one.FullName).Trim())).ToList();
            var required = EvidencePolicySignature.Open(File.ReadAllBytes(parsed.GetRequiredValue(policy).FullName), keys);
            var verifier = new EvidenceVerifier(required, TimeProvider.System, parsed.GetValue(collateral) is { } folder ? new CollateralFolder(folder.FullName) : null);
            var appraisal = verifier.Verify(evidence, Nonce(parsed.GetRequiredValue(nonce)));
            if (parsed.GetValue(ear) is { } result)
            {
                using var ring = Workspace.Require(parsed).OpenKeys();
                using var signer = ring.OpenSigner(Workspace.SigningKey);
                AtomicFile.Write(result.FullName, System.Text.Encoding.ASCII.GetBytes(EarToken.Create(appraisal, evidence, required, signer, DateTimeOffset.UtcNow)));
            }

            return new Screen(parsed).Answer(appraisal, console => Draw(console, appraisal), appraisal.Verdict is EvidenceVerdict.Trusted ? ExitCode.Yes : ExitCode.No);
        });
        return command;
    }

    private static void Draw(IAnsiConsole console, EvidenceAppraisal appraisal)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("leg", "outcome", "detail");
        foreach (var leg in appraisal.Legs)
            table.AddRow(new Text(leg.Name), new Text(leg.Outcome.ToString()), new Text(leg.Detail));
        console.Write(table);
        foreach (var flag in appraisal.Flags)
            console.MarkupLineInterpolated($"[yellow]the policy lets in[/] {flag}");
        var trust = appraisal switch { { Insecure: false } => "", { Kind: EvidenceKinds.Simulated } => ", INSECURE: simulated", _ => ", INSECURE: a development policy" };
        console.MarkupLineInterpolated($"{appraisal.Verdict}{trust}");
    }

    private static byte[] Nonce(string text)
    {
        try
        {
            return Convert.FromHexString(text) is { Length: Evidence.NonceSizeInBytes } nonce ? nonce : throw new FormatException();
        }
        catch (FormatException)
        {
            throw new CommandException($"A nonce has {2 * Evidence.NonceSizeInBytes} hexadecimal digits.");
        }
    }
}
