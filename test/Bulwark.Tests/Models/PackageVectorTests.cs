using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Models;

namespace Bulwark.Tests.Models;

public class PackageVectorTests
{
    [Theory, InlineData(1), InlineData(2)]
    public async Task A_package_of_each_version_is_verified_and_opened_by_every_later_one(int version)
    {
        var folder = Path.Combine(RepositoryRoot.Path, "test", "Bulwark.Tests", "Models", "Vectors");
        using var vector = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(folder, $"model-v{version}.json"), TestContext.Current.CancellationToken));
        var expected = vector.RootElement;
        using var dataKey = SecretBytes.CopyOf(Convert.FromHexString(expected.GetProperty("dataKey").GetString()!));
        await using var package = File.OpenRead(Path.Combine(folder, $"model-v{version}.bulwark"));
        using var model = await SealedModel.OpenAsync(package, dataKey, [VerificationKey.Parse(expected.GetProperty("signer").GetString()!)], TestContext.Current.CancellationToken);
        Assert.Equal(expected.GetProperty("packageDigest").GetString(), model.PackageDigest.ToString());
        Assert.All(expected.GetProperty("files").EnumerateObject(), file => Assert.Equal(file.Value.GetString(), Digest.Of(model.File(file.Name).Span).ToString()));
        using var scorer = model.OpenScorer();
        var score = new float[1];
        scorer.Score(new float[scorer.Width], 1, score);
        Assert.InRange(score[0], 0, 1);
    }
}
