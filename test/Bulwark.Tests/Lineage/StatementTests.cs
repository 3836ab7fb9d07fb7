using System.Text;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Tests.Lineage;

public sealed class StatementTests : IDisposable
{
    private readonly Signer _signer = Signer.Generate();
    private readonly Statement _statement = Statement.Create(
        "https://bulwark.dev/training-run/v1", [new Subject("model.onnx", Digest.Of("model"u8))], new { Epsilon = 1.0, Data = Digest.Of("data"u8) });

    public void Dispose() => _signer.Dispose();

    [Fact]
    public void A_statement_is_in_toto_v1_in_canonical_json() => Assert.Equal(
        """{"_type":"https://in-toto.io/Statement/v1","predicate":{"data":"sha256:3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7","epsilon":1},"predicateType":"https://bulwark.dev/training-run/v1","subject":[{"digest":{"sha256":"9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4"},"name":"model.onnx"}]}""",
        Encoding.UTF8.GetString(_statement.ToBytes()));

    [Fact]
    public void A_statement_comes_back_from_its_bytes()
    {
        var read = Statement.Parse(_statement.ToBytes());
        Assert.Equal(_statement.Subjects, read.Subjects);
        Assert.Equal(_statement.ToBytes(), read.ToBytes());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("not json")]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v0.1","subject":[{"name":"a","digest":{"sha256":"3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7"}}],"predicateType":"x","predicate":{}}""")]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x","predicate":{}}""")]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"short"}}],"predicateType":"x","predicate":{}}""")]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7"}}],"predicateType":"x","predicate":1}""")]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7"}}],"predicateType":"x","predicate":{},"extra":1}""")]
    public void What_is_no_statement_is_refused(string text) => Assert.Throws<FormatException>(() => Statement.Parse(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void An_envelope_is_trusted_only_by_who_trusts_its_key()
    {
        using var other = Signer.Generate();
        var envelope = Dsse.Sign(_statement, _signer);
        var result = Dsse.Verify(envelope, [other.PublicKey, _signer.PublicKey]);
        Assert.Equal(DsseVerdict.Trusted, result.Verdict);
        Assert.Equal(_signer.PublicKey, result.Signer);
        Assert.Equal(_statement.ToBytes(), result.Payload.ToArray());
        Assert.Equal(DsseVerdict.UnknownKey, Dsse.Verify(envelope, other.PublicKey).Verdict);
        Assert.Equal(DsseVerdict.UnknownKey, Dsse.Verify(envelope, []).Verdict);
    }

    [Fact]
    public void A_changed_byte_anywhere_in_an_envelope_is_refused()
    {
        var envelope = Dsse.Sign(_statement, _signer);
        for (var i = 0; i < envelope.Length; i++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                envelope[i] ^= (byte)(1 << bit);
                Assert.NotEqual(DsseVerdict.Trusted, Dsse.Verify(envelope, _signer.PublicKey).Verdict);
                envelope[i] ^= (byte)(1 << bit);
            }
        }
    }

    [Fact]
    public void A_payload_or_type_of_another_envelope_is_a_wrong_signature()
    {
        var one = Encoding.UTF8.GetString(Dsse.Sign("type/a", "payload"u8, _signer));
        Assert.Equal(DsseVerdict.WrongSignature, Verdict(one.Replace("type/a", "type/b", StringComparison.Ordinal)));
        Assert.Equal(DsseVerdict.WrongSignature, Verdict(one.Replace(Convert.ToBase64String("payload"u8), Convert.ToBase64String("paylord"u8), StringComparison.Ordinal)));
        Assert.Equal(DsseVerdict.Malformed, Verdict(one.Replace(",", ", ", StringComparison.Ordinal)));
        Assert.Equal(DsseVerdict.Malformed, Verdict(one + "\n"));
        Assert.Equal(DsseVerdict.Malformed, Verdict("{}"));
        Assert.Equal(DsseVerdict.Malformed, Verdict(""));

        DsseVerdict Verdict(string envelope) => Dsse.Verify(Encoding.UTF8.GetBytes(envelope), _signer.PublicKey).Verdict;
    }

    [Fact]
    public void The_encoding_that_is_signed_is_dsse_v1() =>   // DSSE protocol.md, "Test Vectors"
        Assert.Equal("DSSEv1 29 http://example.com/HelloWorld 11 hello world",
            Encoding.UTF8.GetString(Dsse.PreAuthenticationEncoding("http://example.com/HelloWorld", "hello world"u8)));
}
