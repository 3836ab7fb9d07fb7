using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Bulwark.Assurance;

/// <summary>Certificates against poisoned training rows: models that learnt from disjoint parts of the rows vote, and a row can spoil one vote only.</summary>
/// <remarks>
/// Source: Levine and Feizi, "Deep Partition Aggregation", ICLR 2021, theorem 1 (arXiv:2006.14768). It holds when a row's part follows from the row alone
/// (<see cref="PartOf"/>) and each model follows from its part's rows alone, not from their order: <see cref="Parts"/> puts them in an order of their own, and the
/// trainer's seed is fixed. A poisoned row is one that was added or taken away; a changed row counts twice.
/// </remarks>
public static class PartitionVote
{
    /// <summary>Which part a row belongs to, by a hash of its values and its label.</summary>
    /// <param name="row">The row's values.</param>
    /// <param name="label">Its label.</param>
    /// <param name="parts">Number of parts; above 0.</param>
    public static int PartOf(ReadOnlySpan<float> row, int label, int parts)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(parts, 1);
        return (int)(BinaryPrimitives.ReadUInt64LittleEndian(Digest(row, label)) % (ulong)parts);
    }

    /// <summary>The rows of each part, in the order of their hashes, so that a part is the same however the table was ordered.</summary>
    /// <param name="features">Shape (rows, width).</param>
    /// <param name="width">Numbers in a row.</param>
    /// <param name="labels">Shape (rows).</param>
    /// <param name="parts">Number of parts; above 0.</param>
    public static IReadOnlyList<int[]> Parts(ReadOnlySpan<float> features, int width, ReadOnlySpan<int> labels, int parts)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(parts, 1);
        if (features.Length != (long)labels.Length * width)
            throw new ArgumentException($"{features.Length} values are not {labels.Length} rows of {width}.", nameof(features));
        var members = new List<(byte[] Digest, int Row)>[parts];
        for (var part = 0; part < parts; part++)
            members[part] = [];
        for (var row = 0; row < labels.Length; row++)
        {
            var digest = Digest(features.Slice(row * width, width), labels[row]);
            members[(int)(BinaryPrimitives.ReadUInt64LittleEndian(digest) % (ulong)parts)].Add((digest, row));
        }

        return [.. members.Select(part => part.OrderBy(member => Convert.ToHexString(member.Digest), StringComparer.Ordinal).Select(member => member.Row).ToArray())];
    }

    /// <summary>The winner of a vote and how many poisoned rows cannot change it: ⌊(n₁ − n₂ − [the runner-up comes first in a tie]) / 2⌋.</summary>
    /// <param name="votes">Votes of each class, at least two.</param>
    /// <returns>The class with the most votes, the first of equals, and the number of rows.</returns>
    public static (int Class, int PoisonedRows) Certify(ReadOnlySpan<int> votes)
    {
        if (votes.Length < 2)
            throw new ArgumentException("A vote is between at least two classes.", nameof(votes));
        var winner = 0;
        for (var k = 1; k < votes.Length; k++)
            winner = votes[k] > votes[winner] ? k : winner;
        var rows = int.MaxValue;
        for (var k = 0; k < votes.Length; k++)
        {
            if (k != winner)
                rows = int.Min(rows, (votes[winner] - votes[k] - (k < winner ? 1 : 0)) / 2);
        }

        return (winner, rows);
    }

    private static byte[] Digest(ReadOnlySpan<float> row, int label)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(number, label);
        hash.AppendData(number);
        hash.AppendData(MemoryMarshal.AsBytes(row));
        return hash.GetHashAndReset();
    }
}
