using System.Text.Json;
using Bulwark.Assurance;
using Bulwark.Privacy;
using Bulwark.Privacy.Accounting;

namespace Bulwark.Tests.Assurance;

public class OneRunAuditTests
{
    [Fact]
    public void Every_row_of_the_vectors_is_met()
    {
        var rows = JsonDocument.Parse(File.ReadAllText(SharedFiles.Require("vectors", "robustness", "one_run_audit.json"))).RootElement.GetProperty("rows").EnumerateArray().ToList();
        Assert.NotEmpty(rows);
        foreach (var row in rows)
        {
            var (m, r, v, delta, p) = (Int("m"), Int("r"), Int("v"), row.GetProperty("delta").GetDouble(), row.GetProperty("p").GetDouble());
            foreach (var at in row.GetProperty("p_value_at").EnumerateArray())
                Assert.Equal(at.GetProperty("p").GetDouble(), OneRunAudit.PValue(m, r, v, at.GetProperty("eps").GetDouble(), delta), (a, b) => Math.Abs(a - b) <= 1e-9 * Math.Max(a, 1e-12));
            Assert.Equal(row.GetProperty("eps_lower").GetDouble(), OneRunAudit.LowerBound(m, r, v, delta, p).EpsilonLower, 1e-6);

            int Int(string name) => row.GetProperty(name).GetInt32();
        }
    }

    [Fact]
    public void A_guess_proves_nothing_and_certainty_proves_much()
    {
        var random = new Random(1);
        bool[] coins = [.. Enumerable.Range(0, 1000).Select(_ => random.Next(2) == 1)];
        double[] blind = [.. coins.Select(_ => random.NextDouble())];
        double[] sighted = [.. coins.Select(coin => coin ? 1 + random.NextDouble() : random.NextDouble())];
        Assert.Equal(0, OneRunAudit.Best(blind, coins, 1e-5).EpsilonLower);
        Assert.True(OneRunAudit.Best(sighted, coins, 1e-5).EpsilonLower > 3);
    }

    [Fact]
    public void Randomized_response_is_not_accused()
    {
        // Each coin is told with probability e/(1+e): exactly 1-private; at most one audit in twenty may say more.
        var random = new Random(2);
        var accused = Enumerable.Range(0, 200).Count(_ =>
        {
            bool[] coins = [.. Enumerable.Range(0, 500).Select(_ => random.Next(2) == 1)];
            double[] told = [.. coins.Select(coin => (random.NextDouble() < Math.E / (1 + Math.E)) == coin ? 1 + random.NextDouble() : random.NextDouble())];
            return OneRunAudit.Best(told, coins, 0).EpsilonLower > 1;
        });
        Assert.InRange(accused, 0, 18);
    }

    [Fact]
    public void One_gaussian_mechanism_is_audited_nearly_to_its_epsilon_and_not_above()
    {
        const double Noise = 0.8;   // every coordinate of one release is a canary: epsilon 5.8 at 1e-5
        var claimed = GaussianMechanism.Epsilon(Noise, 1e-5);
        var random = new Random(3);
        var bounds = Enumerable.Range(0, 3).Select(_ =>
        {
            var (scores, coins) = (new double[10_000], new bool[10_000]);
            for (var i = 0; i < scores.Length; i++)
            {
                coins[i] = random.Next(2) == 1;
                scores[i] = (coins[i] ? 1 : 0) + (Noise * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
            }

            return (Plain: OneRunAudit.Best(scores, coins, 1e-5).EpsilonLower, Gaussian: OneRunGaussianAudit.Best(scores, coins, 1e-5).EpsilonLower, Independent: OneRunGaussianAudit.OfIndependent(scores, coins, 1e-5).EpsilonLower);
        }).ToList();
        Assert.All(bounds, bound => Assert.True(bound.Plain < bound.Gaussian && bound.Gaussian < bound.Independent && bound.Independent <= claimed, $"{bound} of {claimed}"));
        Assert.All(bounds, bound => Assert.True(bound.Independent >= 0.9 * claimed, $"{bound} of {claimed}"));
    }

    [Fact]
    public void The_normal_curve_and_its_inverse_agree()
    {
        Assert.Equal(0.5, Normal.Below(0), 1e-16);
        Assert.Equal(0.97724986805182079, Normal.Below(2), 1e-15);
        Assert.Equal(2.8665157187919391e-07, Normal.Below(-5), 1e-20);
        foreach (var x in (double[])[-8, -3, -2.5, -1, 0, 0.3, 2.4999, 2.5001, 5])
            Assert.Equal(x, Normal.Quantile(Normal.Below(x)), 1e-9);
    }
}
