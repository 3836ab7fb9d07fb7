using Bulwark.Assurance;
using Bulwark.Cryptography;

namespace Bulwark.Cli.Making;

/// <summary>What the simulator wrote.</summary>
internal sealed record SimulationFinding(string File, int Rows, int Frauds, int Days, long Bytes);

/// <summary>What the scan saw.</summary>
internal sealed record ScanFinding(int Rows, int Examined, IReadOnlyList<ScanColumn> Columns);

/// <summary>One column that the scan would protect.</summary>
internal sealed record ScanColumn(string Column, string Kind, double Confidence, string Advice, string Why);

/// <summary>What protecting the table did and cost.</summary>
internal sealed record ProtectionFinding(
    string File, string Dataset, Digest Commitment, IReadOnlyList<string> Encrypted, IReadOnlyList<string> Tokenised,
    long PlainBytes, long ProtectedBytes, double ReadPlainSeconds, double ReadProtectedSeconds, string TamperRefused, long LogIndex);

/// <summary>What feature engineering wrote.</summary>
internal sealed record FeatureFinding(string Train, string Test, int TrainRows, int TestRows, int TrainFrauds, int TestFrauds, int Columns);

/// <summary>The training data as the log knows them.</summary>
internal sealed record CommitmentFinding(Digest Commitment, long LogIndex);

/// <summary>One trained variant.</summary>
internal sealed record VariantFinding(string Name, string Folder, TrainingReport Report);

/// <summary>How a variant stands up to evasion, and what the input screen alone would have caught.</summary>
internal sealed record EvasionFinding(string Variant, EvasionReport Report, ScreenFinding Screen, long LogIndex);

/// <summary>What the input screen refuses: of rows that an attacker moved without knowing of it, and of clean rows.</summary>
internal sealed record ScreenFinding(double Strength, int Attacked, int Caught, int Clean, int FalseAlarms, double SecondsPerRow);

/// <summary>What the strongest of several membership attacks learns about who was in the training data.</summary>
internal sealed record MembershipFinding(string Variant, double Auc, double TruePositiveRateAt1Percent, double RealizedFalsePositiveRate, double Lower, double Upper, int Members, int Others)
{
    /// <summary>The strongest: the one that certainly finds most at 1 % false positives.</summary>
    public string Attack { get; init; } = "";

    /// <summary>Attacks tried.</summary>
    public int Attacks { get; init; }
}

/// <summary>The sealed package, and what sealing costs against reading and hashing the plain files.</summary>
internal sealed record SealFinding(
    string Package, string Name, string Version, Digest PackageDigest, string Signer, long PlainBytes, long PackageBytes,
    double ReadAndHashSeconds, double VerifyAndOpenSeconds, bool Verified, string TamperRefused, int BitsFlipped, long LogIndex);
