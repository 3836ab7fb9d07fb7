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
