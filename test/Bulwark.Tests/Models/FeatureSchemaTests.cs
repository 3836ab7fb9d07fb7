using Bulwark.Models;

namespace Bulwark.Tests.Models;

public class FeatureSchemaTests
{
    private static readonly FeatureSchema Sound = new()
    {
        Label = "fraud",
        Features =
        [
            new Feature { Name = "amount", Minimum = 0, Maximum = 10_000, Scaling = Scaling.Log, Mutable = true },
            new Feature { Name = "weekend", Kind = FeatureKind.Binary, Missing = MissingPolicy.Indicator },
            new Feature { Name = "country", Kind = FeatureKind.Categorical, Categories = ["DE", "FR"], Inferred = true },
        ],
    };

    [Fact]
    public void A_schema_survives_its_JSON()
    {
        var json = Sound.ToJson();
        var back = FeatureSchema.Parse(json);
        Assert.Equal(json, back.ToJson());
        Assert.Equal(["DE", "FR"], back.Features[2].Categories);
        Assert.Equal(["country"], back.InferredFeatures());
    }

    [Theory]
    [InlineData("""{"label":"y","features":[{"name":"a","minimum":0,"maximum":1,"bounds":3}]}""", "bounds")]
    [InlineData("""{"label":"y","label":"z","features":[{"name":"a","minimum":0,"maximum":1}]}""", "label")]
    [InlineData("""{"label":"y"}""", "features")]
    [InlineData("""{"label":"y","features":null}""", "features")]
    [InlineData("""{"label":"y","features":[null]}""", "null")]
    [InlineData("""{"label":"y","features":[{"name":null,"minimum":0,"maximum":1}]}""", "name")]
    [InlineData("""{"label":"y","features":[{"name":"a","kind":"numbers","minimum":0,"maximum":1}]}""", "kind")]
    [InlineData("""{"label":"y","features":[{"name":"a","kind":"categorical","categories":["x",null]}]}""", "characters")]
    [InlineData("""{"label":"y","features":[]}""", "features")]
    [InlineData("""{"label":"y","features":[{"name":"a","minimum":1e999,"maximum":1}]}""", "minimum")]
    [InlineData("{\"label\":\"\ud800\",\"features\":[]}", "not valid")]
    [InlineData("{\"label\":\"\\ud800\",\"features\":[]}", "not valid")]
    [InlineData("null", "null")]
    [InlineData("{", "not valid")]
    public void Anything_but_the_declared_members_is_refused(string json, string named)
    {
        var refusal = Assert.Throws<InvalidDataException>(() => FeatureSchema.Parse(json));
        Assert.Contains(named, refusal.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Damaged_text_is_refused_and_never_crashes()
    {
        const string Strange = "\"{}[],:0129-.eEtrufalsn\\ \ud800\0é";
        var sound = Sound.ToJson();
        var random = new Random(4);
        for (var trial = 0; trial < 5000; trial++)
        {
            var damaged = sound.ToCharArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
                damaged[random.Next(damaged.Length)] = Strange[random.Next(Strange.Length)];
            try
            {
                Assert.Empty(FeatureSchema.Parse(new string(damaged)).Faults());
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    [Fact]
    public void Every_fault_is_named_at_once()
    {
        var faulty = Sound with
        {
            PositiveLabel = "0",
            Features =
            [
                new Feature { Name = "unbounded" },
                new Feature { Name = "inverted", Minimum = 2, Maximum = 1 },
                new Feature { Name = "same in single precision", Minimum = 1e9, Maximum = 1e9 + 1 },
                new Feature { Name = "infinite", Minimum = 0, Maximum = double.PositiveInfinity },
                new Feature { Name = "unscaled", Minimum = 0, Maximum = 5, Scaling = Scaling.None },
                new Feature { Name = "empty", Kind = FeatureKind.Categorical },
                new Feature { Name = "twice", Kind = FeatureKind.Categorical, Categories = ["a", "a"] },
                new Feature { Name = "bounded category", Kind = FeatureKind.Categorical, Categories = ["a"], Minimum = 0 },
                new Feature { Name = "binary", Kind = FeatureKind.Binary, Minimum = 0, Maximum = 1 },
                new Feature { Name = "number with categories", Minimum = 0, Maximum = 1, Categories = ["a"] },
                new Feature { Name = "fraud", Minimum = 0, Maximum = 1 },
            ],
        };
        var faults = string.Join("\n", faulty.Faults());
        Assert.All(faulty.Features, feature => Assert.Contains($"'{feature.Name}'", faults));
        Assert.Contains("both '0'", faults);
        Assert.Empty(Sound.Faults());
    }
}
