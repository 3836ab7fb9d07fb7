using Bulwark.Attestation;

namespace Bulwark.Tests.Attestation;

public sealed class MeasurementTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-measurement");

    public void Dispose() => TemporaryFolder.Remove(_folder.FullName);

    [Fact]
    public void Order_and_folder_do_not_matter_but_name_and_content_do()
    {
        var a = Write("a.dll", "1");
        var b = Write("b.dll", "2");
        var measured = Measurement.OfFiles([a, b]);
        Assert.Equal(measured, Measurement.OfFiles([b, a]));
        Assert.NotEqual(measured, Measurement.OfFiles([a]));
        Assert.NotEqual(measured, Measurement.OfFiles([a, Write("c.dll", "2")]));
        Write("b.dll", "3");
        Assert.NotEqual(measured, Measurement.OfFiles([a, b]));
    }

    [Fact]
    public void Nothing_and_two_files_of_one_name_are_refused()
    {
        var a = Write("a.dll", "1");
        Assert.Throws<ArgumentException>(() => Measurement.OfFiles([]));
        Assert.Throws<ArgumentException>(() => Measurement.OfFiles([a, a]));
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }
}
