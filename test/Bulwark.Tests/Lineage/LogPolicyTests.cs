using System.Text;
using System.Text.RegularExpressions;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Tests.Lineage;

public sealed class LogPolicyTests : IDisposable
{
    private const string Origin = "log.example/policy";
    private readonly Signer[] _signers = [.. Enumerable.Range(0, 4).Select(_ => Signer.Generate())];

    public void Dispose()
    {
        foreach (var signer in _signers)
            signer.Dispose();
    }

    [Fact]
    public void Two_levels_of_groups_are_judged()
    {
        var policy = Parse("""
            # comment
            log LOG https://log.example/
              witness	a  W1  https://a.example/
            witness b W2
            witness c W3

            group inner any b c
            group outer all a inner
            quorum outer
            """);
        Assert.Equal(LogVerdict.Verified, policy.Judge(Cosigned(1, 3)).Verdict);
        Assert.Equal(["a", "c"], policy.Judge(Cosigned(1, 3)).Cosigned);
        Assert.Equal(LogVerdict.Verified, policy.Judge(Cosigned(1, 2, 3)).Verdict);
        foreach (int[] few in (int[][])[[], [1], [2, 3]])
            Assert.Equal(LogVerdict.QuorumMissing, policy.Judge(Cosigned(few)).Verdict);
        Assert.Contains("a did not", policy.Judge(Cosigned(2, 3)).Detail);
        Assert.Equal("https://a.example/", policy.Witnesses[0].Url);
        Assert.Equal(policy.ToBytes(), LogPolicy.Parse(policy.ToBytes()).ToBytes());
    }

    [Fact]
    public void A_policy_without_witnesses_asks_for_the_logs_signature_only()
    {
        Assert.Equal(LogVerdict.Verified, Parse("log LOG\nquorum none\n").Judge(Cosigned()).Verdict);
        using var other = Signer.Generate();
        var forged = new Checkpoint(Origin, 3, Digest.Of([1])).Signed(other);
        Assert.Equal(LogVerdict.WrongSignature, Parse("log LOG\nquorum none\n").Judge(forged).Verdict);
        Assert.Equal(LogVerdict.WrongSignature, Parse("log LOG\nquorum none\n").Judge(new Checkpoint(Origin, 3, Digest.Of([1]))).Verdict);
    }

    [Fact]
    public void A_cosignature_over_another_tree_does_not_count()
    {
        var policy = Parse("log LOG\nwitness a W1\nquorum a\n");
        var other = new Checkpoint(Origin, 4, Digest.Of([2])).Signed(_signers[0]).Note!.Cosigned("w1", _signers[1], DateTimeOffset.UnixEpoch);
        var moved = SignedNote.Parse($"{Cosigned().Note!.Note}{other.Note.Split('\n')[^2]}\n");
        Assert.Equal(LogVerdict.QuorumMissing, policy.Judge(Checkpoint.Parse(Encoding.UTF8.GetBytes(moved.Note))).Verdict);
    }

    [Theory]
    [InlineData("quorum none\n\u0001", "control octet 0x01")]
    [InlineData("quorum none\r\n", "control octet 0x0d")]
    [InlineData("quibble w1\nquorum none\n", "Line 1: 'quibble'")]
    [InlineData("witness a W1 https://a.example/ # no\nquorum a\n", "Line 1: a witness is")]
    [InlineData("log\nquorum none\n", "Line 1: a log is")]
    [InlineData("log garbage\nquorum none\n", "'garbage' is no log's vkey")]
    [InlineData("log LOG\nlog LOG https://x/\nquorum none\n", "Line 2: the key of log")]
    [InlineData("log W1\nquorum none\n", "is no log's vkey")]
    [InlineData("witness a\nquorum none\n", "a witness is")]
    [InlineData("witness a LOG\nquorum a\n", "is no witness's vkey")]
    [InlineData("witness none W1\nquorum none\n", "reserved")]
    [InlineData("witness a W1\nwitness a W2\nquorum a\n", "the name a is defined already")]
    [InlineData("witness a W1\nwitness b W1\nquorum a\n", "the key of witness b")]
    [InlineData("witness a W1\ngroup a any a\nquorum a\n", "the name a is defined already")]
    [InlineData("witness a W1\ngroup g 1\nquorum a\n", "a group is")]
    [InlineData("witness a W1\ngroup none any a\nquorum none\n", "reserved")]
    [InlineData("witness a W1\ngroup g 0 a\nquorum g\n", "asks for '0' of 1")]
    [InlineData("witness a W1\ngroup g -1 a\nquorum g\n", "asks for '-1' of 1")]
    [InlineData("witness a W1\ngroup g 2 a\nquorum g\n", "asks for '2' of 1")]
    [InlineData("witness a W1\ngroup g any b\nquorum g\n", "the member b, which no earlier line defines")]
    [InlineData("group g any a\nwitness a W1\nquorum g\n", "the member a, which no earlier line defines")]
    [InlineData("witness a W1\ngroup g any none a\nquorum g\n", "the member none")]
    [InlineData("witness a W1\ngroup g all a a\nquorum g\n", "counts once")]
    [InlineData("witness a W1\nwitness b W2\ngroup g any a b\ngroup h any a\nquorum g\n", "group h has the member a")]
    [InlineData("witness a W1\n", "exactly one is needed")]
    [InlineData("witness a W1\nquorum a\nquorum a\n", "2 quorum lines")]
    [InlineData("quorum x\n", "the quorum x is defined by no earlier line")]
    [InlineData("quorum a\nwitness a W1\n", "the quorum a is defined by no earlier line")]
    [InlineData("quorum\n", "the quorum is")]
    public void A_faulty_policy_is_refused_with_its_line_and_fault(string text, string fault)
    {
        Assert.Contains(fault, Assert.Throws<FormatException>(() => Parse(text)).Message);
    }

    [Fact]
    public void Every_fault_is_named_at_once()
    {
        Assert.Equal(4, LogPolicy.Faults(Fill("log x\nwitness none y\nquorum z\n")).Count);
        Assert.Empty(LogPolicy.Faults(Fill("log LOG\nquorum none\n")));
    }

    [Fact]
    public void Names_are_octets_and_keywords_may_be_names()
    {
        var policy = Parse("witness all W1\nwitness any W2\ngroup group 2 all any\nquorum group\n");
        Assert.Equal("group", policy.Quorum);
        byte[] odd = [.. "witness w"u8, 0x80, (byte)' ', .. Fill("W1"), .. "\nquorum w"u8, 0x80];
        Assert.Equal("w\u0080", LogPolicy.Parse(odd).Quorum);
    }

    private LogPolicy Parse(string text) => LogPolicy.Parse(Fill(text));

    /// <summary>In one pass: a key's own base64 may hold W1.</summary>
    private byte[] Fill(string text) => Encoding.UTF8.GetBytes(Regex.Replace(text, "LOG|W[1-3]", found => found.Value == "LOG"
        ? new NoteKey(Origin, _signers[0].PublicKey).ToString()
        : new NoteKey(found.Value.ToLowerInvariant(), _signers[found.Value[1] - '0'].PublicKey, NoteKeyKind.Cosignature).ToString()));

    private Checkpoint Cosigned(params int[] by)
    {
        var note = new Checkpoint(Origin, 3, Digest.Of([1])).Signed(_signers[0]).Note!;
        foreach (var i in by)
            note = note.Cosigned($"w{i}", _signers[i], DateTimeOffset.UnixEpoch);
        return Checkpoint.Parse(Encoding.UTF8.GetBytes(note.Note));
    }
}
