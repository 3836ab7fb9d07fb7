using System.Globalization;
using System.Text;

namespace Bulwark.EndToEnd.Making;

/// <summary>A small table of loans that can be learned from: income and debt decide, the region says nothing, some incomes are missing.</summary>
internal static class LoanRows
{
    internal const string Schema = """
        {"label":"bad","features":[
          {"name":"income","kind":"numeric","minimum":0,"maximum":100},
          {"name":"debt","kind":"numeric","minimum":0,"maximum":50,"mutable":true},
          {"name":"region","kind":"categorical","categories":["north","south","west"]}]}
        """;

    internal const string SchemaWithoutBounds = """
        {"label":"bad","features":[
          {"name":"income","kind":"numeric"},
          {"name":"debt","kind":"numeric","mutable":true},
          {"name":"region","kind":"categorical","categories":["north","south","west"]}]}
        """;

    /// <summary>CSV with the columns income, debt, region and bad.</summary>
    internal static string Csv(int rows = 600, bool withMissing = false)
    {
        var random = new Random(7);
        var text = new StringBuilder("income,debt,region,bad\n");
        for (var row = 0; row < rows; row++)
        {
            var (income, debt) = (random.NextDouble() * 100, random.NextDouble() * 50);
            var bad = 2 * debt - income + random.NextDouble() * 20 > 20 ? 1 : 0;
            var shown = withMissing && row % 11 == 3 ? "" : income.ToString("f2", CultureInfo.InvariantCulture);
            var region = withMissing && row % 13 == 5 ? "?" : (string[])["north", "south", "west"] is var regions ? regions[random.Next(3)] : "";
            text.Append(CultureInfo.InvariantCulture, $"{shown},{debt:f2},{region},{bad}\n");
        }

        return text.ToString();
    }
}
