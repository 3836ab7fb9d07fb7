using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Lineage;

namespace Bulwark.Cli;

/// <summary>What a table was read of, as a statement names it.</summary>
/// <param name="Root">Of a protected file the root of the data set before protection, of another the root of its own rows, with all columns.</param>
/// <param name="Through">The version that was read, where it was a protected one; null where the rows stood in plain.</param>
internal sealed record DataOrigin(Digest Root, string? Through)
{
    /// <summary>The root of a plain file's rows under a workspace's key: what whoever reads that file whole commits to.</summary>
    /// <exception cref="TableFormatException">The file holds no table.</exception>
    internal static Digest RootOf(string path, TableReadOptions reading, CommitmentKey key, CancellationToken cancel)
    {
        using var source = TableSource.Open(path, reading with { Columns = null }, cancel);
        var builder = new CommitmentBuilder();
        foreach (var batch in source.Batches(cancel))
            builder.Add(batch);
        return builder.Root(source.Columns.Select(column => column.Name), key);
    }

    /// <summary>Settings of a statement whose sources these are.</summary>
    internal static Dictionary<string, string> Settings(IReadOnlyCollection<DataOrigin> origins, params (string Name, string Value)[] others)
    {
        var settings = others.ToDictionary(pair => pair.Name, pair => pair.Value);
        if (origins.Count > 0)
            settings[DatasetCommitted.ReadSetting] = string.Join(", ", origins.Select(origin => origin.Through ?? DatasetCommitted.ReadPlain).Distinct());
        return settings;
    }
}
