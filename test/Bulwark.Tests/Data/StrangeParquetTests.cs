using Bulwark.Data;

namespace Bulwark.Tests.Data;

/// <summary>Parquet that no writer makes: the fuzzer's corpus, kept with what it once found.</summary>
public class StrangeParquetTests
{
    [Fact]
    public async Task Every_file_of_the_corpus_is_read_or_refused_as_a_table()
    {
        var files = Directory.GetFiles(Path.Combine(RepositoryRoot.Path, "bench", "Bulwark.Fuzz", "corpus", "parquet-table"));
        Assert.NotEmpty(files);
        var refused = 0;
        foreach (var file in files)
        {
            try
            {
                await TableFile.ReadAsync(file, cancel: TestContext.Current.CancellationToken);
            }
            catch (Exception refusal) when (refusal is FormatException or InvalidOperationException)   // the latter: it is protected, and there are no keys
            {
                refused++;
            }
        }

        Assert.True(refused > 0);
    }
}
