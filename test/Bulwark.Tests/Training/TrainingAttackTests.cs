using Bulwark.Networks;
using Bulwark.Training;
using Bulwark.Training.Loop;

namespace Bulwark.Tests.Training;

/// <summary>The privacy of robust training rests on this: clipping bounds what one row does only when no row moves another.</summary>
public class TrainingAttackTests
{
    private const int Width = 4;

    [Fact]
    public void A_row_is_moved_alike_whoever_else_is_in_the_batch()
    {
        var rows = Rows(6);
        Assert.Equal(Moved(rows, [2, 3, 4, 5]), Moved(rows, [0, 1, 2, 3, 4, 5])[(2 * Width)..]);
    }

    [Fact]
    public void A_row_is_moved_alike_whatever_rounds_held_before()
    {
        var rows = Rows(6);
        var (attack, batch) = Fresh(rows);
        batch.Load(rows, [0, 1]);
        attack.Move(batch);
        batch.Load(rows, [2, 3, 4, 5]);
        Assert.Equal(Moved(rows, [2, 3, 4, 5]), attack.Move(batch).ToArray());
    }

    [Fact]
    public void Another_round_starts_elsewhere()
    {
        var rows = Rows(2);
        var (attack, batch) = Fresh(rows);
        batch.Load(rows, [0, 1]);
        var first = attack.Move(batch).ToArray();
        attack.NextRound();
        Assert.NotEqual(first, attack.Move(batch).ToArray());
    }

    private static float[] Moved(EncodedDataset rows, int[] chosen)
    {
        var (attack, batch) = Fresh(rows);
        batch.Load(rows, chosen);
        return attack.Move(batch).ToArray();
    }

    private static (TrainingAttack Attack, Batch Batch) Fresh(EncodedDataset rows)
    {
        var network = DenseNetwork<float>.Create(new NetworkShape(Width, [8], 1), 7);
        return (new TrainingAttack(new RobustOptions { Epsilon = 0.1, Steps = 1 }, network, seed: 1), new Batch(rows.Rows, Width));
    }

    private static EncodedDataset Rows(int count)
    {
        var random = new Random(3);
        return new EncodedDataset([.. Enumerable.Range(0, count * Width).Select(_ => random.NextSingle())], Width, [.. Enumerable.Repeat(1, count)]);
    }
}
