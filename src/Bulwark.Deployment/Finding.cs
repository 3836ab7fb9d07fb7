namespace Bulwark.Deployment;

/// <summary>One rule that one place of a manifest breaks.</summary>
/// <param name="Rule">The rule's id: a control of the Pod Security Standards by its published name, or one of HardeningRules.</param>
/// <param name="Level">The level that the rule belongs to.</param>
/// <param name="Object">Kind, namespace and name of the object, and the file it came from.</param>
/// <param name="Path">Where in the object, as a JSON path from its root.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Fix">What to write instead.</param>
public sealed record Finding(string Rule, SecurityLevel Level, string Object, string Path, string Message, string Fix);

/// <summary>How strict a check is. The Pod Security Standards define the first three; each includes the ones before it.</summary>
public enum SecurityLevel
{
    /// <summary>Nothing is asked of pods. Manifests must still be readable.</summary>
    Privileged = 0,

    /// <summary>Known privilege escalations are refused.</summary>
    Baseline,

    /// <summary>Current hardening practice.</summary>
    Restricted,

    /// <summary>What Bulwark's own manifests keep, on top of <see cref="Restricted"/>: see HardeningRules.</summary>
    Hardened,
}
