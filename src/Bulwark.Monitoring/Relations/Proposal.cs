namespace Bulwark.Monitoring;

/// <summary>What kind of relation is proposed.</summary>
internal enum ProposalKind
{
    /// <summary>Left ≤ right.</summary>
    Order,
    /// <summary>One column is another's multiple, shifted.</summary>
    Line,
    /// <summary>One column is the sum of two.</summary>
    Sum,
    /// <summary>Exactly one of several flags is 1.</summary>
    OneHot,
    /// <summary>Where the left is 0 the right is 0.</summary>
    Zero,
    /// <summary>Some pairs of categories never meet.</summary>
    Categories,
}

/// <summary>A relation that a sample keeps.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Rule">The rule.</param>
/// <param name="Columns">The columns that it reads; of an order and a zero, left and right.</param>
internal sealed record Proposal(ProposalKind Kind, string Rule, int[] Columns);
