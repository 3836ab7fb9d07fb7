using Bulwark.Models;
using Bulwark.Training.Loop;

namespace Bulwark.Assurance.Audit;

/// <summary>What an audit runs: production's parts. Tests plant defects by overriding them; nothing else can.</summary>
internal class AuditedParts
{
    internal virtual PrivateParts Create() => new(Environment.ProcessorCount);

    internal virtual float[] Encode(FeatureEncoder encoder, float[] raw) => encoder.Encode(raw);
}
