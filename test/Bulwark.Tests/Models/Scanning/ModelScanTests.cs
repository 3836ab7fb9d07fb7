using System.IO.Compression;
using System.Text;
using Bulwark.Models;
using Bulwark.Models.Onnx;
using Bulwark.Models.Scanning;
using Google.Protobuf;

namespace Bulwark.Tests.Models.Scanning;

public sealed class ModelScanTests : IDisposable
{
    // pickle.dumps of an object whose __reduce__ is (os.system, ("echo hi",)), protocols 0, 2 and 4, by CPython 3.11.
    private const string Protocol0 = "63706f7369780a73797374656d0a70300a285663686f0a70310a7470320a5270330a2e";
    private const string Protocol2 = "800263706f7369780a73797374656d0a710058070000006563686f20686971018571025271032e";
    private const string Protocol4 = "80049522000000000000008c05706f736978948c0673797374656d9493948c076563686f20686994859452942e";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-scan-");

    public void Dispose() => TemporaryFolder.Remove(_folder.FullName);

    [Theory]
    [InlineData(Protocol0, "posix.system('cho')")]
    [InlineData(Protocol2, "posix.system('echo hi')")]
    [InlineData(Protocol4, "posix.system('echo hi')")]
    public void A_pickle_is_refused_with_what_it_would_have_run(string hex, string call)
    {
        var trace = PickleTrace.Read(new MemoryStream(Convert.FromHexString(hex)));
        Assert.True(trace.IsWhole);
        Assert.Equal(["import posix.system", call], trace.Calls);
        foreach (var name in (string[])["model.pkl", "weights.bin", "model.onnx"])
        {
            if (hex == Protocol0 && name == "model.onnx")
                continue;   // it has no mark of its own: refused as a damaged ONNX file
            var finding = Only(Write(name, Convert.FromHexString(hex)));
            Assert.Equal("pickle", finding.Rule);
            Assert.Contains(call, finding.Detail);
            Assert.True(finding.Refuses);
        }
    }

    [Fact]
    public void A_pickle_inside_an_archive_is_found_as_PyTorch_writes_it()
    {
        using var zip = new MemoryStream();
        using (var archive = new ZipArchive(zip, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var entry = archive.CreateEntry("net/data.pkl").Open();
            entry.Write(Convert.FromHexString(Protocol2));
        }

        var finding = Only(Write("net.pt", zip.ToArray()));
        Assert.Equal(("pickle", "net.pt!net/data.pkl"), (finding.Rule, finding.Where));
    }

    [Theory]
    [InlineData("model.bin")]
    [InlineData("notes.txt")]
    public void A_pickle_that_was_cut_short_runs_all_the_same_and_is_refused(string name) =>
        Assert.Equal("pickle", Only(Write(name, Convert.FromHexString(Protocol0)[..^1])).Rule);

    [Theory]
    [InlineData("<f4", false)]
    [InlineData("|u1", false)]
    [InlineData("|O", true)]
    [InlineData("O", true)]
    [InlineData("<U8", true)]
    public void An_array_of_anything_but_numbers_is_refused(string description, bool refused)
    {
        var header = $"{{'descr': '{description}', 'fortran_order': False, 'shape': (1,), }}";
        var path = Write("a.npy", [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. Encoding.ASCII.GetBytes(header), 0, 0, 0, 0, 0, 0, 0, 0]);
        Assert.Equal(refused, !ModelScan.Scan(path).IsClean);
    }

    [Fact]
    public void Any_bytes_are_traced_without_a_fault()
    {
        var random = new Random(7);
        for (var i = 0; i < 500; i++)
        {
            var bytes = Convert.FromHexString(i % 2 == 0 ? Protocol2 : Protocol4);
            for (var change = 0; change < 1 + (i % 4); change++)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            PickleTrace.Read(new MemoryStream(bytes));
        }

        var nested = PickleTrace.Read(new MemoryStream([.. Enumerable.Repeat((byte)'(', 10_000), .. Enumerable.Repeat((byte)'t', 10_000)]));
        Assert.False(nested.IsWhole);
    }

    [Theory]
    [InlineData("/etc/passwd", true)]
    [InlineData("../weights.bin", true)]
    [InlineData("a/../../weights.bin", true)]
    [InlineData("C:\\weights.bin", true)]
    [InlineData("", true)]
    [InlineData("weights.bin", false)]
    [InlineData("data/weights.bin", false)]
    public void Weights_that_lead_out_of_the_folder_are_refused(string location, bool refused)
    {
        var path = Write("model.onnx", WithOutsideWeights(location));
        var finding = Only(path);
        Assert.Equal(("external-data", refused), (finding.Rule, finding.Refuses));
        if (refused)
            Assert.Contains("leads out", Assert.Throws<InvalidDataException>(() => OnnxModel.WithWeightsInside(File.ReadAllBytes(path), _folder.FullName)).Message);
    }

    [Fact]
    public void Weights_beside_the_model_are_taken_in_but_not_through_a_link()
    {
        var onnx = OnnxModel.Export(ModelSamples.Schema, ModelSamples.Network(ModelSamples.Schema, 1, 8));
        var outside = WithOutsideWeights("weights.bin", out var values);
        Write("weights.bin", [0, 0, .. values]);
        Assert.Equal(onnx, OnnxModel.WithWeightsInside(outside, _folder.FullName));
        File.Move(Path.Combine(_folder.FullName, "weights.bin"), Path.Combine(_folder.FullName, "elsewhere.bin"));
        File.CreateSymbolicLink(Path.Combine(_folder.FullName, "weights.bin"), "elsewhere.bin");
        Assert.Contains("link", Assert.Throws<InvalidDataException>(() => OnnxModel.WithWeightsInside(outside, _folder.FullName)).Message);
        File.Delete(Path.Combine(_folder.FullName, "weights.bin"));
        Write("weights.bin", values[..^1]);
        Assert.Contains("which has", Assert.Throws<InvalidDataException>(() => OnnxModel.WithWeightsInside(outside, _folder.FullName)).Message);
    }

    [Theory]
    [InlineData("ai.onnx.contrib", "PyOp", "Python")]
    [InlineData("my.company", "Fast", "native library")]
    public void An_operator_that_no_runtime_brings_along_is_refused(string domain, string operation, string needs)
    {
        var model = OnnxFile.Parse(OnnxModel.Export(ModelSamples.Schema, ModelSamples.Network(ModelSamples.Schema, 1, 8)));
        model.Graph.Node[0].Domain = domain;
        model.Graph.Node[0].OpType = operation;
        var finding = Only(Write("model.onnx", model.ToByteArray()));
        Assert.Equal(("foreign-operator", true), (finding.Rule, finding.Refuses));
        Assert.Contains(needs, finding.Detail);
    }

    [Fact]
    public void A_function_that_takes_an_operators_place_is_refused()
    {
        var model = OnnxFile.Parse(OnnxModel.Export(ModelSamples.Schema, ModelSamples.Network(ModelSamples.Schema, 1, 8)));
        model.Functions.Add(new FunctionProto { Name = "Relu", Domain = "" });
        Assert.Equal("shadowed-operator", Only(Write("model.onnx", model.ToByteArray())).Rule);
    }

    [Theory]
    [InlineData("loader.py", "print()", "code")]
    [InlineData("config.json", """{"auto_map":{"AutoModel":"modeling.Evil"}}""", "auto-map")]
    [InlineData("model.safetensors", "not it", "damaged")]
    [InlineData("model.onnx", "not it", "damaged")]
    public void What_would_run_or_is_not_what_it_says_is_refused(string name, string text, string rule)
    {
        var finding = Only(Write(name, Encoding.UTF8.GetBytes(text)));
        Assert.Equal((rule, true), (finding.Rule, finding.Refuses));
    }

    [Fact]
    public void A_folder_of_plain_files_is_clean_and_a_link_in_it_is_not()
    {
        Write("model.onnx", OnnxModel.Export(ModelSamples.Schema, ModelSamples.Network(ModelSamples.Schema, 1, 8)));
        Write("manifest.json", "{}"u8.ToArray());
        var report = ModelScan.Scan(_folder.FullName);
        Assert.True(report.IsClean);
        Assert.Equal([ModelFileKind.Text, ModelFileKind.Onnx], report.Files.Select(file => file.Kind));
        File.CreateSymbolicLink(Path.Combine(_folder.FullName, "more"), "/etc");
        Assert.Contains(ModelScan.Scan(_folder.FullName).Findings, finding => finding is { Rule: "link", Refuses: true });
    }

    /// <summary>Weights beyond 2 GiB, as files with holes: they cost no disk, and what a scan passes over it must not hold in memory.</summary>
    [Fact]
    public void Files_beyond_2_GiB_are_scanned_by_what_they_hold_and_a_call_behind_3_GiB_of_text_is_found()
    {
        const long Long = 3L << 30;
        Write("model.onnx", WithOutsideWeights("model.onnx.data"));
        Sparse("model.onnx.data", Long, []);
        Sparse("model.safetensors", Long, SafetensorsHead(Long));
        var before = GC.GetTotalAllocatedBytes();
        var clean = ModelScan.Scan(_folder.FullName);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 64 << 20);
        Assert.True(clean.IsClean, string.Join("; ", clean.Findings.Select(finding => finding.Detail)));
        Assert.Equal([ModelFileKind.Onnx, ModelFileKind.ExternalData, ModelFileKind.Safetensors], clean.Files.Select(file => file.Kind));

        File.Delete(Path.Combine(_folder.FullName, "model.safetensors"));
        Sparse("model.onnx.data", Long, [(byte)'\u008e', .. BitConverter.GetBytes(Long - 100)], [.. "0cos\nsystem\n(S'id'\ntR."u8]);   // bytes of almost 3 GiB, popped, then a call
        var finding = Assert.Single(ModelScan.Scan(_folder.FullName).Findings, finding => finding.Refuses);
        Assert.Equal(("pickle", "model.onnx.data"), (finding.Rule, finding.Where));
        Assert.Contains("os.system('id')", finding.Detail, StringComparison.Ordinal);

        File.Delete(Path.Combine(_folder.FullName, "model.onnx.data"));
        Sparse("model.onnx", Long, []);
        Assert.Contains("at most 2 GiB", Only(_folder.FullName).Detail, StringComparison.Ordinal);
    }

    private static byte[] SafetensorsHead(long length)
    {
        for (var bytes = length - 8 - 200; ; bytes++)
        {
            var head = Encoding.UTF8.GetBytes($$$"""{"w":{"dtype":"U8","shape":[{{{bytes}}}],"data_offsets":[0,{{{bytes}}}]}}""");
            if (8 + head.Length + bytes == length)
                return [.. BitConverter.GetBytes((long)head.Length), .. head];
        }
    }

    /// <summary>A file with a hole in its middle.</summary>
    private void Sparse(string name, long length, byte[] head, byte[]? tail = null)
    {
        using var file = File.Create(Path.Combine(_folder.FullName, name));
        file.Write(head);
        file.SetLength(length);
        file.Position = tail is null ? length : head.Length + length - 100;
        file.Write(tail ?? []);
    }

    private static ModelFinding Only(string path) => Assert.Single(ModelScan.Scan(path).Findings);

    private string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static byte[] WithOutsideWeights(string location) => WithOutsideWeights(location, out _);

    /// <summary>A model whose first tensor stands from byte 2 on in another file.</summary>
    private static byte[] WithOutsideWeights(string location, out byte[] values)
    {
        var model = OnnxFile.Parse(OnnxModel.Export(ModelSamples.Schema, ModelSamples.Network(ModelSamples.Schema, 1, 8)));
        var tensor = model.Graph.Initializer[0];
        values = tensor.RawData.ToByteArray();
        tensor.RawData = ByteString.Empty;
        tensor.DataLocation = 1;
        foreach (var (key, value) in ((string, string)[])[("location", location), ("offset", "2"), ("length", $"{values.Length}")])
            tensor.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
        return model.ToByteArray();
    }
}
