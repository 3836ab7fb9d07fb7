using Bulwark.Models;

namespace Bulwark.Tests.Models;

public sealed class ModelFolderTests : IDisposable
{
    private static readonly ModelManifest Manifest = new() { Name = "m", Version = "1", Created = DateTimeOffset.UnixEpoch };
    private readonly TemporaryFolder _folder = new();

    private string Target => Path.Combine(_folder.Path, "model");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_comes_back_as_it_was_saved_and_leaves_nothing_else()
    {
        Model("one").Save(Target);
        Model("two").Save(Target);
        var back = ModelFolder.Load(Target);
        Assert.Equal("two", back.Text("note.txt"));
        Assert.Equal("m", back.Manifest.Name);
        Assert.Equal(ModelSamples.Schema.ToJson(), back.Schema()!.ToJson());
        Assert.Equal(["model"], Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_folder_that_holds_something_else_is_left_alone()
    {
        Directory.CreateDirectory(Target);
        File.WriteAllText(Path.Combine(Target, "thesis.txt"), "years of work");
        Assert.Throws<IOException>(() => Model("x").Save(Target));
        Assert.True(File.Exists(Path.Combine(Target, "thesis.txt")));
    }

    [Fact]
    public void A_folder_with_a_manifest_of_another_kind_is_left_alone()
    {
        Directory.CreateDirectory(Target);
        File.WriteAllText(Path.Combine(Target, "manifest.json"), """{"name":"a web page","start_url":"/"}""");
        Assert.Throws<IOException>(() => Model("x").Save(Target));
        Assert.Contains("a web page", File.ReadAllText(Path.Combine(Target, "manifest.json")));
    }

    [Fact]
    public void A_model_folder_that_somebody_put_a_folder_into_is_left_alone()
    {
        Model("x").Save(Target);
        Directory.CreateDirectory(Path.Combine(Target, "notebooks"));
        Assert.Throws<IOException>(() => Model("y").Save(Target));
        Assert.True(Directory.Exists(Path.Combine(Target, "notebooks")));
    }

    [Fact]
    public void A_folder_without_manifest_or_model_is_refused()
    {
        Directory.CreateDirectory(Target);
        Assert.Contains("manifest.json", Assert.Throws<InvalidDataException>(() => ModelFolder.Load(Target)).Message);
        File.WriteAllText(Path.Combine(Target, "manifest.json"), Manifest.ToJson());
        Assert.Contains("model.onnx", Assert.Throws<InvalidDataException>(() => ModelFolder.Load(Target)).Message);
        Assert.Throws<DirectoryNotFoundException>(() => ModelFolder.Load(Target + "x"));
    }

    [Fact]
    public void A_link_out_of_the_folder_is_refused()
    {
        Model("x").Save(Target);
        var outside = Path.Combine(_folder.Path, "secret");
        File.WriteAllText(outside, "secret");
        File.CreateSymbolicLink(Path.Combine(Target, "link.txt"), outside);
        Assert.Contains("link.txt", Assert.Throws<InvalidDataException>(() => ModelFolder.Load(Target)).Message);
    }

    [Theory]
    [InlineData("../model.onnx")]
    [InlineData(".hidden")]
    [InlineData("a/b")]
    [InlineData("manifest.json")]
    public void A_file_name_that_could_leave_the_folder_is_refused(string name) =>
        Assert.Throws<ArgumentException>(() => new ModelFolder(Manifest, new Dictionary<string, ReadOnlyMemory<byte>> { [ModelFolder.OnnxName] = new byte[1], [name] = new byte[1] }));

    [Theory]
    [InlineData("""{"name":"m","version":"1","created":"2026-01-01T00:00:00+00:00","color":"red"}""")]
    [InlineData("""{"name":"m","version":"1"}""")]
    [InlineData("""{"name":"../m","version":"1","created":"2026-01-01T00:00:00+00:00"}""")]
    [InlineData("""{"name":"m","version":"1","created":"2026-01-01T00:00:00+00:00","epsilon":-1,"delta":0}""")]
    [InlineData("""{"name":"m","version":"1","created":"2026-01-01T00:00:00+00:00","dataCommitment":"sha256:12"}""")]
    [InlineData("""{"name":"m","version":"1","created":"2026-01-01T00:00:00+00:00","files":[null]}""")]
    [InlineData("null")]
    [InlineData("")]
    public void A_manifest_with_anything_but_its_members_is_refused(string json) =>
        Assert.Throws<InvalidDataException>(() => ModelManifest.Parse(json));

    private static ModelFolder Model(string note) => new(Manifest, new Dictionary<string, ReadOnlyMemory<byte>>
    {
        [ModelFolder.OnnxName] = OnnxModel.Export(ModelSamples.Schema, ModelSamples.Network(ModelSamples.Schema, 1)),
        ["note.txt"] = System.Text.Encoding.UTF8.GetBytes(note),
    });
}
