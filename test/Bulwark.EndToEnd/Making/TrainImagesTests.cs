using System.Buffers.Binary;
using System.IO.Compression;
using Bulwark.Models;
using Bulwark.Networks;

namespace Bulwark.EndToEnd.Making;

public sealed class TrainImagesTests : IAsyncLifetime
{
    private const int Side = 8;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-train-images");

    public async ValueTask InitializeAsync()
    {
        Write("train", 300, seed: 1);
        Write("test", 60, seed: 2);
        Assert.Equal(0, (await CommandLine.RunAsync("init", "-w", PathOf("workspace"))).Code);
    }

    public ValueTask DisposeAsync()
    {
        Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Images_become_a_model_that_is_right_under_attack_and_read_back_as_its_network()
    {
        var trained = await TrainAsync("model", "--robust", "--attack-eps", "0.05", "--steps", "2", "--clean-weight", "0", "--epochs", "6", "--convolutions", "4k3s1p1,6k4s2p1", "--hidden", "10", "--batch-size", "32", "--attacked", "20");
        Assert.True(trained.Code == 0, trained.Said);
        Assert.InRange(trained.Json.GetProperty("accuracy").GetProperty("rate").GetDouble(), 0.9, 1);
        Assert.InRange(trained.Json.GetProperty("robust").GetProperty("rate").GetDouble(), 0.5, 1);
        Assert.Equal("1x8x8-c4k3s1p1-c6k4s2p1-10-3", trained.Json.GetProperty("shape").GetString());
        await LoggedRun.AssertAsync(PathOf("workspace"), PathOf("model"), trained);
        var folder = ModelFolder.Load(PathOf("model"));
        Assert.True(folder.Files.ContainsKey("report.json"));
        Assert.Equal(new ImageShape(1, Side, Side), OnnxModel.Import(folder.Onnx.Span).Network.Shape.Convolutions!.Image);
    }

    [Theory]
    [InlineData("'x4' is no layer", "--convolutions", "x4")]
    [InlineData("leaves nothing", "--convolutions", "4k9")]
    [InlineData("Pixels have no prices", "--robust", "--attack-prices", "prices.json")]
    public async Task What_no_network_can_be_made_of_is_refused(string reason, params string[] options)
    {
        await File.WriteAllTextAsync(PathOf("prices.json"), """{ "format": "bulwark-constraints/v1" }""", TestContext.Current.CancellationToken);
        var refused = await TrainAsync("refused", [.. options.Select(option => option.EndsWith(".json", StringComparison.Ordinal) ? PathOf(option) : option)]);
        Assert.Equal(2, refused.Code);
        Assert.Contains(reason, refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(PathOf("refused")));
    }

    [Fact]
    public async Task A_file_that_is_no_image_file_is_refused()
    {
        File.Copy(PathOf("train-labels"), PathOf("train-images"), overwrite: true);
        var refused = await TrainAsync("refused");
        Assert.Equal(2, refused.Code);
        Assert.Contains("no IDX file", refused.Error, StringComparison.Ordinal);
    }

    private Task<CommandLine.Answered> TrainAsync(string output, params string[] options) => CommandLine.RunAsync([
        "train", "images", PathOf("train-images"), PathOf("train-labels"), "--test-images", PathOf("test-images"), "--test-labels", PathOf("test-labels"),
        "-o", PathOf(output), "--json", "-w", PathOf("workspace"), .. options]);

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>Three classes: a bright bar at the top, in the middle or at the bottom, gzipped as such files come.</summary>
    private void Write(string name, int count, int seed)
    {
        var random = new Random(seed);
        var (images, labels) = (new byte[16 + (count * Side * Side)], new byte[8 + count]);
        Head(images, 0x803, count, Side, Side);
        Head(labels, 0x801, count);
        for (var i = 0; i < count; i++)
        {
            var label = labels[8 + i] = (byte)random.Next(3);
            for (var pixel = 0; pixel < Side * Side; pixel++)
                images[16 + (i * Side * Side) + pixel] = (byte)((pixel / Side / 3 == label ? 180 : 0) + random.Next(60));
        }

        Zip(PathOf($"{name}-images"), images);
        Zip(PathOf($"{name}-labels"), labels);
    }

    private static void Head(byte[] file, params int[] numbers)
    {
        for (var i = 0; i < numbers.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(4 * i), numbers[i]);
    }

    private static void Zip(string path, byte[] bytes)
    {
        using var zip = new GZipStream(File.Create(path), CompressionLevel.Fastest);
        zip.Write(bytes);
    }
}
