using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bulwark.Cryptography;

namespace Bulwark.Tests.Cryptography;

public class KeyRingUnlockingTests
{
    private static readonly KeyRingUnlock s_unlock = KeyRingUnlock.Passphrase("correct horse");

    [Fact]
    public void A_ring_of_before_is_opened_and_sealed_anew_by_what_is_asked_now()
    {
        using var folder = new TemporaryFolder();
        var secret = WriteVersion1(folder["ring"], iterations: 20_000);
        using (var ring = KeyRing.Open(folder["ring"], s_unlock))
        {
            Assert.Contains("600000 rounds", ring.UnlockedBy);
            Assert.Equal("data@1", Assert.Single(ring.List()).Id.ToString());
        }

        Assert.Contains("bulwark-keyring/v2", File.ReadAllText(folder["ring"]));
        Assert.DoesNotContain("20000", File.ReadAllText(folder["ring"]));
        using var again = KeyRing.Open(folder["ring"], s_unlock);
        using var derived = again.Derive("data", "x");
        Assert.Equal(HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 32, [], "bulwark.dev/derive/v1\nx"u8.ToArray()), derived.Span);
    }

    [Fact]
    public void A_ring_that_may_not_be_written_opens_all_the_same()
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
            return;   // permissions do not bind
        using var folder = new TemporaryFolder();
        WriteVersion1(folder["ring"], iterations: 20_000);
        File.SetUnixFileMode(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            using var ring = KeyRing.Open(folder["ring"], s_unlock);
            Assert.Single(ring.List());
        }
        finally
        {
            File.SetUnixFileMode(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Theory]
    [InlineData("pbkdf2-hmac-sha256", 9_999, 0, "rounds")]
    [InlineData("pbkdf2-hmac-sha256", 20_000_001, 0, "rounds")]
    [InlineData("argon2id", 3, 4_096, "memory")]
    [InlineData("argon2id", 3, 2_000_000, "memory")]
    [InlineData("argon2id", 17, 1_048_576, "passes")]
    [InlineData("argon2id", 0, 65_536, "passes")]
    public void A_hostile_ring_cannot_buy_weakness_or_hours(string kind, int passes, int memory, string reason)
    {
        using var folder = new TemporaryFolder();
        KeyRing.Create(folder["ring"], s_unlock).Dispose();
        var file = JsonNode.Parse(File.ReadAllText(folder["ring"]))!;
        file["kdf"] = JsonSerializer.SerializeToNode(new { kind, passes, memoryKibibytes = memory });
        File.WriteAllText(folder["ring"], file.ToJsonString());
        Assert.Contains(reason, Assert.Throws<CryptographicException>(() => KeyRing.Open(folder["ring"], s_unlock)).Message);
    }

    [Fact]
    public void Argon2id_opens_and_another_passphrase_does_not()
    {
        using var folder = new TemporaryFolder();
        var kdf = PassphraseDerivation.Argon2id(19 * 1024, 2);
        using (var ring = KeyRing.Create(folder["ring"], KeyRingUnlock.Passphrase("p", kdf)))
            ring.CreateSymmetric("data");
        using var opened = KeyRing.Open(folder["ring"], KeyRingUnlock.Passphrase("p"));
        Assert.Contains("Argon2id, 19 MiB, 2 passes", opened.UnlockedBy);
        Assert.Contains("wrong passphrase", Assert.Throws<CryptographicException>(() => KeyRing.Open(folder["ring"], KeyRingUnlock.Passphrase("q"))).Message);
        Assert.Throws<ArgumentException>(() => KeyRingUnlock.Passphrase(""));
    }

    [Fact]
    public void Another_unlocking_takes_effect_at_once_and_open_rings_say_so()
    {
        using var folder = new TemporaryFolder();
        using var ring = KeyRing.Create(folder["ring"], KeyRingUnlock.KeyFile(folder["old.key"]));
        ring.CreateSymmetric("data");
        using var other = KeyRing.Open(folder["ring"], KeyRingUnlock.KeyFile(folder["old.key"]));
        ring.ChangeUnlocking(KeyRingUnlock.KeyFile(folder["new.key"]));
        ring.CreateSymmetric("more");
        Assert.Throws<CryptographicException>(() => other.List());
        Assert.Throws<CryptographicException>(() => KeyRing.Open(folder["ring"], KeyRingUnlock.KeyFile(folder["old.key"])));
        using var reopened = KeyRing.Open(folder["ring"], KeyRingUnlock.KeyFile(folder["new.key"]));
        Assert.Equal(2, reopened.List().Count);
    }

    [Fact]
    public void A_ring_that_is_open_follows_when_another_process_raises_the_cost()
    {
        using var folder = new TemporaryFolder();
        KeyRing.Create(folder["ring"], s_unlock).Dispose();
        using var one = KeyRing.Open(folder["ring"], s_unlock);
        using var two = KeyRing.Open(folder["ring"], s_unlock);
        two.ChangeUnlocking(KeyRingUnlock.Passphrase("correct horse", PassphraseDerivation.Argon2id(19 * 1024, 2)));
        two.CreateSymmetric("data");
        Assert.Single(one.List());
        one.CreateSymmetric("more");
        Assert.Equal(2, two.List().Count);
    }

    [Fact]
    public void A_key_from_outside_is_marked_so_and_comes_in_once()
    {
        using var folder = new TemporaryFolder();
        using var ring = KeyRingTests.Create(folder);
        var key = RandomNumberGenerator.GetBytes(32);
        var id = ring.ImportSymmetric("data", key, new KeyNotes("columns", 90));
        Assert.Equal((true, "columns", 90), ring.List().Single() is var info ? (info.IsImported, info.Purpose, info.UseDays ?? 0) : default);
        Assert.Equal(HKDF.DeriveKey(HashAlgorithmName.SHA256, key, 32, [], "bulwark.dev/derive/v1\nx"u8.ToArray()), ring.Derive(id, "x").Span);
        Assert.Throws<InvalidOperationException>(() => ring.ImportSymmetric("again", key));
        Assert.Throws<ArgumentException>(() => ring.ImportSymmetric("short", key.AsSpan(1)));
        Assert.Throws<ArgumentException>(() => ring.ImportSymmetric("zeros", new byte[32]));
        using var signer = Signer.FromSeed(SHA256.HashData(key));
        Assert.Equal(signer.PublicKey, ring.PublicKey(ring.ImportSigning("signing", SHA256.HashData(key))));
        var next = ring.CreateSymmetric("data");
        Assert.Equal("columns", ring.List().Single(known => known.Id == next).Purpose);
    }

    [Theory]
    [InlineData(0, KeyState.Enabled, true, CryptoperiodStanding.Current)]
    [InlineData(699, KeyState.Enabled, true, CryptoperiodStanding.Current)]
    [InlineData(700, KeyState.Enabled, true, CryptoperiodStanding.EndsSoon)]
    [InlineData(730, KeyState.Enabled, true, CryptoperiodStanding.UseIsOver)]
    [InlineData(730, KeyState.Enabled, false, CryptoperiodStanding.Current)]
    [InlineData(730, KeyState.DecryptOnly, false, CryptoperiodStanding.Current)]
    [InlineData(1825, KeyState.DecryptOnly, false, CryptoperiodStanding.OpeningIsOver)]
    [InlineData(9999, KeyState.Destroyed, false, CryptoperiodStanding.Destroyed)]
    public void A_keys_time_runs_out_in_two_steps(int days, KeyState state, bool isCurrent, CryptoperiodStanding expected)
    {
        var now = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
        Assert.Equal(expected, Cryptoperiod.Of(KeyKind.Symmetric).StandingOf(state, now.AddDays(-days), now, isCurrent));
        Assert.Equal(CryptoperiodStanding.EndsSoon, Cryptoperiod.Of(KeyKind.Symmetric, 90).StandingOf(KeyState.Enabled, now.AddDays(-60), now, true));
        Assert.Equal(CryptoperiodStanding.Unknown, Cryptoperiod.Of(KeyKind.Symmetric).StandingOf(KeyState.Enabled, null, now, true));
    }

    /// <summary>A ring as version 1 wrote it, by another route than the product's code.</summary>
    private static byte[] WriteVersion1(string path, int iterations)
    {
        var (secret, salt, nonce) = (RandomNumberGenerator.GetBytes(32), RandomNumberGenerator.GetBytes(32), RandomNumberGenerator.GetBytes(12));
        var body = JsonSerializer.SerializeToUtf8Bytes(new[] { new { id = "data@1", kind = "symmetric", state = "enabled", created = DateTimeOffset.UtcNow, secret } });
        var cipher = new byte[body.Length];
        var tag = new byte[16];
        using var aes = new AesGcm(Rfc2898DeriveBytes.Pbkdf2("correct horse", salt, iterations, HashAlgorithmName.SHA256, 32), 16);
        aes.Encrypt(nonce, body, cipher, tag, Encoding.UTF8.GetBytes($"bulwark-keyring/v1\npassphrase\n{iterations}\n{Convert.ToBase64String(salt)}\n"));
        File.WriteAllText(path, JsonSerializer.Serialize(new { format = "bulwark-keyring/v1", unlock = "passphrase", iterations, salt, nonce, body = (byte[])[.. cipher, .. tag] }));
        return secret;
    }
}
