using Bulwark.Lineage;

namespace Bulwark.Cli;

internal static partial class VerifyCommand
{
    private static Task<IReadOnlyList<EvidenceLink>?> PackageLinksAsync(ReadOnlyMemory<byte> head, string path, Trust trust, CancellationToken cancel) =>
        Task.FromResult<IReadOnlyList<EvidenceLink>?>(null);
}
