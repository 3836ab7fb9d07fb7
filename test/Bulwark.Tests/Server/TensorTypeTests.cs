using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Bulwark.Server;
using Google.Protobuf;
using Inference;

namespace Bulwark.Tests.Server;

/// <summary>Every data type of the protocol, as JSON, as raw bytes and as messages.</summary>
public class TensorTypeTests
{
    public static TheoryData<string> Types => [.. TensorTypes.All.Select(type => type.Word())];

    public static TheoryData<string> JsonTypes => [.. TensorTypes.All.Where(type => type.HasJson()).Select(type => type.Word())];

    [Theory]
    [MemberData(nameof(Types))]
    public void Raw_bytes_of_each_type_come_back_as_they_went(string word)
    {
        var (model, tensor) = Sample(word);
        var body = InferenceWriter.Request("a", [tensor], ["out"], isBinary: true, out var head);
        var read = InferenceRequest.Read(body, head, model, out var refusal);
        Assert.True(read is not null, refusal.Text);
        Assert.Equal(tensor.Bytes, read.Inputs[0].Bytes);
        Assert.True(read.AsksForBytes);
        var answer = InferenceWriter.Answer(model, "a", [(tensor with { Name = "out" }, true)], out var answerHead);
        Assert.Equal(tensor.Bytes, InferenceRequest.ReadAnswer(answer, answerHead, model, model.Outputs, out _)![0].Bytes);
    }

    [Theory]
    [MemberData(nameof(JsonTypes))]
    public void Json_of_each_type_comes_back_as_it_went(string word)
    {
        var (model, tensor) = Sample(word);
        var body = InferenceWriter.Request("a", [tensor], ["out"], isBinary: false, out var head);
        Assert.Equal(-1, head);
        Assert.Equal(tensor.Bytes, InferenceRequest.Read(body, model, out _)!.Inputs[0].Bytes);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Messages_of_each_type_come_back_as_they_went(string word)
    {
        var (model, tensor) = Sample(word);
        foreach (var raw in (bool[])[true, false])
        {
            var answer = ModelInferResponse.Parser.ParseFrom(InferenceMessages.Write(model, "a", [tensor with { Name = "out" }], raw));
            var request = new ModelInferRequest { ModelName = "m", Id = "a" };
            var input = new ModelInferRequest.Types.InferInputTensor { Name = "in", Datatype = word, Shape = { tensor.Shape }, Contents = answer.Outputs[0].Contents };
            request.Inputs.Add(input);
            request.RawInputContents.AddRange(answer.RawOutputContents);
            var read = InferenceMessages.Read(request, model, out var refusal);
            Assert.True(read is not null, refusal.Text);
            Assert.Equal(tensor.Bytes, read.Inputs[0].Bytes);
        }
    }

    [Theory]
    [InlineData("INT8", "[-129]")]
    [InlineData("INT8", "[128]")]
    [InlineData("UINT8", "[-1]")]
    [InlineData("UINT8", "[256]")]
    [InlineData("INT16", "[32768]")]
    [InlineData("UINT16", "[65536]")]
    [InlineData("INT32", "[2147483648]")]
    [InlineData("UINT32", "[4294967296]")]
    [InlineData("INT64", "[9223372036854775808]")]
    [InlineData("UINT64", "[18446744073709551616]")]
    [InlineData("UINT64", "[-1]")]
    [InlineData("INT32", "[1.5]")]
    [InlineData("INT32", "[null]")]
    [InlineData("INT32", "[true]")]
    [InlineData("BOOL", "[1]")]
    [InlineData("BOOL", "[\"true\"]")]
    [InlineData("BYTES", "[1]")]
    [InlineData("FP32", "[null]")]
    [InlineData("FP64", "[\"1\"]")]
    [InlineData("FP16", "[1]")]
    [InlineData("BF16", "[1]")]
    public void A_value_that_is_not_of_its_type_is_refused(string word, string data)
    {
        var model = Model(word, [1]);
        Assert.Null(InferenceRequest.Read(Encoding.UTF8.GetBytes($$"""{"inputs":[{"name":"in","shape":[1],"datatype":"{{word}}","data":{{data}}}]}"""), model, out var refusal));
        Assert.Equal("wrong-type", refusal.Reason);
    }

    [Theory]
    [InlineData("INT8", "[-128]")]
    [InlineData("INT8", "[127]")]
    [InlineData("UINT8", "[255]")]
    [InlineData("INT16", "[-32768]")]
    [InlineData("UINT16", "[65535]")]
    [InlineData("UINT32", "[4294967295]")]
    [InlineData("INT64", "[-9223372036854775808]")]
    [InlineData("UINT64", "[18446744073709551615]")]
    public void The_ends_of_each_range_are_taken(string word, string data) =>
        Assert.NotNull(InferenceRequest.Read(Encoding.UTF8.GetBytes($$"""{"inputs":[{"name":"in","shape":[1],"datatype":"{{word}}","data":{{data}}}]}"""), Model(word, [1]), out _));

    [Theory]
    [InlineData(1, 8, "wrong-shape")]     // fewer bytes than the tensor says
    [InlineData(4, 12, "wrong-shape")]    // more than its shape asks for
    [InlineData(8, 8, "malformed")]       // bytes that nobody claims
    [InlineData(0, 8, "wrong-shape")]
    public void Raw_bytes_that_are_too_few_or_too_many_are_refused(int given, int stated, string reason)
    {
        var head = Encoding.UTF8.GetBytes($$"""{"inputs":[{"name":"in","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":{{stated}} } }]}""");
        byte[] body = [.. head, .. new byte[given * 4]];
        Assert.Null(InferenceRequest.Read(body, head.Length, Model("FP32", [2]), out var refusal));
        Assert.Equal(reason, refusal.Reason);
    }

    [Theory]
    [InlineData(new byte[] { 5, 0, 0, 0, 65 })]                    // a string longer than the rest
    [InlineData(new byte[] { 255, 255, 255, 255, 65 })]
    [InlineData(new byte[] { 1, 0, 0 })]                           // half a length
    [InlineData(new byte[] { 1, 0, 0, 0, 65, 1, 0, 0, 0, 66 })]    // one string too many
    public void Strings_that_lie_about_their_length_are_refused(byte[] raw) => Assert.Null(Tensor.OfRaw("in", TensorType.Bytes, [1], raw));

    [Fact]
    public void A_boolean_is_0_or_1() => Assert.Null(Tensor.OfRaw("in", TensorType.Bool, [2], [1, 2]));

    [Fact]
    public void A_huge_shape_allocates_nothing()
    {
        var model = Model("INT64", [-1, -1]) with { MaximumRows = int.MaxValue };
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(InferenceRequest.Read("""{"inputs":[{"name":"in","shape":[2000000000,2000000000],"datatype":"INT64","data":[1]}]}"""u8, model, out var refusal));
        Assert.Equal("wrong-shape", refusal.Reason);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 100_000);
    }

    [Fact]
    public void Data_before_type_and_shape_are_read_when_both_are_known() => Assert.Equal(
        [1f, 2f], InferenceRequest.Read("""{"inputs":[{"data":[1,2],"shape":[2],"datatype":"FP32","name":"in"}]}"""u8, Model("FP32", [2]), out _)!.Inputs[0].ToFloats());

    [Fact]
    public void Nested_data_must_be_nested_as_the_shape_says()
    {
        var model = Model("INT32", [2, 1, 2]);
        Assert.NotNull(InferenceRequest.Read("""{"inputs":[{"name":"in","shape":[2,1,2],"datatype":"INT32","data":[[[1,2]],[[3,4]]]}]}"""u8, model, out _));
        Assert.Null(InferenceRequest.Read("""{"inputs":[{"name":"in","shape":[2,1,2],"datatype":"INT32","data":[[[1],[2]],[[3],[4]]]}]}"""u8, model, out var refusal));
        Assert.Equal("wrong-shape", refusal.Reason);
    }

    [Fact]
    public void An_input_given_twice_or_not_at_all_is_refused()
    {
        var one = """{"name":"in","shape":[1],"datatype":"INT32","data":[1]}""";
        Assert.Null(InferenceRequest.Read(Encoding.UTF8.GetBytes($$"""{"inputs":[{{one}},{{one}}]}"""), Model("INT32", [1]), out var twice));
        Assert.Equal("malformed", twice.Reason);
        Assert.Null(InferenceRequest.Read("""{"inputs":[]}"""u8, Model("INT32", [1]), out var none));
        Assert.Equal("wrong-shape", none.Reason);
    }

    [Fact]
    public void A_message_with_raw_and_typed_contents_or_the_wrong_list_is_refused()
    {
        var (model, tensor) = Sample("INT32");
        var request = new ModelInferRequest { ModelName = "m" };
        request.Inputs.Add(new ModelInferRequest.Types.InferInputTensor { Name = "in", Datatype = "INT32", Shape = { tensor.Shape }, Contents = new InferTensorContents { Int64Contents = { 1, 2 } } });
        Assert.Null(InferenceMessages.Read(request, model, out var wrongList));
        Assert.Equal("wrong-shape", wrongList.Reason);
        request.RawInputContents.Add(ByteString.CopyFrom(tensor.Bytes));
        Assert.Null(InferenceMessages.Read(request, model, out var both));
        Assert.Equal("malformed", both.Reason);
    }

    [Fact]
    public void The_statement_of_a_document_holds_every_path_and_is_json() =>
        Assert.True(JsonDocument.Parse(OpenApiDocument.Bytes).RootElement.GetProperty("paths").TryGetProperty("/v2/models/{model}/infer", out _));

    private static ModelSignature Model(string word, long[] shape) =>
        new("m", "1", [new("in", TensorTypes.Parse(word), shape)], [new("out", TensorTypes.Parse(word), shape)], 4, "test");

    private static (ModelSignature Model, Tensor Tensor) Sample(string word)
    {
        var type = TensorTypes.Parse(word);
        byte[] raw = type switch
        {
            TensorType.Bytes => [.. Text("a\u00e9"), .. Text("")],
            TensorType.Bool => [1, 0],
            TensorType.Fp32 => [.. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-0.25f)],
            TensorType.Fp64 => [.. BitConverter.GetBytes(1.5), .. BitConverter.GetBytes(1e-300)],
            _ => [.. Enumerable.Range(0, 2 * type.SizeInBytes()).Select(i => (byte)(i * 37 % 61))],
        };
        return (Model(word, [2]), Tensor.OfRaw("in", type, [2], raw)!);
    }

    private static byte[] Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var prefixed = new byte[4 + bytes.Length];
        BinaryPrimitives.WriteInt32LittleEndian(prefixed, bytes.Length);
        bytes.CopyTo(prefixed, 4);
        return prefixed;
    }
}
