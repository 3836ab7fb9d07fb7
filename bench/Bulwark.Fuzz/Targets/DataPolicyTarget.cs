using System.Text;
using Bulwark.Data;

namespace Bulwark.Fuzz.Targets;

/// <summary>A data policy, YAML or JSON; what is read must read back as the same policy.</summary>
internal sealed class DataPolicyTarget : IFuzzTarget
{
    public string Name => "data-policy";

    public IEnumerable<byte[]> Seeds()
    {
        yield return """
            format: data-policy/v1
            dataset: payments
            subject: customer_id
            rowKey: id
            tags: { medical: ["diag*"], pan: [card] }
            columns:
              card: { action: tokenise, key: cards@1, copies: [{ as: ends, action: truncate, keepFirst: 6, keepLast: 4 }] }
              id: { action: keep }
            rules:
              - { tag: medical, action: encryptValue, perSubject: true }
              - { content: emailAddress, confidence: 0.9, action: encryptJoinable, joinAs: email }
              - { column: "*_date", action: shiftDate, days: 30 }
              - { column: city, action: beacon, bits: 9 }
            otherwise: keep
            """u8.ToArray();
        yield return """{"format":"data-policy/v1","dataset":"d","otherwise":"drop","columns":{"a":{"action":"encrypt","key":"vault:https://h/transit/k"},"b":{"action":"tokenise","alphabet":"0123456789"}}}"""u8.ToArray();
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        var policy = ProtectionPolicy.Parse(Encoding.UTF8.GetString(input));
        if (ProtectionPolicy.Parse(policy.ToJson()).Digest() != policy.Digest())
            throw new InvalidOperationException("A policy does not read back as itself.");
    }

    public bool IsRefusal(Exception failure) => failure is FormatException;
}
