using System.Text;
using Bulwark.Server;

namespace Bulwark.Tests.Server;

public class InferenceRequestTests
{
    private static readonly ModelSignature Model = ModelSignature.OfRows("fraud", "1", width: 2, classes: 1, maximumRows: 4);
    private const string Sound = """{"id":"a","parameters":{"p":1},"inputs":[{"name":"features","shape":[2,2],"datatype":"FP32","data":[1,2,3,4],"parameters":{}}],"outputs":[{"name":"score"}]}""";

    [Fact]
    public void A_sound_request_is_read_whole()
    {
        var request = Read(Sound, out _)!;
        Assert.Equal(("a", 2), (request.Id, request.RowCount));
        Assert.Equal([1f, 2, 3, 4], request.Inputs[0].ToFloats());
    }

    [Theory]
    [InlineData("""{"inputs":[{"data":[[1,2],[3,4]],"datatype":"FP64","shape":[2,2],"name":"features"}]}""")]
    [InlineData("""{"inputs":[{"name":"features","shape":[2,2],"datatype":"FP32","data":[1,2,3.0e0,4]}],"parameters":{"binary_data_output":false}}""")]
    public void Order_nesting_and_either_float_type_do_not_matter(string body) => Assert.Equal([1f, 2, 3, 4], Read(body, out _)!.Inputs[0].ToFloats());

    [Fact]
    public void Null_is_a_missing_value() => Assert.True(float.IsNaN(Read(Sound.Replace("[1,2,3,4]", "[null,2,3,4]", StringComparison.Ordinal), out _)!.Inputs[0].ToFloats()[0]));

    [Theory]
    [InlineData("", "malformed")]
    [InlineData("[]", "malformed")]
    [InlineData("{}", "malformed")]
    [InlineData("null", "malformed")]
    [InlineData("""{"inputs":[]}""", "wrong-shape")]
    [InlineData("""{"inputs":{}}""", "wrong-shape")]
    [InlineData("""{"inputs":[{}]}""", "malformed")]
    [InlineData("""{"inputs":[{"name":"features","shape":[2,2],"datatype":"FP32"}]}""", "malformed")]
    [InlineData("""{"inputs":[],"inputs":[]}""", "wrong-shape")]
    public void A_request_that_lacks_something_is_refused(string body, string reason) => Refused(body, reason);

    [Theory]
    [InlineData("\"id\":\"a\"", "\"id\":\"a\",\"id\":\"b\"", "malformed")]
    [InlineData("\"id\":\"a\"", "\"id\":7", "malformed")]
    [InlineData("\"id\":\"a\"", "\"id\":\"\\ud800\"", "malformed")]
    [InlineData("\"id\":\"a\"", "\"\\ud800\":\"a\"", "malformed")]
    [InlineData("\"name\":\"features\"", "\"name\":\"\\udc00\"", "unknown-tensor")]
    [InlineData("\"id\":\"a\"", "\"extra\":7", "malformed")]
    [InlineData("\"name\":\"features\"", "\"name\":\"other\"", "unknown-tensor")]
    [InlineData("\"name\":\"features\"", "\"name\":7", "unknown-tensor")]
    [InlineData("\"name\":\"features\"", "\"name\":\"features\",\"name\":\"features\"", "malformed")]
    [InlineData("\"name\":\"score\"", "\"name\":\"weights\"", "unknown-tensor")]
    [InlineData("FP32", "INT64", "wrong-type")]
    [InlineData("FP32", "fp32", "wrong-type")]
    [InlineData("[2,2]", "[2]", "wrong-shape")]
    [InlineData("[2,2]", "[2,2,1]", "wrong-shape")]
    [InlineData("[2,2]", "[2,3]", "wrong-shape")]
    [InlineData("[2,2]", "[0,2]", "wrong-shape")]
    [InlineData("[2,2]", "[-2,2]", "wrong-shape")]
    [InlineData("[2,2]", "[2.5,2]", "wrong-shape")]
    [InlineData("[2,2]", "[1,2]", "wrong-shape")]
    [InlineData("[2,2]", "[3,2]", "wrong-shape")]
    [InlineData("[2,2]", "[5,2]", "too-many-rows")]
    [InlineData("[2,2]", "[9223372036854775807,2]", "too-many-rows")]
    [InlineData("[2,2]", "[92233720368547758070,2]", "wrong-shape")]
    [InlineData("[1,2,3,4]", "[1,2,[3,4]]", "wrong-shape")]
    [InlineData("[1,2,3,4]", "[[1,2],3,4]", "wrong-shape")]
    [InlineData("[1,2,3,4]", "[[1,2,3],[4]]", "wrong-shape")]
    [InlineData("[1,2,3,4]", "[[[1]],2]", "wrong-type")]
    [InlineData("[1,2,3,4]", "[1,2,3,\"4\"]", "wrong-type")]
    [InlineData("[1,2,3,4]", "[1,2,3,{}]", "wrong-type")]
    [InlineData("[1,2,3,4]", "[1,2,3,4,5,6,7,8,9]", "wrong-shape")]
    [InlineData("[1,2,3,4]", "[1,2,3,NaN]", "not-finite")]
    [InlineData("[1,2,3,4]", "[1,2,3,-Infinity]", "not-finite")]
    [InlineData("[1,2,3,4]", "[1,2,3,4,]", "malformed")]
    [InlineData("[1,2,3,4]", "[1,2,3,04]", "malformed")]
    [InlineData("[1,2,3,4]", "7", "wrong-shape")]
    [InlineData("\"parameters\":{\"p\":1}", "\"parameters\":{\"p\":{}}", "malformed")]
    [InlineData("\"parameters\":{\"p\":1}", "\"parameters\":[]", "malformed")]
    [InlineData("\"parameters\":{}", "\"parameters\":{\"binary_data_size\":16}", "malformed")]
    [InlineData("\"parameters\":{}", "\"parameters\":{\"shared_memory_region\":\"r\"}", "unsupported")]
    [InlineData("\"parameters\":{}", "\"parameters\":{\"classification\":2}", "unsupported")]
    public void One_thing_bent_is_refused_by_its_own_name(string from, string to, string reason)
    {
        var bent = Sound.Replace(from, to, StringComparison.Ordinal);
        Assert.NotEqual(Sound, bent);
        Refused(bent, reason);
    }

    [Theory]
    [InlineData(" 7")]
    [InlineData("{}")]
    [InlineData("\0")]
    public void Bytes_after_the_document_are_refused(string trailing) => Refused(Sound + trailing, "malformed");

    [Fact]
    public void Deep_nesting_is_refused_and_does_not_overflow_the_stack() =>
        Refused(Sound.Replace("[1,2,3,4]", new string('[', 100_000), StringComparison.Ordinal), "wrong-type");

    [Fact]
    public void Any_cut_and_any_changed_byte_gives_an_answer_and_never_throws()
    {
        var sound = Encoding.UTF8.GetBytes(Sound);
        for (var length = 0; length < sound.Length; length++)
            Assert.Null(InferenceRequest.Read(sound.AsSpan(0, length), Model, out _));
        var random = new Random(11);
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = sound.ToArray();
            for (var i = random.Next(1, 4); i > 0; i--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            var request = InferenceRequest.Read(bytes, Model, out var refusal);
            Assert.True(request is null ? refusal.Status is >= 400 and < 500 : request.Inputs[0].Count == request.RowCount * 2);
        }
    }

    private static InferenceRequest? Read(string body, out Refusal refusal) => InferenceRequest.Read(Encoding.UTF8.GetBytes(body), Model, out refusal);

    private static void Refused(string body, string reason)
    {
        Assert.Null(Read(body, out var refusal));
        Assert.Equal(reason, refusal.Reason);
    }
}
