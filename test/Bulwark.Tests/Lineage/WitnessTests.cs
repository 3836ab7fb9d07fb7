using System.Buffers.Binary;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Server;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Lineage;

/// <summary>Both sides of add-checkpoint: every answer for its own reason, and what a log makes of it.</summary>
public sealed class WitnessTests : IDisposable
{
    private const string Origin = "log.example/witnessed", Name = "witness.example/w1";
    private readonly TemporaryFolder _folder = new();
    private readonly Signer _logKey = Signer.Generate();
    private readonly Signer _witnessKey = Signer.Generate();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _logKey.Dispose();
        _witnessKey.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_checkpoint_that_continues_the_last_one_is_cosigned()
    {
        await using var log = await LogAsync(10);
        var witness = NewWitness();
        var first = await AskAsync(witness, log, old: 0);
        Assert.Equal(200, first.Status);
        var cosigned = SignedNote.Parse($"{log.Checkpoint.Body}\n{first.Body}");
        Assert.Equal([witness.Key], cosigned.Verify([witness.Key]));
        Assert.Equal(_time.GetUtcNow(), cosigned.CosignedAt(witness.Key));
        await AppendAsync(log, 10, 300);
        Assert.Equal(200, (await AskAsync(witness, log, old: 10)).Status);
        Assert.Equal(310, NewWitness().Latest(Origin)!.Size);   // the record outlives the object
        Assert.Equal(200, (await AskAsync(NewWitness(), log, old: 310)).Status);   // the same again: another time, the same tree
    }

    [Fact]
    public async Task A_cosignature_signs_header_time_and_body()
    {
        await using var log = await LogAsync(1);
        var answer = await AskAsync(NewWitness(), log, old: 0);
        var blob = Convert.FromBase64String(answer.Body.TrimEnd('\n').Split(' ')[2]);
        Assert.Equal(4 + 8 + 64, blob.Length);
        Assert.Equal(1_700_000_000UL, BinaryPrimitives.ReadUInt64BigEndian(blob.AsSpan(4)));
        Assert.True(_witnessKey.PublicKey.Verify(Encoding.UTF8.GetBytes($"cosignature/v1\ntime 1700000000\n{log.Checkpoint.Body}"), blob.AsSpan(12)));
        blob[11] ^= 1;   // another time
        var forged = SignedNote.Parse($"{log.Checkpoint.Body}\n— {Name} {Convert.ToBase64String(blob)}\n");
        Assert.Null(forged.CosignedAt(NewWitness().Key));
        Assert.Empty(forged.Verify([NewWitness().Key]));
        Assert.Empty(SignedNote.Parse($"{log.Checkpoint.Body}\n{answer.Body}").Verify([new NoteKey(Name, _witnessKey.PublicKey)]));   // a cosigner's key is no author's key
    }

    [Theory]
    [InlineData("old 1\n\nx")]
    [InlineData("old 01\n\n")]
    [InlineData("old -1\n\n")]
    [InlineData("new 0\n\n")]
    [InlineData("old 0")]
    [InlineData("old 99999999999999999999\n\n")]
    [InlineData("old 0\nnot base64\n\n")]
    public async Task What_is_malformed_is_answered_400(string head)
    {
        await using var log = await LogAsync(3);
        var body = head.Contains("\n\n", StringComparison.Ordinal) ? head + (head.EndsWith('x') ? "" : log.Checkpoint.Note!.Note) : head;
        Assert.Equal(400, (await NewWitness().AddCheckpointAsync(Encoding.UTF8.GetBytes(body), Cancel)).Status);
    }

    [Fact]
    public async Task An_old_size_above_the_checkpoints_and_too_long_a_proof_are_answered_400()
    {
        await using var log = await LogAsync(3);
        Assert.Equal(400, (await RawAsync(NewWitness(), 4, [], log.Checkpoint.Note!.Note)).Status);
        Assert.Equal(400, (await RawAsync(NewWitness(), 0, [.. Enumerable.Repeat(MerkleTree.EmptyRoot, 64)], log.Checkpoint.Note!.Note)).Status);
    }

    [Fact]
    public async Task A_log_that_is_not_known_is_answered_404_and_one_by_another_key_403()
    {
        await using var log = await LogAsync(3);
        using var other = Signer.Generate();
        var stranger = new Witness(Name, _witnessKey, [new NoteKey("log.example/other", _logKey.PublicKey)], _folder["w"], _time);
        Assert.Equal(404, (await AskAsync(stranger, log, 0)).Status);
        Assert.Equal(403, (await RawAsync(NewWitness(), 0, [], log.Checkpoint.Signed(other).Note!.Note)).Status);
    }

    [Fact]
    public async Task Another_old_size_is_answered_409_with_the_size()
    {
        await using var log = await LogAsync(10);
        var witness = NewWitness();
        Assert.Equal(new WitnessAnswer(409, "text/x.tlog.size", "0\n"), await AskAsync(witness, log, old: 7));
        await AskAsync(witness, log, 0);
        await AppendAsync(log, 10, 5);
        Assert.Equal(new WitnessAnswer(409, "text/x.tlog.size", "10\n"), await AskAsync(witness, log, old: 0));
        Assert.Equal(new WitnessAnswer(409, "text/x.tlog.size", "10\n"), await AskAsync(witness, log, old: 9));
    }

    [Fact]
    public async Task A_proof_that_does_not_lead_there_is_answered_422_and_nothing_moves()
    {
        await using var log = await LogAsync(10);
        var witness = NewWitness();
        Assert.Equal(422, (await RawAsync(witness, 0, [MerkleTree.EmptyRoot], log.Checkpoint.Note!.Note)).Status);   // from nothing there is nothing to prove
        await AskAsync(witness, log, 0);
        await AppendAsync(log, 10, 5);
        Assert.Equal(422, (await RawAsync(witness, 10, [], log.Checkpoint.Note!.Note)).Status);
        Assert.Equal(422, (await RawAsync(witness, 10, [.. log.ProveConsistency(10, 15).Hashes.Reverse()], log.Checkpoint.Note!.Note)).Status);
        Assert.Equal(10, witness.Latest(Origin)!.Size);
    }

    [Fact]
    public async Task A_fork_is_refused_and_kept_as_evidence()
    {
        await using var log = await LogAsync(10);
        await using var fork = await LogAsync(10, "fork", 1000);
        var witness = NewWitness();
        Assert.Equal(200, (await AskAsync(witness, log, 0)).Status);
        Assert.Equal(409, (await AskAsync(witness, fork, 10)).Status);   // two trees of one size
        await AppendAsync(fork, 2000, 5);
        Assert.Equal(422, (await AskAsync(witness, fork, 10)).Status);
        string[] kept = [Assert.Single(Directory.GetFiles(_folder["w/evidence"])), Assert.Single(Directory.GetFiles(_folder["w/suspicions"]))];   // the second proves nothing by itself
        Assert.All(kept, file => Assert.Contains(log.Checkpoint.Note!.Note.Split('\n')[2], File.ReadAllText(file)));
    }

    [Fact]
    public async Task Wrong_proofs_in_any_number_fill_no_disk_and_leave_room_for_evidence()
    {
        await using var log = await LogAsync(10);
        await using var fork = await LogAsync(10, "fork", 1000);
        var witness = NewWitness();
        Assert.Equal(200, (await AskAsync(witness, log, 0)).Status);
        for (var i = 0; i < Witness.MaximumSuspicions + 4; i++)
        {
            await AppendAsync(log, 10 + i, 1);
            Assert.Equal(422, (await RawAsync(witness, 10, [MerkleTree.EmptyRoot], log.Checkpoint.Note!.Note)).Status);   // the log's own checkpoint, with anybody's proof
        }

        Assert.Equal(Witness.MaximumSuspicions, Directory.GetFiles(_folder["w/suspicions"]).Length);
        Assert.Equal(409, (await AskAsync(witness, fork, 10)).Status);
        Assert.Single(Directory.GetFiles(_folder["w/evidence"]));
    }

    [Fact]
    public async Task Of_two_forks_at_the_same_moment_one_is_cosigned()
    {
        await using var log = await LogAsync(10);
        await using var fork = await LogAsync(10, "fork", 1000);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => AskAsync(NewWitness(), i % 2 == 0 ? log : fork, 0))));
        var cosigned = answers.Where(answer => answer.Status == 200).ToArray();
        Assert.Single(cosigned);
        Assert.All(answers.Except(cosigned), answer => Assert.Equal("10\n", answer.Body));
    }

    [Fact]
    public async Task A_witness_whose_record_is_damaged_cosigns_no_more()
    {
        await using var log = await LogAsync(10);
        await AskAsync(NewWitness(), log, 0);
        var record = Directory.GetFiles(_folder["w"], "*.checkpoint").Single();
        await File.WriteAllTextAsync(record, log.Checkpoint.Note!.Note, Cancel);   // signed by the log, but this witness never cosigned it
        await Assert.ThrowsAsync<InvalidDataException>(() => AskAsync(NewWitness(), log, 10));
    }

    [Fact]
    public async Task A_log_has_its_checkpoints_cosigned_and_proves_with_them_offline()
    {
        await using var host = await WitnessHost.StartAsync(NewWitness(), 0, cancel: Cancel);
        using var second = Signer.Generate();
        await using var other = await WitnessHost.StartAsync(new Witness("w2", second, [new NoteKey(Origin, _logKey.PublicKey)], _folder["w2"], _time), 0, cancel: Cancel);
        await using var log = await LogAsync(10);
        var policy = LogPolicy.Parse(Encoding.UTF8.GetBytes($"""
            log {log.NoteKey}
            witness first {NewWitness().Key} {host.BaseAddress}
            witness second {new NoteKey("w2", second.PublicKey, NoteKeyKind.Cosignature)} {other.BaseAddress}
            group both 2 first second
            quorum both

            """));
        using var http = new HttpClient();
        await using var round = new WitnessRound(log, policy, http);
        Assert.Equal(LogVerdict.QuorumMissing, policy.Judge(log.Checkpoint).Verdict);
        var (report, replies) = await round.AskAsync(Cancel);
        Assert.Equal(LogVerdict.Verified, report.Verdict);
        Assert.All(replies, reply => Assert.Equal(WitnessOutcome.Cosigned, reply.Outcome));
        Assert.Equal(LogVerdict.Verified, policy.Judge(Checkpoint.Parse(await File.ReadAllBytesAsync(_folder["log/checkpoint"], Cancel))).Verdict);
        var proof = TlogProof.Parse(log.WitnessedProofFor(3)!.Format());
        Assert.Equal(LogVerdict.Verified, proof.Verify(Entry(3).Span, policy).Verdict);
        Assert.Equal(LogVerdict.NotIncluded, proof.Verify(Entry(4).Span, policy).Verdict);
        await other.DisposeAsync();   // before the log grows: the round follows by itself
        await AppendAsync(log, 10, 5);
        (report, replies) = await round.AskAsync(Cancel);
        Assert.Equal(LogVerdict.QuorumMissing, report.Verdict);
        Assert.Contains("second did not", report.Detail);
        Assert.Equal(WitnessOutcome.Unreachable, replies.Single(reply => reply.Witness.Name == "w2").Outcome);
    }

    [Fact]
    public async Task Many_copies_of_a_signature_do_not_end_a_witness()
    {
        await using var log = await LogAsync(10);
        var witness = NewWitness();
        var note = log.Checkpoint.Note!.Note;
        var line = note[(note.LastIndexOf("\n\n", StringComparison.Ordinal) + 2)..];
        Assert.Equal(200, (await RawAsync(witness, 0, [], note + string.Concat(Enumerable.Repeat(line, 99)))).Status);
        await AppendAsync(log, 10, 5);
        Assert.Equal(200, (await AskAsync(witness, log, 10)).Status);
    }

    [Fact]
    public async Task Too_few_cosignatures_do_not_replace_the_last_witnessed_checkpoint()
    {
        await using var host = await WitnessHost.StartAsync(NewWitness(), 0, cancel: Cancel);
        using var second = Signer.Generate();
        await using var log = await LogAsync(10);
        var policy = LogPolicy.Parse(Encoding.UTF8.GetBytes($"log {log.NoteKey}\nwitness first {NewWitness().Key} {host.BaseAddress}\nwitness second {new NoteKey("w2", second.PublicKey, NoteKeyKind.Cosignature)}\ngroup both 2 first second\nquorum both\n"));
        using var http = new HttpClient();
        await using var round = new WitnessRound(log, policy, http);
        Assert.Equal(LogVerdict.QuorumMissing, (await round.AskAsync(Cancel)).Report.Verdict);
        Assert.Null(log.Witnessed);
        Assert.Equal(log.Checkpoint.Root, (await log.VerifyAsync(cancel: Cancel)).Checkpoint!.Root);
    }

    [Fact]
    public async Task A_log_that_was_rolled_back_or_forked_hears_so_from_its_witness()
    {
        await using var host = await WitnessHost.StartAsync(NewWitness(), 0, cancel: Cancel);
        using var http = new HttpClient();
        await using var log = await LogAsync(10);
        Assert.Equal(WitnessOutcome.Cosigned, (await new WitnessClient(http, host.BaseAddress, NewWitness().Key).SubmitAsync(log, log.Checkpoint, Cancel)).Outcome);
        await using var shorter = await LogAsync(5, "shorter");
        Assert.Equal(WitnessOutcome.Ahead, (await new WitnessClient(http, host.BaseAddress, NewWitness().Key).SubmitAsync(shorter, shorter.Checkpoint, Cancel)).Outcome);
        await using var fork = await LogAsync(10, "fork", 1000);
        Assert.Equal(WitnessOutcome.Contradicts, (await new WitnessClient(http, host.BaseAddress, NewWitness().Key).SubmitAsync(fork, fork.Checkpoint, Cancel)).Outcome);
        await AppendAsync(fork, 2000, 5);
        Assert.Equal(WitnessOutcome.Contradicts, (await new WitnessClient(http, host.BaseAddress, NewWitness().Key).SubmitAsync(fork, fork.Checkpoint, Cancel)).Outcome);
        using var stranger = Signer.Generate();
        Assert.Equal(WitnessOutcome.Unreachable, (await new WitnessClient(http, host.BaseAddress, new NoteKey(Name, stranger.PublicKey, NoteKeyKind.Cosignature)).SubmitAsync(log, log.Checkpoint, Cancel)).Outcome);
    }

    private Witness NewWitness() => new(Name, _witnessKey, [new NoteKey(Origin, _logKey.PublicKey)], _folder["w"], _time);

    private async Task<TransparencyLog> LogAsync(int count, string name = "log", int from = 0)
    {
        var log = await TransparencyLog.CreateAsync(_folder[name], Origin, _logKey, Cancel);
        await AppendAsync(log, from, count);
        return log;
    }

    private static async Task AppendAsync(TransparencyLog log, int from, int count)
    {
        await log.AppendManyAsync([.. Enumerable.Range(from, count).Select(Entry)], Cancel);
        await log.FlushAsync(Cancel);
    }

    private static Task<WitnessAnswer> AskAsync(Witness witness, TransparencyLog log, long old) =>
        RawAsync(witness, old, old > 0 && old < log.Size ? log.ProveConsistency(old, log.Size).Hashes : [], log.Checkpoint.Note!.Note);

    private static Task<WitnessAnswer> RawAsync(Witness witness, long old, IReadOnlyList<Digest> proof, string note) =>
        witness.AddCheckpointAsync(Encoding.UTF8.GetBytes($"old {old}\n{string.Concat(proof.Select(hash => Convert.ToBase64String(hash.ToArray()) + "\n"))}\n{note}"), Cancel);

    private static ReadOnlyMemory<byte> Entry(int index) => Encoding.UTF8.GetBytes($"entry {index}");
}
