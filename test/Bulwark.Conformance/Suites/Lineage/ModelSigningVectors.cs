using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Models;

namespace Bulwark.Conformance.Suites.Lineage;

/// <summary>OpenSSF Model Signing: bundles of other tools, good ones and bad ones, with the models beside them where there are any.</summary>
/// <remarks>
/// A bundle is a file <c>*.sig</c> or <c>*.bundle.json</c>. It must be refused when a folder on its way is called invalid… or its name begins with
/// <c>signed-</c> or holds <c>bad</c> or <c>fail</c>; else it must be trusted. Keys and roots are the PEM files below the same top folder.
/// </remarks>
internal static class ModelSigningVectors
{
    internal static IEnumerable<CaseResult> Cases(DirectoryInfo directory)
    {
        foreach (var top in directory.EnumerateDirectories("oms").Append(directory).Where(folder => folder.Name == "oms"))
        {
            var (keys, roots) = Trusted(top);
            foreach (var file in top.EnumerateFiles("*", SearchOption.AllDirectories).Where(IsBundle).OrderBy(file => file.FullName, StringComparer.Ordinal))
            {
                var id = Path.GetRelativePath(directory.FullName, file.FullName);
                foreach (var result in Judge(id, file, top, keys, roots))
                    yield return result;
            }
        }
    }

    private static bool IsBundle(FileInfo file) => file.Name.EndsWith(".sig", StringComparison.Ordinal) || file.Name.EndsWith(".bundle.json", StringComparison.Ordinal);

    private static IEnumerable<CaseResult> Judge(string id, FileInfo file, DirectoryInfo top, EcdsaKey[] keys, X509Certificate2Collection roots)
    {
        var mustFail = MustFail(file, top);
        var model = ModelOf(file);
        ModelSignatureReport report;
        string? thrown = null;
        try
        {
            report = Verify(file, model, TrustFor(file, keys, roots));
        }
        catch (Exception failure)
        {
            (report, thrown) = (new(ModelSignatureVerdict.Unverified, failure.Message), $"{failure.GetType().Name}: {failure.Message}");
        }

        yield return thrown is not null ? CaseResult.Fail(id, thrown)
            : report.Verdict == ModelSignatureVerdict.Unsupported ? CaseResult.Skip(id, $"not built: {report.Detail}")
            : CaseResult.Of(id, report.IsTrusted != mustFail, mustFail ? "must be refused and was trusted" : $"must be trusted: {report.Verdict}, {report.Detail}");
        if (!report.IsTrusted)
            yield break;
        foreach (var (name, refused) in Tampered(file, model, TrustFor(file, keys, roots)))
            yield return CaseResult.Of($"{id}#{name}", refused, "was trusted");
    }

    private static ModelSignatureReport Verify(FileInfo file, string? model, SignatureTrust trust) => model is null
        ? ModelSignature.VerifyStatement(File.ReadAllBytes(file.FullName), trust)
        : ModelSignature.VerifyAsync(model, file.FullName, trust).GetAwaiter().GetResult();

    private static bool MustFail(FileInfo file, DirectoryInfo top) =>
        Path.GetRelativePath(top.FullName, file.FullName).Split(Path.DirectorySeparatorChar).Any(part => part.StartsWith("invalid", StringComparison.Ordinal))
        || file.Name.StartsWith("signed-", StringComparison.Ordinal) || file.Name.Contains("bad", StringComparison.Ordinal) || file.Name.Contains("fail", StringComparison.Ordinal);

    /// <summary>A folder <c>model</c> beside the bundle, else the bundle's own folder when it is called model.sig; published bundles without files have neither.</summary>
    private static string? ModelOf(FileInfo file)
    {
        var beside = Path.Combine(file.DirectoryName!, "model");
        return Directory.Exists(beside) ? beside : file.Name == ModelSignature.FileName ? file.DirectoryName : null;
    }

    private static (EcdsaKey[] Keys, X509Certificate2Collection Roots) Trusted(DirectoryInfo top)
    {
        var (keys, roots) = (new List<EcdsaKey>(), new X509Certificate2Collection());
        foreach (var pem in top.EnumerateFiles("*.pem", SearchOption.AllDirectories).OrderBy(file => file.FullName, StringComparer.Ordinal))
        {
            var text = File.ReadAllText(pem.FullName);
            if (text.Contains("BEGIN PUBLIC KEY", StringComparison.Ordinal))
                keys.Add(EcdsaKey.FromPem(text));
            else if (X509Certificate2.CreateFromPem(text) is var certificate && certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData) && pem.Name.StartsWith("ca-", StringComparison.Ordinal))
                roots.Add(certificate);
        }

        return ([.. keys], roots);
    }

    /// <summary>The key that the bundle's hint names, as the verifier of that vector would be given it.</summary>
    private static SignatureTrust TrustFor(FileInfo file, EcdsaKey[] keys, X509Certificate2Collection roots)
    {
        var text = File.ReadAllText(file.FullName);
        if (text.Contains("x509CertificateChain", StringComparison.Ordinal))
            return SignatureTrust.Roots(roots, TimeProvider.System);
        return SignatureTrust.Key(keys.FirstOrDefault(key => text.Contains(Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(key.ToPem()))), StringComparison.Ordinal)) ?? keys[0]);
    }

    /// <summary>The same bundle with a bit of its payload or signature flipped, and its model with a byte more in each file.</summary>
    private static IEnumerable<(string Name, bool Refused)> Tampered(FileInfo file, string? model, SignatureTrust trust)
    {
        foreach (var member in new[] { "payload", "sig" })
            yield return ($"flipped {member}", !ModelSignature.VerifyStatement(Flip(file, member), trust).IsTrusted);
        if (model is null)
            yield break;
        var copy = Directory.CreateTempSubdirectory("bulwark-conformance-");
        try
        {
            foreach (var one in Directory.EnumerateFiles(model, "*", SearchOption.AllDirectories))
            {
                var target = Path.Combine(copy.FullName, Path.GetRelativePath(model, one));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.WriteAllBytes(target, File.ReadAllBytes(one));
            }

            var outside = copy.FullName + ".sig";
            file.CopyTo(outside, overwrite: true);
            File.Delete(Path.Combine(copy.FullName, file.Name));
            var good = ModelSignature.VerifyAsync(copy.FullName, outside, trust).GetAwaiter().GetResult();
            yield return ("copied", good.IsTrusted);
            File.WriteAllText(Path.Combine(copy.FullName, "added"), "x");
            yield return ("added file", !ModelSignature.VerifyAsync(copy.FullName, outside, trust).GetAwaiter().GetResult().IsTrusted);
            File.Delete(outside);
        }
        finally
        {
            copy.Delete(recursive: true);
        }
    }

    private static byte[] Flip(FileInfo file, string member)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(file.FullName));
        var envelope = document.RootElement.GetProperty("dsseEnvelope");
        var value = member == "payload" ? envelope.Text("payload") : envelope.List("signatures").First().Text("sig");
        var bytes = Convert.FromBase64String(value);
        bytes[^2] ^= 4;
        var (was, becomes) = (JsonSerializer.Serialize(value), JsonSerializer.Serialize(Convert.ToBase64String(bytes)));
        var text = File.ReadAllText(file.FullName).Replace("\\/", "/", StringComparison.Ordinal);
        var changed = text.Replace(value, Convert.ToBase64String(bytes), StringComparison.Ordinal);
        return changed != text ? Encoding.UTF8.GetBytes(changed) : Encoding.UTF8.GetBytes(text.Replace(was, becomes, StringComparison.Ordinal));
    }
}
