using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Attestation.Brokers;

/// <summary>What a broker keeps, as its rules need it: each method is one transaction of the store.</summary>
internal sealed class BrokerBook(IBrokerStore store, TimeProvider time)
{
    internal static readonly TimeSpan ChallengeLifetime = TimeSpan.FromSeconds(60), ApprovalLifetime = TimeSpan.FromDays(7), LineageLifetime = TimeSpan.FromDays(7);
    private const int MostChallenges = 4096, KeptForRenewals = MostChallenges / 4, RenewalsPerMinute = 6;
    private const string Challenges = "challenge", Rates = "rate", Leases = "lease", Approvals = "approval", Revocations = "revocation", Roots = "root", Released = "released", Floors = "floor";

    /// <summary>Notes a challenge; false when the caller asked too often, or too many are open.</summary>
    /// <remarks>Whoever renews a lease that runs is counted by the lease first, then by the address, and finds a quarter of all challenges kept free.</remarks>
    internal bool TryGive(ReadOnlySpan<byte> nonce, OpenChallenge challenge, string caller, int perMinute, string? renews)
    {
        var now = Now;
        using var transaction = store.Begin();
        transaction.Expire(Challenges, now);
        transaction.Expire(Rates, now);
        transaction.Expire(Leases, now);
        var runs = renews is not null && All(transaction).Any(lease => lease.ReleaseId == renews);
        var kept = runs && IsWithinRate(transaction, "renewal", renews!, RenewalsPerMinute, now);
        var (most, admitted) = kept ? (MostChallenges, true) : (MostChallenges - KeptForRenewals, IsWithinRate(transaction, "challenge", caller, perMinute, now));
        if (!admitted || transaction.Count(Challenges, "") >= most)
            return false;
        transaction.Put(Challenges, Convert.ToHexStringLower(nonce), JsonSerializer.SerializeToUtf8Bytes(challenge, BrokerJson.Default.OpenChallenge), now + (long)ChallengeLifetime.TotalMilliseconds);
        transaction.Commit();
        return true;
    }

    /// <summary>Counts a request for a key; false when the caller asked too often.</summary>
    internal bool TryAdmit(string caller, int perMinute)
    {
        using var transaction = store.Begin();
        transaction.Expire(Rates, Now);
        var admitted = IsWithinRate(transaction, "release", caller, perMinute, Now);
        transaction.Commit();
        return admitted;
    }

    private static bool IsWithinRate(IBrokerTransaction transaction, string what, string caller, int perMinute, long now)
    {
        var window = $"{what}/{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(caller)).AsSpan(0, 16))}/{now / 60_000}";
        var asked = transaction.Get(Rates, window) is { } count ? BitConverter.ToInt32(count) : 0;
        if (asked >= perMinute)
            return false;
        transaction.Put(Rates, window, BitConverter.GetBytes(asked + 1), now + 120_000);
        return true;
    }

    /// <summary>The challenge of a nonce, once: it is gone, durably, before anybody answers it.</summary>
    internal OpenChallenge? Take(ReadOnlySpan<byte> nonce)
    {
        using var transaction = store.Begin();
        transaction.Expire(Challenges, Now);
        var name = Convert.ToHexStringLower(nonce);
        if (transaction.Get(Challenges, name) is not { } value)
            return null;
        transaction.Remove(Challenges, name);
        transaction.Commit();
        return JsonSerializer.Deserialize(value, BrokerJson.Default.OpenChallenge);
    }

    /// <summary>Judges what depends on the past and, when nothing speaks against it, writes the lease; all in one transaction.</summary>
    /// <param name="one">What is asked.</param>
    /// <param name="legs">Receives the legs.</param>
    /// <returns>The first release of the chain when it is granted; null when it is not.</returns>
    internal string? Decide(LeaseQuestion one, Legs legs)
    {
        using var transaction = store.Begin();
        transaction.Expire(Leases, Now);
        transaction.Expire(Roots, Now);
        transaction.Expire(Approvals, Now);
        Floor(transaction, one, legs);
        var root = one.Renews is null ? one.ReleaseId : Root(transaction, one.Evidence.Model, one.Renews);
        Control(transaction, one, root, legs);
        Lease(transaction, one, legs);
        var granted = one.Trusted && legs.Done.All(leg => leg.Outcome is LegOutcome.Passed or LegOutcome.NotApplicable);
        if (granted)
        {
            var (name, ends) = (Key(one.Evidence.Model, one.ReleaseId), one.Lease.Ends.ToUnixTimeMilliseconds());
            transaction.Put(Leases, name, JsonSerializer.SerializeToUtf8Bytes(one.Lease with { Root = root }, BrokerJson.Default.KeyLeaseRecord), ends);
            transaction.Put(Roots, name, new Descent(root, one.Lease.BootId, one.Lease.ReceiptKey).ToBytes(), ends + (long)LineageLifetime.TotalMilliseconds);
            transaction.Put(Released, one.Evidence.Model.ToHex(), [1], null);
        }

        transaction.Commit();   // floors rise also when the answer is no
        return granted ? root : null;
    }

    /// <summary>Takes a lease back: one that was never given out, or one that another has taken the place of.</summary>
    internal void Forget(Digest model, string release)
    {
        using var transaction = store.Begin();
        transaction.Remove(Leases, Key(model, release));
        transaction.Commit();
    }

    /// <summary>Notes an approval.</summary>
    internal void Approve(Digest model, VerificationKey by, DateTimeOffset given)
    {
        using var transaction = store.Begin();
        transaction.Put(Approvals, $"{model.ToHex()}/{by.Fingerprint.ToHex()}", [1], (given + ApprovalLifetime).ToUnixTimeMilliseconds());
        transaction.Commit();
    }

    /// <summary>Revokes all of a package for good, or a release by its lineage: the whole chain, the worker's start and its receipt key, so that the same worker cannot ask anew.</summary>
    internal void Revoke(KeyAuthorityUsed used)
    {
        using var transaction = store.Begin();
        List<string> names = used.IsOfPackage() ? [used.Model.ToHex()] : [];
        if (used.ReleaseId is { } release)
        {
            var (root, workers) = Workers(transaction, used.Model, release);
            if (workers.Count == 0)
                throw new InvalidDataException(Unknown(release));
            names.AddRange([Key(used.Model, release), Key(used.Model, root), .. workers]);
        }

        if (used.BootId is { } boot)
            names.Add(Boot(used.Model, boot));
        if (used.ReceiptKey is { } key)
            names.Add(Receipts(used.Model, key));
        names.ForEach(name => transaction.Put(Revocations, name, [1], null));
        transaction.Commit();
    }

    /// <summary>Why a release cannot be revoked; null when it can.</summary>
    internal string? WhyUnknown(Digest model, string release)
    {
        using var transaction = store.Begin();
        return Workers(transaction, model, release).Names.Count > 0 ? null : Unknown(release);
    }

    private static string Unknown(string release) =>
        $"This broker's store knows no worker of the release {release} of this model: it was never granted, or its lease ended more than {LineageLifetime.TotalDays:F0} days ago. Nothing was revoked; name the worker by its start or its receipt key instead.";

    /// <summary>The starts and receipt keys of a chain, those whose leases have lapsed too.</summary>
    private static (string Root, List<string> Names) Workers(IBrokerTransaction transaction, Digest model, string release)
    {
        var root = Root(transaction, model, release);
        List<string> names = [];
        foreach (var row in transaction.List(Roots, model.ToHex() + "/").Select(row => Descent.Read(row.Value)).Where(row => row.Root == root && row is { BootId: not null, ReceiptKey: not null }))
            names.AddRange([Boot(model, row.BootId!), Receipts(model, row.ReceiptKey!)]);
        foreach (var lease in All(transaction).Where(lease => lease.Model == model && (lease.Root == root || lease.ReleaseId == root)))
            names.AddRange([Boot(model, lease.BootId), Receipts(model, lease.ReceiptKey)]);
        return (root, [.. names.Distinct()]);
    }

    /// <summary>The leases that run.</summary>
    internal IReadOnlyList<KeyLeaseRecord> Running()
    {
        using var transaction = store.Begin();
        transaction.Expire(Leases, Now);
        var leases = All(transaction).ToList();
        transaction.Commit();
        return leases;
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static string Key(Digest model, string release) => $"{model.ToHex()}/{release}";

    private static string Boot(Digest model, string boot) => $"{model.ToHex()}/boot:{boot}";

    private static string Receipts(Digest model, VerificationKey key) => $"{model.ToHex()}/key:{key.Fingerprint.ToHex()}";

    /// <summary>The first release of a chain, as long as one of its leases ran lately; else the release itself.</summary>
    private static string Root(IBrokerTransaction transaction, Digest model, string release) =>
        transaction.Get(Roots, Key(model, release)) is { } row ? Descent.Read(row).Root : release;

    private static IEnumerable<KeyLeaseRecord> All(IBrokerTransaction transaction) =>
        transaction.List(Leases, "").Select(lease => JsonSerializer.Deserialize(lease.Value, BrokerJson.Default.KeyLeaseRecord)!);

    /// <summary>Policies and models go only forward, whatever file a broker was started with.</summary>
    private static void Floor(IBrokerTransaction transaction, LeaseQuestion one, Legs legs)
    {
        var mine = $"{one.Policy.Version.ToString("D10", CultureInfo.InvariantCulture)} {one.Policy.Digest()}";
        var highest = transaction.Get(Floors, "policy") is { } bytes ? Encoding.ASCII.GetString(bytes) : mine;
        var order = string.CompareOrdinal(mine[..10], highest[..10]);
        legs.Require("policy-version", order > 0 || mine == highest, order < 0
            ? $"the policy's version {one.Policy.Version} is below {int.Parse(highest[..10], CultureInfo.InvariantCulture)}, which was in force already" : $"another policy of version {one.Policy.Version} was in force already", code: "PolicyRollback");
        if (order > 0 || mine == highest)
            transaction.Put(Floors, "policy", Encoding.ASCII.GetBytes(mine), null);

        foreach (var (name, lowest) in one.Policy.MinimumModelVersions)
        {
            var before = transaction.Get(Floors, $"model/{name}") is { } held ? Encoding.UTF8.GetString(held) : null;
            if (before is null || ModelRule.Compare(lowest, before) > 0)
                transaction.Put(Floors, $"model/{name}", Encoding.UTF8.GetBytes(lowest), null);
        }

        var rule = one.Policy.Models.FirstOrDefault(model => model.Package == one.Evidence.Model);
        var floor = rule is { Name.Length: > 0 } && transaction.Get(Floors, $"model/{rule.Name}") is { } value ? Encoding.UTF8.GetString(value) : null;
        if (floor is null)
            legs.Waive("model-floor", "no lowest version of this model was ever in force");
        else
            legs.Require("model-floor", ModelRule.Compare(rule!.Version, floor) >= 0, $"{rule.Name} {rule.Version} is below {floor}, the lowest version that was ever in force", code: "ModelRollback");
    }

    /// <summary>Two people for the first release; one is enough to stop all.</summary>
    private static void Control(IBrokerTransaction transaction, LeaseQuestion one, string root, Legs legs)
    {
        var (model, rules) = (one.Evidence.Model.ToHex(), one.Policy.Release);
        if (rules.ApprovalsNeeded == 0)
            legs.Waive("approvals", "the policy asks for none");
        else if (transaction.Get(Released, model) is not null)
            legs.Waive("approvals", "the model's key was released before, with approvals");
        else
        {
            var given = rules.Approvers.Distinct().Count(approver => transaction.Get(Approvals, $"{model}/{approver.Fingerprint.ToHex()}") is not null);
            legs.Require("approvals", given >= rules.ApprovalsNeeded, $"{given} of {rules.ApprovalsNeeded} approvals were given for the first release of this model", code: "Approvals");
        }

        var of = one.Evidence.Model;
        (string Name, string What)[] asked = [(model, "the model's key is revoked"), (Key(of, one.Renews ?? root), "the release is revoked"), (Key(of, root), "the first release of this chain is revoked"),
            (Boot(of, one.Lease.BootId), "this start of the worker is revoked"), (Receipts(of, one.Lease.ReceiptKey), "this worker's receipt key is revoked")];
        var revoked = asked.FirstOrDefault(about => transaction.Get(Revocations, about.Name) is not null).What;
        legs.Require("not-revoked", revoked is null, revoked ?? "", code: "Revoked");
    }

    private static void Lease(IBrokerTransaction transaction, LeaseQuestion one, Legs legs)
    {
        var running = transaction.Count(Leases, one.Evidence.Model.ToHex() + "/");
        if (one.Renews is null)
        {
            legs.Waive("lease", "a first release");
            legs.Require("lease-limit", running < one.Policy.Release.MaximumLeases, $"{running} leases of this model run; the policy allows {one.Policy.Release.MaximumLeases}", code: "LeaseLimit");
            return;
        }

        var held = transaction.Get(Leases, Key(one.Evidence.Model, one.Renews)) is { } value ? JsonSerializer.Deserialize(value, BrokerJson.Default.KeyLeaseRecord) : null;
        var same = held is not null && held.BootId == one.Lease.BootId && held.ReceiptKey.Equals(one.Lease.ReceiptKey) && held.Platform == one.Lease.Platform;
        legs.Require("lease", same, held is null ? "there is no such lease, or it has ended" : "the lease is another worker's", code: "Lease");
        legs.Waive("lease-limit", "a renewal takes its lease's place");
    }
}
