using Bulwark.Data;
using Bulwark.Models;
using Bulwark.Training;

namespace Bulwark.Tests.Datasets;

public class DatasetReaderTests
{
    private static readonly Feature Age = new() { Name = "age", Kind = FeatureKind.Integer, Minimum = 17, Maximum = 90 };
    private static readonly Feature City = new() { Name = "city", Kind = FeatureKind.Categorical, Categories = ["Rome", "Bonn"] };

    private static readonly SchemaOptions Declared = new() { Label = "y", Positive = ["yes"], Features = [Age, City], Drop = ["id"] };

    [Fact]
    public void Declared_features_labels_and_missing_values_are_read()
    {
        var data = DatasetReader.Read(People(), Declared);
        Assert.Equal([30, 0, float.NaN, 1, 44, -1, 17, float.NaN], data.Raw);
        Assert.Equal([1, 0, 0, 1], data.Labels);
        Assert.Equal(("yes", "no"), (data.Schema.PositiveLabel, data.Schema.NegativeLabel));
        Assert.Equal(1, data.UnknownCategories["city"]);
        Assert.Empty(data.Schema.InferredFeatures());
        Assert.Equal(2, data.Positives);
        Assert.Equal(4, data.Encode().Rows);
    }

    [Fact]
    public void What_nobody_declared_is_inferred_and_marked()
    {
        var data = DatasetReader.Read(People(), new SchemaOptions { Label = "y", Positive = ["yes"], Drop = ["id"], Mutable = ["age"] });
        Assert.Equal(["age", "city"], data.Schema.InferredFeatures());
        var (age, city) = (data.Schema.Features[0], data.Schema.Features[1]);
        Assert.Equal((FeatureKind.Integer, 17d, 44d, true), (age.Kind, age.Minimum, age.Maximum, age.Mutable));
        Assert.Equal(MissingPolicy.Indicator, age.Missing);
        Assert.Equal(["Bonn", "Oslo", "Rome"], city.Categories);
    }

    [Fact]
    public void A_long_tail_is_inferred_to_be_logarithmic_and_an_even_spread_linear()
    {
        var table = new Table(
        [
            new NumberColumn("amount", [.. Enumerable.Range(0, 1000).Select(row => Math.Exp(row / 100.0))]),
            new NumberColumn("age", [.. Enumerable.Range(0, 1000).Select(row => 18 + (row % 70.0))]),
            new NumberColumn("y", [.. Enumerable.Range(0, 1000).Select(row => row % 2.0)]),
        ]);
        var schema = DatasetReader.Read(table, new SchemaOptions { Label = "y" }).Schema;
        Assert.Equal([Scaling.Log, Scaling.Linear], schema.Features.Select(feature => feature.Scaling));
    }

    [Fact]
    public void A_declared_feature_without_bounds_gets_them_from_the_data_and_is_marked() =>
        Assert.Equal(["age"], DatasetReader.Read(People(), Declared with { Features = [Age with { Minimum = null }, City] }).Schema.InferredFeatures());

    [Fact]
    public void Undeclared_columns_are_passed_over_when_asked() =>
        Assert.Equal(["city"], DatasetReader.Read(People(), Declared with { Features = [City], InferUndeclared = false }).Schema.Features.Select(feature => feature.Name));

    [Fact]
    public void Inference_from_a_split_sees_the_training_rows_only()
    {
        var table = People().With(new TextColumn("y", ["yes", "no", "yes", "no"]));
        var (train, test) = DatasetReader.Read(table, new SchemaOptions { Label = "y", Positive = ["yes"], Features = [City], Drop = ["id"] }, new RowSplit([0, 1, 3], [2, 3]));
        Assert.Equal(30, train.Schema.Features[1].Maximum);
        Assert.Same(train.Schema, test.Schema);
        Assert.Equal(44, test.Row(0)[1]);
        Assert.Equal(DatasetCommitment.Of(table, cancel: TestContext.Current.CancellationToken).Root, train.Commitment);
        Assert.Equal(train.Commitment, test.Commitment);
    }

    [Fact]
    public void A_missing_column_is_named_with_the_nearest() =>
        Refused(People(), Declared with { Label = "Y" }, "'y'", "Y", null);

    [Fact]
    public void A_dropped_column_that_is_not_there_is_refused() =>
        Refused(People(), Declared with { Drop = ["ident"] }, "no column 'ident'", "ident", null);

    [Fact]
    public void A_constant_label_is_refused() =>
        Refused(People().With(new TextColumn("y", ["no", "no", "no", "no"])), Declared, "constant: all 4 rows are negative", "y", null);

    [Fact]
    public void A_missing_label_is_refused_with_its_row() =>
        Refused(People().With(new TextColumn("y", ["yes", "no", null, "no"])), Declared, "Row 3 of column 'y'", "y", 3);

    [Fact]
    public void A_second_other_label_value_is_refused_with_its_row() =>
        Refused(People().With(new TextColumn("y", ["yes", "no", "maybe", "no"])), Declared, "Row 3 of column 'y'", "y", 3);

    [Fact]
    public void A_label_value_outside_the_declared_ones_is_refused_with_its_row() =>
        Refused(People().With(new TextColumn("y", ["yes", "nope", "no", "no"])), Declared with { Negative = ["no"] }, "Row 2 of column 'y'", "y", 2);

    [Fact]
    public void A_text_where_a_number_belongs_is_refused_with_row_and_column_and_without_the_value()
    {
        var refusal = Refused(People().With(new TextColumn("age", ["30", "40", "forty", "17"])), Declared, "Row 3 of column 'age' does not hold a number", "age", 3);
        Assert.DoesNotContain("forty", refusal.Message);
    }

    [Fact]
    public void A_fraction_where_a_whole_number_belongs_is_refused() =>
        Refused(People().With(new NumberColumn("age", [1, 2.5, 3, 4])), Declared, "Row 2 of column 'age' is no whole number", "age", 2);

    [Fact]
    public void An_infinite_number_is_refused() =>
        Refused(People().With(new NumberColumn("age", [1, 2, 3, double.PositiveInfinity])), Declared, "Row 4 of column 'age' is not finite", "age", 4);

    [Fact]
    public void Another_number_where_0_or_1_belongs_is_refused() =>
        Refused(People(), Declared with { Features = [new Feature { Name = "age", Kind = FeatureKind.Binary }] }, "neither 0 nor 1", "age", 1);

    [Fact]
    public void An_identifier_is_not_taken_for_a_category()
    {
        var table = new Table([new TextColumn("name", [.. Enumerable.Range(0, 200).Select(i => $"n{i}")]), new NumberColumn("y", [.. Enumerable.Range(0, 200).Select(i => i % 2.0)])]);
        Refused(table, new SchemaOptions { Label = "y" }, "more than 100 different texts", "name", null);
    }

    [Fact]
    public void An_instant_is_no_feature() =>
        Refused(People().With(new TimeColumn("when", [1, 2, 3, 4])), Declared, "'when' holds times", "when", null);

    [Fact]
    public void A_table_without_rows_is_refused() =>
        Refused(People().Take([]), Declared, "no rows", null, null);

    [Fact]
    public void Contradictory_options_are_refused() =>
        Assert.Throws<ArgumentException>(() => DatasetReader.Read(People(), Declared with { Drop = ["age", "y"] }));

    [Fact]
    public void Any_changed_cell_changes_the_commitment()
    {
        var commitment = DatasetReader.Read(People(), Declared).Commitment;
        Assert.Equal(commitment, DatasetReader.Read(People(), Declared).Commitment);
        Assert.NotEqual(commitment, DatasetReader.Read(People().With(new NumberColumn("id", [1, 2, 3, 5])), Declared).Commitment);
        Assert.NotEqual(commitment, DatasetReader.Read(People().With(new TextColumn("city", ["Rome", "Bonn", "Oslo", "Bonn"])), Declared).Commitment);
    }

    [Fact]
    public async Task The_raw_Adult_files_are_read_as_published()
    {
        var train = await ReadAdult("adult.data");
        var test = await ReadAdult("adult.test");
        var options = new SchemaOptions { Label = "income", Positive = [">50K", ">50K."], Drop = ["fnlwgt"] };
        var data = DatasetReader.Read(train, options);
        var held = DatasetReader.Read(test, options, data.Schema);
        Assert.Equal((32561, 7841), (data.Rows, data.Positives));
        Assert.Equal((16281, 3846), (held.Rows, held.Positives));
        Assert.Equal(13, data.Width);
        Assert.All(data.Encode().Features, value => Assert.InRange(value, 0, 1));
    }

    [Fact]
    public async Task The_credit_default_file_is_read_with_numbers_as_categories()
    {
        var table = await TableFile.ReadAsync(SharedFiles.Require("data", "uci_default_credit.csv"), cancel: TestContext.Current.CancellationToken);
        var data = DatasetReader.Read(table, new SchemaOptions
        {
            Label = "default payment next month",
            Drop = ["ID"],
            Features = [new Feature { Name = "PAY_0", Kind = FeatureKind.Categorical, Categories = ["-2", "-1", "0", "1", "2", "3", "4", "5", "6", "7", "8"] }],
        });
        Assert.Equal((30000, 6636), (data.Rows, data.Positives));
        Assert.Empty(data.UnknownCategories);
        Assert.Equal(4, data.Row(0)[0]);
    }

    private static Task<Table> ReadAdult(string file) => TableFile.ReadAsync(
        SharedFiles.Require("data", file),
        new TableReadOptions
        {
            HasHeader = false,
            ColumnNames = ["age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation", "relationship", "race", "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country", "income"],
            Comment = '|',
        },
        cancel: TestContext.Current.CancellationToken);

    private static Table People() => new(
    [
        new NumberColumn("id", [1, 2, 3, 4], integral: true),
        new NumberColumn("age", [30, double.NaN, 44, 17], integral: true),
        new TextColumn("city", ["Rome", "Bonn", "Oslo", null]),
        new TextColumn("y", ["yes", "no", "no", "yes"]),
    ]);

    private static DatasetException Refused(Table table, SchemaOptions options, string message, string? column, int? row)
    {
        var refusal = Assert.Throws<DatasetException>(() => DatasetReader.Read(table, options));
        Assert.Contains(message, refusal.Message);
        Assert.Equal((column, row), (refusal.Column, refusal.Row));
        return refusal;
    }
}
