using Bulwark.Monitoring;

namespace Bulwark.Tests.Monitoring;

public class RelationLearnerTests
{
    private static readonly ScreenField[] s_fields =
    [
        Number("net"), Number("tax"), Number("gross"), Number("day count", ScreenFieldKind.Integer), Number("week_count", ScreenFieldKind.Integer), Number("week_sum"),
        Number("cm"), Number("inch"), Flag("card"), Flag("transfer"), Flag("cash"),
        new() { Name = "country", Kind = ScreenFieldKind.Categorical, Categories = 3 }, new() { Name = "currency", Kind = ScreenFieldKind.Categorical, Categories = 2 }, Number("noise"),
    ];

    [Fact]
    public void What_every_row_keeps_is_found_and_what_the_columns_alone_explain_is_not()
    {
        var learnt = Learn(s_fields, Rows(2000, 1), Rows(600, 2));
        string[] rules = [.. learnt.Relations.Select(relation => relation.Rule)];
        Assert.Contains(rules, rule => rule.StartsWith("gross = net + tax", StringComparison.Ordinal));
        Assert.Contains("`day count` <= week_count", rules);
        Assert.Contains("week_count = 0 => week_sum = 0", rules);
        Assert.Contains(rules, rule => rule.StartsWith("inch = 0.3937", StringComparison.Ordinal));
        Assert.Contains("card + transfer + cash = 1", rules);
        Assert.Contains("country = 2 => currency in {1}", rules);
        Assert.DoesNotContain(rules, rule => rule.Contains("noise", StringComparison.Ordinal));
        Assert.All(learnt.Relations, relation => Assert.True(relation is { Origin: ScreenRelationOrigin.Learnt, Rows: 2000, Shuffled: >= 0.05 }, relation.Rule));
        Assert.Equal(new RelationCheck(300, 0), learnt.Check);
    }

    [Fact]
    public void A_relation_that_one_training_row_breaks_is_none()
    {
        var rows = Rows(2000, 1);
        (rows[3], rows[4]) = (rows[4] + 1, rows[4]);   // more in a day than in its week
        Assert.DoesNotContain(Learn(s_fields, rows, Rows(600, 2)).Relations, relation => relation.Rule == "`day count` <= week_count");
    }

    [Fact]
    public void A_relation_that_held_out_rows_break_is_dropped()
    {
        var held = Rows(600, 2);
        held[8] = held[9] = held[10] = 0;   // none of the three flags
        var rules = Learn(s_fields, Rows(2000, 1), held).Relations.Select(relation => relation.Rule).ToList();
        Assert.DoesNotContain("card + transfer + cash = 1", rules);
        Assert.Contains("`day count` <= week_count", rules);
    }

    [Fact]
    public void Relations_that_refuse_too_many_of_the_untouched_rows_are_all_dropped()
    {
        var held = Rows(600, 2);
        for (var row = 1; row < 600; row += 20)   // only in the half that does not choose
            held[(row * s_fields.Length) + 3] = 1 + held[(row * s_fields.Length) + 4];
        var learnt = Learn(s_fields, Rows(2000, 1), held);
        Assert.Empty(learnt.Relations);
        Assert.Contains("refused 30 of 300", learnt.Note, StringComparison.Ordinal);
    }

    [Fact]
    public void Independent_columns_have_none()
    {
        ScreenField[] fields = [.. Enumerable.Range(0, 20).Select(i => i % 3 == 0 ? Flag($"f{i}") : Number($"f{i}"))];
        float[] Draw(int rows, int seed)
        {
            var random = new Random(seed);
            return [.. Enumerable.Range(0, rows * 20).Select(i => i % 20 % 3 == 0 ? random.Next(2) : random.NextSingle())];
        }

        Assert.Empty(Learn(fields, Draw(1000, 1), Draw(400, 2)).Relations);
    }

    [Fact]
    public void Few_rows_teach_nothing_and_say_so()
    {
        var learnt = Learn(s_fields, Rows(99, 1), Rows(600, 2));
        Assert.Empty(learnt.Relations);
        Assert.Contains("at least 100", learnt.Note, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wide_table_is_bounded()
    {
        const int Width = 120;
        ScreenField[] fields = [.. Enumerable.Range(0, Width).Select(i => Number($"c{i}"))];
        float[] Draw(int rows, int seed)
        {
            var random = new Random(seed);
            var raw = new float[rows * Width];
            for (var i = 0; i < raw.Length; i++)
                raw[i] = (i % Width == 0 ? 0 : raw[i - 1]) + random.NextSingle();   // each column is above the one before
            return raw;
        }

        var learnt = Learn(fields, Draw(300, 1), Draw(200, 2), new() { MostColumns = 80, MostRelations = 32 });
        Assert.InRange(learnt.Relations.Count, 1, 32);
        Assert.Contains("first 80", learnt.Note, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_value_neither_breaks_nor_makes_a_relation()
    {
        ScreenField[] fields = [Number("a") with { AllowMissing = true }, Number("b")];
        float[] Draw(int rows, int seed)
        {
            var random = new Random(seed);
            return [.. Enumerable.Range(0, rows).SelectMany(i => random.NextSingle() is var a && i % 5 == 0 ? new[] { float.NaN, a } : [a, a + random.NextSingle()])];
        }

        var learnt = Assert.Single(Learn(fields, Draw(1000, 1), Draw(400, 2)).Relations);
        Assert.Equal("a <= b", learnt.Rule);
        var screen = InputScreen.OfContract(fields).WithRelations([learnt]);
        Assert.True(screen.CheckContract([float.NaN, 0.1f]).IsAccepted);
        Assert.Equal(ScreenOutcome.RelationBroken, screen.CheckContract([0.2f, 0.1f]).Outcome);
    }

    [Theory]
    [InlineData("net (EUR", "tax)", "gross")]
    [InlineData("net => x", "tax", "a => b => c")]
    [InlineData("not.net", "or.tax", "in.gross")]
    [InlineData("not", "within", "and")]
    [InlineData("net\u0001", "net\u0002", "net\u0003")]
    [InlineData("1e5", ".5", "-3 <= 4")]
    [InlineData("{1}", "abs", "min(a, b)")]
    public void A_column_may_have_any_name(string net, string tax, string gross)
    {
        ScreenField[] fields = [Number(net), Number(tax), Number(gross), Number("a"), Number("b")];
        var learnt = Learn(fields, Sums(400, 1), Sums(300, 2));
        Assert.Contains(learnt.Relations, relation => relation.Rule.Contains('+', StringComparison.Ordinal));
        Assert.Contains(learnt.Relations, relation => relation.Rule == "a = 0 => b = 0");
        RequireKept(fields, learnt, Sums(200, 3));
    }

    [Fact]
    public void A_column_whose_name_no_rule_can_hold_takes_part_in_none()
    {
        ScreenField[] fields = [Number("net`"), Number("tax"), Number(new string('g', 70_000)), Number("a"), Number("b")];
        var learnt = Learn(fields, Sums(400, 1), Sums(300, 2));
        Assert.All(learnt.Relations, relation => Assert.DoesNotContain('`', relation.Rule));
        Assert.Contains(learnt.Relations, relation => relation.Rule == "a = 0 => b = 0");
        Assert.Contains("left out", learnt.Note, StringComparison.Ordinal);
        RequireKept(fields, learnt, Sums(200, 3));
    }

    [Fact]
    public void Long_names_that_look_alike_make_names_of_relations_that_differ()
    {
        ScreenField[] fields = [.. Enumerable.Range(0, 5).Select(i => Number($"{new string('x', 120)}{i}"))];
        RequireKept(fields, Learn(fields, Sums(400, 1), Sums(300, 2)), Sums(200, 3));
    }

    [Fact]
    public void Names_from_a_nasty_alphabet_never_stop_a_run()
    {
        string[] parts = ["(", ")", "=>", "=", "not", "not.", "or", "and", "in", "within", "`", "\0", "\n", "\u0085", " ", ".", "_", "{", "}", ",", "1", "e", "-", "+", "^", "abs", "a", "\u0663", "\U0001F4B6", "\"", "<="];
        var random = new Random(7);
        var (training, held, other) = (Sums(200, 1), Sums(200, 2), Sums(100, 3));
        for (var run = 0; run < 300; run++)
        {
            var names = new HashSet<string>(StringComparer.Ordinal);
            while (names.Count < 5)
            {
                var name = string.Concat(Enumerable.Range(0, random.Next(1, 6)).Select(_ => parts[random.Next(parts.Length)]));
                if (!string.IsNullOrWhiteSpace(name))
                    names.Add(name);
            }

            ScreenField[] fields = [.. names.Select(name => Number(name))];
            var learnt = Learn(fields, training, held);
            RequireKept(fields, learnt, other);
            Assert.Null(learnt.Note);
        }
    }

    /// <summary>Every learnt relation compiles in a screen, survives its file, and means what was learnt: rows of the same kind keep it, altered ones do not.</summary>
    private static void RequireKept(ScreenField[] fields, LearntRelations learnt, float[] rows)
    {
        var screen = InputScreen.FromJson(InputScreen.OfContract(fields).WithRelations(learnt.Relations, learnt.Check).ToJson());
        Assert.Equal(learnt.Relations.Count, screen.Relations.Count);
        foreach (var row in rows.Chunk(fields.Length))
            Assert.True(screen.CheckContract(row).IsAccepted);
        if (!fields.Any(field => field.Name.Contains('`', StringComparison.Ordinal)))
            Assert.Equal(ScreenOutcome.RelationBroken, screen.CheckContract([1, 2, 9, 1, 1]).Outcome);
    }

    /// <summary>The third is the sum of the first two; the fifth is 0 where the fourth is.</summary>
    private static float[] Sums(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).SelectMany(_ =>
        {
            var (net, tax, a) = (random.Next(1, 100), random.Next(-50, 50), random.Next(3));
            return new float[] { net, tax, net + tax, a, a == 0 ? 0 : random.Next(-9, 9) };
        })];
    }

    private static LearntRelations Learn(ScreenField[] fields, float[] training, float[] held, RelationOptions? options = null) =>
        RelationLearner.Learn(fields, training, held, options, TestContext.Current.CancellationToken);

    private static float[] Rows(int count, int seed)
    {
        var random = new Random(seed);
        var rows = new List<float>();
        for (var i = 0; i < count; i++)
        {
            var (net, tax) = (random.NextSingle() * 100, random.NextSingle() * 20);
            var week = random.Next(6);
            var (cm, kind, country) = (random.NextSingle() * 200, random.Next(3), random.Next(3));
            rows.AddRange([net, tax, net + tax, random.Next(week + 1), week, week == 0 ? 0 : (random.NextSingle() * 50) - 25, cm, cm / 2.54f,
                kind == 0 ? 1 : 0, kind == 1 ? 1 : 0, kind == 2 ? 1 : 0, country, country == 2 ? 1 : random.Next(2), random.NextSingle() * 100]);
        }

        return [.. rows];
    }

    private static ScreenField Number(string name, ScreenFieldKind kind = ScreenFieldKind.Numeric) => new() { Name = name, Kind = kind };

    private static ScreenField Flag(string name) => Number(name, ScreenFieldKind.Binary);
}
