using System.Text;
using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Lineage;
using Bulwark.Models;

namespace Bulwark.Cli;

/// <summary>What rooms report, as the statements of the log. No value of a row and no name of a person gets in.</summary>
internal static class Claims
{
    private const string PseudonymKey = "pseudonyms";

    /// <summary>Who is at the keyboard, as a name that only the holder of the workspace's keys can resolve. The gateway names its clients the same way.</summary>
    internal static string PseudonymOf(KeyRing keys, string name)
    {
        keys.GetOrCreateSymmetric(PseudonymKey);
        using var key = keys.Derive(PseudonymKey, "bulwark.dev/pseudonym/v1");
        return Pseudonym.Of(key.Span, Encoding.UTF8.GetBytes(name));
    }

    /// <summary>A data set was protected into a file.</summary>
    internal static Statement Protected(string fileName, ProtectionReport report) => Statement.Of(
        [new Subject(NameOf(report.Dataset), report.Commitment), new Subject(fileName, report.File)],
        new DataProtected
        {
            Dataset = report.Dataset,
            Commitment = report.Commitment,
            Rows = report.Rows,
            Columns = [.. report.Columns.Select(column => new ColumnFact(column.Name, Word(column.Action), column.Key?.ToString()))],
            Policy = report.Policy,
            File = report.File,
            Bytes = report.Bytes,
            RowGroups = report.RowGroups,
        });

    /// <summary>What was protected is not the sources themselves: the columns that could be read of them, or a query's answer.</summary>
    internal static Statement ReadOf(string name, ProtectionReport report, IReadOnlyCollection<DataOrigin> origins, string step) => Statement.Of(
        name, report.Commitment,
        new DatasetCommitted
        {
            Step = step,
            Rows = report.Rows,
            Columns = [.. report.Columns.Select(column => column.Name)],
            Sources = [.. origins.Select(origin => origin.Root)],
            Settings = DataOrigin.Settings(origins),
        });

    /// <summary>Columns were opened into a file: whoever reads the file whole commits to this root.</summary>
    internal static Statement Revealed(string fileName, Digest root, RevealedSource revealed) => Statement.Of(
        fileName, root,
        new DatasetCommitted
        {
            Step = "reveal",
            Rows = revealed.Rows,
            Columns = [.. revealed.Columns.Select(column => column.Name)],
            Sources = revealed.Commitment is { } origin ? [origin] : [],
            Settings = new Dictionary<string, string> { [DatasetCommitted.ReadSetting] = revealed.Dataset },
        });

    /// <summary>Somebody asked for protected columns.</summary>
    internal static Statement Accessed(RevealedSource revealed, string purpose, KeyRing keys) => Statement.Of(
        NameOf(revealed.Dataset), revealed.Commitment ?? Digest.Of(Encoding.UTF8.GetBytes(revealed.Dataset)),
        new DataAccessed
        {
            Purpose = purpose,
            By = PseudonymOf(keys, Environment.UserName),
            Time = DateTimeOffset.UtcNow,
            Columns = [.. revealed.Accesses.Select(access => new ColumnAsked(access.Column, Word(access.Action), access.Key?.ToString(), access.Opened, access.Reason))],
        });

    /// <summary>A model was sealed into a package.</summary>
    /// <param name="fileName">The package's.</param>
    /// <param name="info">What sealing made.</param>
    /// <param name="plainRoot">Root of the OpenSSF signature over the plain files, where there is one.</param>
    internal static Statement Sealed(string fileName, SealedModelInfo info, Digest? plainRoot = null) => Statement.Of(
        fileName, info.PackageDigest,
        new ModelSealed
        {
            Name = info.Manifest.Name,
            Version = info.Manifest.Version,
            Signer = info.Signer,
            PackageBytes = info.PackageBytes,
            Files = [.. info.Manifest.Files.Select(file => new SealedFileFact(file.Name, file.Bytes, file.Digest))],
            Dataset = info.Manifest.DataCommitment,
            Epsilon = info.Manifest.Epsilon,
            Delta = info.Manifest.Delta,
            Accuracy = info.Manifest.Accuracy,
            RobustAccuracy = info.Manifest.RobustAccuracy,
            PlainRoot = plainRoot,
        });

    private static string NameOf(string dataset) => dataset[..dataset.LastIndexOf('/')];

    private static string Word<T>(T value) where T : struct, Enum => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}
