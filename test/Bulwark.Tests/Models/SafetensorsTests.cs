using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Bulwark.Models;

namespace Bulwark.Tests.Models;

public class SafetensorsTests
{
    private const string Sound = """{"__metadata__":{"format":"pt"},"net.0.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"net.0.bias":{"dtype":"F32","shape":[2],"data_offsets":[24,32]},"net.2.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[32,40]},"net.2.bias":{"dtype":"F32","shape":[1],"data_offsets":[40,44]}}""";

    [Fact]
    public void A_chain_of_dense_layers_is_read_as_PyTorch_names_it()
    {
        float[] numbers = [1, 2, 3, 4, 5, 6, 0.5f, -40, 2, 7, 0.25f];
        var network = Safetensors.ReadDense(File(Sound, MemoryMarshal.AsBytes(numbers.AsSpan())));
        var logits = new float[1];
        network.Forward([1, 1, 1], 1, logits);
        Assert.Equal((2 * (6 + 0.5f)) + 0.25f, logits[0]);   // the second unit is 15 - 40, rectified to 0
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4)]   // a name twice
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8)]      // a hole
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 8)]      // bytes behind the last tensor
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4)]      // a shape that needs more
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4)]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,4]}}""", 4)]
    [InlineData("""{"a":{"dtype":"PICKLE","shape":[1],"data_offsets":[0,4]}}""", 4)]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", 4)]
    [InlineData("""{"a":[]}""", 0)]
    [InlineData("""[]""", 0)]
    public void What_breaks_a_rule_of_the_format_is_refused(string header, int bytes) =>
        Assert.Throws<InvalidDataException>(() => Safetensors.ReadHeader(new MemoryStream(File(header, new byte[bytes]))));

    [Fact]
    public void A_header_longer_than_the_file_is_refused()
    {
        var file = File(Sound, new byte[44]);
        for (var cut = 0; cut < file.Length; cut++)
            Assert.Throws<InvalidDataException>(() => Safetensors.ReadHeader(new MemoryStream(file, 0, cut)));
    }

    [Theory]
    [InlineData("F16", "net.2")]
    [InlineData("F32", "net.x")]
    public void Other_tensors_than_dense_layers_are_said_to_be_so(string type, string name)
    {
        var header = Sound.Replace("net.2", name, StringComparison.Ordinal);
        if (type == "F16")
            header = header.Replace("\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]", "\"F16\",\"shape\":[2,6],\"data_offsets\":[0,24]", StringComparison.Ordinal);
        Assert.Throws<NotSupportedException>(() => Safetensors.ReadDense(File(header, new byte[44])));
    }

    private static byte[] File(string header, ReadOnlySpan<byte> numbers)
    {
        var prefix = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, Encoding.UTF8.GetByteCount(header));
        return [.. prefix, .. Encoding.UTF8.GetBytes(header), .. numbers];
    }
}
