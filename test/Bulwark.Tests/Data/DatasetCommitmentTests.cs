using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Lineage;

namespace Bulwark.Tests.Data;

public sealed class DatasetCommitmentTests : IDisposable
{
    private static readonly Table Payments = TransactionSimulator.Simulate(new() { Customers = 200, Terminals = 400, Days = 40, Seed = 2 });

    private readonly TemporaryFolder _folder = new();
    private readonly KeyRing _ring;
    private readonly CommitmentKey _key;

    public DatasetCommitmentTests() => _key = CommitmentKey.Of(_ring = NewRing("ring.json"));

    public void Dispose()
    {
        _key.Dispose();
        _ring.Dispose();
        _folder.Dispose();
    }

    private KeyRing NewRing(string name) => KeyRing.Create(_folder[name], KeyRingUnlock.KeyFile(_folder[name + ".key"]));

    private CommitmentKey NewKey(string name)
    {
        using var ring = NewRing(name);
        return CommitmentKey.Of(ring);
    }

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

    private const string Expected = "sha256:08385b0b914a93a6090659ff2172094f99fb0740e71dd98e65cc0734ef5f96c7";

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
        var commitment = DatasetCommitment.Of(Payments, _key, cancel: Cancel);
        Assert.True(commitment.Blocks > 2);
        for (var block = 0; block < commitment.Blocks; block++)
        {
            var proof = RowGroupProof.Of(Payments, block, _key);
            Assert.Equal(commitment.Root, proof.Root);
            Assert.True(proof.Verify());
            Assert.False((proof with { Group = (block + 1) % commitment.Blocks }).Verify());
            Assert.False((proof with { Rows = Changed(proof.Rows) }).Verify());
            Assert.False((proof with { Header = Changed(proof.Header) }).Verify());
            Assert.False((proof with { RowsKey = Changed(proof.RowsKey) }).Verify());
            Assert.False((proof with { RowsKey = [] }).Verify());
            Assert.False((proof with { RowsKey = proof.HeaderKey }).Verify());
            Assert.False((proof with { RowsPath = [.. proof.RowsPath.Skip(1)] }).Verify());
        }
    }

    [Fact]
    public void Who_knows_every_row_cannot_confirm_it_by_the_commitment_and_a_proof_of_one_group_helps_with_no_other()
    {
        var guess = DatasetCommitment.Of(Payments, cancel: Cancel);   // all that can be computed without the key
        var (own, other) = (DatasetCommitment.Of(Payments, _key, cancel: Cancel), DatasetCommitment.Of(Payments, NewKey("other.json"), cancel: Cancel));
        Assert.NotEqual(guess.Root, own.Root);
        Assert.NotEqual(own.Root, other.Root);
        var proof = RowGroupProof.Of(Payments, 1, _key);
        var neighbours = proof.RowsPath.Concat(proof.HeaderPath).ToHashSet();
        for (var block = 0; block < own.Blocks; block++)
        {
            var bytes = DatasetCommitment.Block(Payments, block);
            Assert.DoesNotContain(MerkleTree.LeafHash(bytes), neighbours);
            if (block != 1)
                Assert.DoesNotContain(DatasetCommitment.Leaf(bytes, proof.RowsKey), neighbours);
        }
    }

    [Fact]
    public void A_workspace_gives_the_same_rows_the_same_commitment_also_when_its_key_was_rotated()
    {
        var root = DatasetCommitment.Of(Payments, _key, cancel: Cancel).Root;
        _ring.CreateSymmetric(CommitmentKey.Name);
        using (var again = CommitmentKey.Of(_ring))
            Assert.Equal(root, DatasetCommitment.Of(Payments, again, cancel: Cancel).Root);
        var builder = new CommitmentBuilder();
        builder.Add(Payments);
        Assert.Equal(root, builder.Root([], _key));
        _ring.Destroy(new KeyId(CommitmentKey.Name, 1));
        Assert.Throws<InvalidOperationException>(() => CommitmentKey.Of(_ring));   // another key would make another data set of them, with a new budget
    }

    private static byte[] Changed(byte[] bytes)
    {
        byte[] copy = [.. bytes];
        copy[^1] ^= 1;
        return copy;
    }

    [Fact]
    public void A_table_of_one_cell_has_the_commitment_that_the_format_says()
    {
        byte[] header = [.. "bulwark.dev/dataset/v2\n"u8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, (byte)'x'];
        byte[] block = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, .. "0.5"u8];
        var table = new Table([new NumberColumn("x", [0.5])]);
        var plain = MerkleTree.NodeHash(MerkleTree.LeafHash(header), MerkleTree.LeafHash(block));
        Assert.Equal(plain, Root(table));
        using var secret = _ring.Derive("commitments", "bulwark.dev/commitment-key/v1");
        var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, secret.Span.ToArray(), 32, plain.ToArray(), "bulwark.dev/dataset-blinding/v1"u8.ToArray());
        var expected = MerkleTree.NodeHash(Blinded(key, 0, header), Blinded(key, 1, block));
        Assert.Equal(expected, DatasetCommitment.Of(table, _key, cancel: Cancel).Root);

        byte[] written = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];   // the vector of docs/formats/protected-parquet.md
        using var blinding = new DatasetBlinding(SecretBytes.CopyOf(written));
        Assert.Equal("7ca5866cd93d5949cb2544b2acc8f192e37bfed5a1bb2073d5253a264e178b69", blinding.Root([MerkleTree.LeafHash(header), MerkleTree.LeafHash(block)]).ToHex());

        static Digest Blinded(byte[] key, byte leaf, byte[] bytes) =>
            MerkleTree.LeafHash(HMACSHA256.HashData(HMACSHA256.HashData(key, new byte[] { 0, 0, 0, 0, 0, 0, 0, leaf }), MerkleTree.LeafHash(bytes).Bytes));
    }
}
