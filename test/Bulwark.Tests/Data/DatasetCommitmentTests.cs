using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Lineage;

namespace Bulwark.Tests.Data;

public sealed class DatasetCommitmentTests : IDisposable
{
    private static readonly Table Payments = TransactionSimulator.Simulate(new() { Customers = 200, Terminals = 400, Days = 40, Seed = 2 });

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Digest Root(Table table) => DatasetCommitment.Of(table, cancel: Cancel).Root;

    [Fact]
    public async Task Csv_and_parquet_of_one_table_have_one_commitment()
    {
        await TableFile.WriteAsync(Payments, _folder["t.csv"], cancel: Cancel);
        await TableFile.WriteAsync(Payments, _folder["t.parquet"], cancel: Cancel);
        Assert.Equal(Root(Payments), Root(await TableFile.ReadAsync(_folder["t.csv"], cancel: Cancel)));
        Assert.Equal(Root(Payments), Root(await TableFile.ReadAsync(_folder["t.parquet"], cancel: Cancel)));
    }

    [Fact]
    public void The_simulated_table_of_a_seed_has_this_commitment_on_every_machine() => Assert.Equal(Expected, Root(Payments).ToString());

    private const string Expected = "sha256:1259fedb41f35f6d108a10acf4404e4a5123b7d074105b581c9b51a62cf9a972";

    [Fact]
    public void A_changed_cell_name_or_order_changes_the_commitment()
    {
        var root = Root(Payments);
        var amounts = Payments.Numbers("amount").ToArray();
        amounts[^1] += 0.01;
        Assert.NotEqual(root, Root(Payments.With(new NumberColumn("amount", amounts))));
        Assert.NotEqual(root, Root(new Table(Payments.Columns.Select(column => column.Name == "amount" ? column.Renamed("amounts") : column))));
        Assert.NotEqual(root, Root(new Table(Payments.Columns.Reverse())));
        Assert.NotEqual(root, Root(Payments.Take([.. Enumerable.Range(0, Payments.Rows).Reverse()])));
        Assert.NotEqual(root, Root(Payments.Take([.. Enumerable.Range(0, Payments.Rows - 1)])));
    }

    [Fact]
    public void Text_that_moves_between_cells_changes_the_commitment() =>
        Assert.NotEqual(
            Root(new Table([new TextColumn("a", ["xy"]), new TextColumn("b", ["z"])])),
            Root(new Table([new TextColumn("a", ["x"]), new TextColumn("b", ["yz"])])));

    [Fact]
    public void Every_block_is_proved_and_nothing_else_is()
    {
        var commitment = DatasetCommitment.Of(Payments, cancel: Cancel);
        Assert.True(commitment.Blocks > 2);
        for (var block = 0; block < commitment.Blocks; block++)
        {
            var (bytes, proof) = (DatasetCommitment.Block(Payments, block), commitment.Prove(block));
            Assert.True(DatasetCommitment.Verify(block, bytes, proof, commitment.Root));
            Assert.False(DatasetCommitment.Verify((block + 1) % commitment.Blocks, bytes, proof, commitment.Root));
            bytes[^1] ^= 1;
            Assert.False(DatasetCommitment.Verify(block, bytes, proof, commitment.Root));
            bytes[^1] ^= 1;
            Assert.False(DatasetCommitment.Verify(block, bytes, proof with { Hashes = [.. proof.Hashes.Skip(1)] }, commitment.Root));
        }
    }

    [Fact]
    public void A_table_of_one_cell_has_the_commitment_that_the_format_says()
    {
        byte[] header = [.. "bulwark.dev/dataset/v1\n"u8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, (byte)'x'];
        byte[] block = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, .. "0.5"u8];
        var expected = MerkleTree.NodeHash(MerkleTree.LeafHash(header), MerkleTree.LeafHash(block));
        Assert.Equal(expected, Root(new Table([new NumberColumn("x", [0.5])])));
    }
}
