using System.Text;
using Bulwark.Interchange;

namespace Bulwark.Fuzz.Targets;

/// <summary>age's identity files and recipients: one spelling for each key.</summary>
internal sealed class AgeKeysTarget : IFuzzTarget
{
    public string Name => "age-keys";

    public IEnumerable<byte[]> Seeds() =>
    [
        "# made\nAGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0\n"u8.ToArray(),
        "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef"u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        var text = Encoding.UTF8.GetString(input);
        if (text.StartsWith("age1", StringComparison.Ordinal))
        {
            if (AgeRecipient.Format(AgeRecipient.Parse(text)) != text)
                throw new InvalidOperationException("A recipient has two spellings.");
            return;
        }

        foreach (var pair in AgeIdentity.ParseFile(text))
        {
            using (pair)
            {
                if (!text.Contains(AgeIdentity.Format(pair), StringComparison.Ordinal))
                    throw new InvalidOperationException("An identity has two spellings.");
            }
        }
    }

    public bool IsRefusal(Exception failure) => failure is FormatException;
}
