using Bulwark.Models;
using Bulwark.Tests.Models;
using Bulwark.Training;

namespace Bulwark.Tests.Training;

public class PrivateLayersTests
{
    [Fact]
    public void What_this_project_exports_may_be_trained_privately() =>
        Assert.Empty(PrivateLayers.Refusals(OnnxModel.Operators(OnnxModel.Export(ModelSamples.Schema, ModelSamples.Network(ModelSamples.Schema, 1, 8)))));

    [Theory]
    [InlineData("BatchNormalization", "join the rows")]
    [InlineData("com.acme.Magic", "not known")]
    public void What_joins_rows_or_is_unknown_is_refused_with_its_reason(string name, string reason) =>
        Assert.Contains(reason, Assert.Single(PrivateLayers.Refusals(["Gemm", name, name])), StringComparison.Ordinal);
}
