namespace Bulwark.Attestation;

/// <summary>Collects the legs of one appraisal, in order. A leg whose ground failed is not checked, which refuses too.</summary>
internal sealed class Legs
{
    private const string NotReached = "a leg that it stands on failed";

    internal List<EvidenceLeg> Done { get; } = [];

    /// <summary>Adds a leg that the evidence itself decides.</summary>
    /// <returns>True when it was reached and holds.</returns>
    internal bool Check(string name, bool holds, string otherwise, bool reached = true, string code = "", string notReached = NotReached) =>
        Add(name, holds, otherwise, reached, code, LegKind.Evidence, notReached);

    /// <summary>Adds a leg that the policy decides.</summary>
    internal bool Require(string name, bool holds, string otherwise, bool reached = true, string code = "") =>
        Add(name, holds, otherwise, reached, code, LegKind.Policy, NotReached);

    /// <summary>Adds a leg that the policy does not ask for, and says why.</summary>
    internal void Waive(string name, string why, LegKind kind = LegKind.Policy) => Done.Add(new(name, LegOutcome.NotApplicable, why) { Kind = kind });

    /// <summary>Adds the legs of <paramref name="names"/> that were not reached, so that an appraisal always lists the same ones.</summary>
    internal List<EvidenceLeg> Complete(IReadOnlyList<string> names)
    {
        foreach (var name in names.Except(Done.Select(leg => leg.Name), StringComparer.Ordinal).ToList())
            Check(name, false, "", reached: false);
        return [.. names.Select(name => Done.Single(leg => leg.Name == name))];
    }

    private bool Add(string name, bool holds, string otherwise, bool reached, string code, LegKind kind, string notReached)
    {
        Done.Add(!reached ? new(name, LegOutcome.NotChecked, notReached) { Kind = kind }
            : holds ? new(name, LegOutcome.Passed, "") { Kind = kind } : new(name, LegOutcome.Failed, otherwise) { Kind = kind, Code = code });
        return reached && holds;
    }
}
