using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Robust;

/// <summary>Fashion-MNIST and the small network that the notes' peers trained on it.</summary>
internal static class FashionImages
{
    internal const int Classes = 10;
    internal const double Epsilon = 0.1;
    private const int ValidationRows = 1000;

    internal static ConvolutionStack Stack { get; } = new(new(1, 28, 28), [new(16, 4, 2, 1), new(32, 4, 2, 1)]);

    internal static NetworkShape Shape { get; } = NetworkShape.OfImages(Stack, [100], Classes);

    internal static string Folder =>
        Path.Combine(Environment.GetEnvironmentVariable("BULWARK_SHARED") ?? Path.Combine(RepositoryFolder.Path, "..", "shared"), "data", "fashion-mnist");

    internal static bool Exist => Directory.Exists(Folder);

    /// <summary>The training images without the last thousand, those thousand for choosing the epoch, and the test images.</summary>
    internal static (EncodedDataset Train, EncodedDataset Validation, EncodedDataset Test) Read()
    {
        var all = IdxImages.Read(Path.Combine(Folder, "train-images-idx3-ubyte.gz"), Path.Combine(Folder, "train-labels-idx1-ubyte.gz")).Rows;
        var test = IdxImages.Read(Path.Combine(Folder, "t10k-images-idx3-ubyte.gz"), Path.Combine(Folder, "t10k-labels-idx1-ubyte.gz")).Rows;
        return (Rows(all, 0, all.Rows - ValidationRows), Rows(all, all.Rows - ValidationRows, all.Rows), test);
    }

    internal static EncodedDataset Rows(EncodedDataset all, int from, int to) =>
        new(all.Features[(from * all.Width)..(to * all.Width)], all.Width, all.Labels[from..to]);
}
