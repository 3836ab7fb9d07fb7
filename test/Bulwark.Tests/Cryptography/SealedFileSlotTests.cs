using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Tests.Cryptography;

public sealed class SealedFileSlotTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly KeyRing _keys;
    private readonly X25519KeyPair _person = X25519KeyPair.Generate();

    public SealedFileSlotTests()
    {
        _keys = KeyRingTests.Create(_folder);
        _keys.CreateSymmetric("files");
    }

    public void Dispose()
    {
        _person.Dispose();
        _keys.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Each_recipient_opens_alone_and_nobody_else_does()
    {
        using var stranger = X25519KeyPair.Generate();
        var bytes = await Seal(
            SealRecipient.Key(_keys, "files"), SealRecipient.X25519(_person.PublicKey), SealRecipient.Passphrase("correct horse", PassphraseDerivation.Argon2id(19 * 1024, 2)),
            SealRecipient.Passphrase("staple", PassphraseDerivation.Pbkdf2Sha256()));
        foreach (var identity in new[] { SealIdentity.Keys(_keys), SealIdentity.X25519(_person), SealIdentity.Passphrase("staple") })
            Assert.Equal("secret", await Open(bytes, identity));
        var refused = await Assert.ThrowsAsync<CryptographicException>(() => Open(bytes, SealIdentity.X25519(stranger)));
        Assert.Equal(refused.Message, (await Assert.ThrowsAsync<CryptographicException>(() => Open(bytes, SealIdentity.Passphrase("wrong")))).Message);
        Assert.Equal("secret", await Open(bytes, SealIdentity.X25519(stranger), SealIdentity.Keys(_keys)));
        Assert.Equal(
            ["files@1", _person.PublicKey.ToString(), "passphrase (Argon2id, 19 MiB, 2 passes)", "passphrase (PBKDF2-HMAC-SHA-256, 600000 rounds)"],
            SealedFile.ReadInfo(new MemoryStream(bytes)).Slots.Select(slot => slot.Recipient));
    }

    [Fact]
    public async Task A_file_that_asks_for_too_much_work_is_refused_before_a_passphrase_is_tried()
    {
        var bytes = await Seal(SealRecipient.Passphrase("one", PassphraseDerivation.Argon2id(96 * 1024, 2)), SealRecipient.Passphrase("two", PassphraseDerivation.Pbkdf2Sha256(1_200_000)));   // 1 and 2 times the usual
        var refused = await Assert.ThrowsAsync<KeyProviderException>(() => Open(bytes, SealIdentity.Passphrase("one", mostWork: 2)));
        Assert.Contains("3 times", refused.Message);
        Assert.Contains("--accept-cost", refused.Advice);
        Assert.Equal("secret", await Open(bytes, SealIdentity.Passphrase("one", mostWork: 3)));
        Assert.Equal(1, PassphraseDerivation.Default.Work, 6);
        Assert.True(PassphraseDerivation.Argon2id(1024 * 1024, 16).Work > SealIdentity.UsualMostWork);
    }

    [Fact]
    public async Task Slots_that_nobody_proved_are_named_only_until_the_file_is_opened()
    {
        using var stranger = X25519KeyPair.Generate();
        var bytes = await Seal(SealRecipient.Key(_keys, "files"));
        var header = SealedFileHeader.Read(new MemoryStream(bytes));
        var forged = SealedFileCbor.WriteSlots([new X25519Slot(stranger.PublicKey, new byte[32], new byte[48])]);
        bytes.AsSpan(header.RegionStart(0), header.RegionSize).Clear();
        forged.CopyTo(bytes, header.RegionStart(0));   // the first copy names somebody else, and its MAC is wrong
        Assert.Equal([stranger.PublicKey.ToString(), "files@1"], SealedFile.ReadInfo(new MemoryStream(bytes)).Slots.Select(slot => slot.Recipient));
        await using var opened = await SealedFile.OpenAsync(new MemoryStream(bytes), [SealIdentity.Keys(_keys)], cancel: TestContext.Current.CancellationToken);
        Assert.Equal("files@1", Assert.Single(opened.Info.Slots).Recipient);
        var (dataKey, by, info) = await SealedFile.ProveDataKeyAsync(new MemoryStream(bytes), [SealIdentity.Keys(_keys)], TestContext.Current.CancellationToken);
        dataKey.Dispose();
        Assert.Equal(("files@1", "files@1"), (by.Recipient, Assert.Single(info.Slots).Recipient));
    }

    [Fact]
    public async Task A_rewrap_changes_who_opens_and_no_byte_of_the_payload()
    {
        var path = await Write(SealRecipient.Key(_keys, "files"), SealRecipient.X25519(_person.PublicKey));
        var before = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        _keys.CreateSymmetric("files");
        Assert.True(await SealedFile.RewrapAsync(path, _keys, TestContext.Current.CancellationToken));
        Assert.False(await SealedFile.RewrapAsync(path, _keys, TestContext.Current.CancellationToken));
        _keys.Destroy(new KeyId("files", 1));
        var after = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal("secret", await Open(after, SealIdentity.Keys(_keys)));
        Assert.Equal("secret", await Open(after, SealIdentity.X25519(_person)));
        await Assert.ThrowsAsync<CryptographicException>(() => Open(before, SealIdentity.Keys(_keys)));
        var header = SealedFileHeader.Read(new MemoryStream(after));
        Assert.Equal(before.Length, after.Length);
        Assert.Equal(before[..header.RegionStart(0)], after[..header.RegionStart(0)]);
        Assert.Equal(before[header.RegionStart(2)..], after[header.RegionStart(2)..]);
        Assert.False(header.Info.NeedsMending);
    }

    [Fact]
    public async Task Recipients_are_added_replaced_and_removed()
    {
        var path = await Write(SealRecipient.Key(_keys, "files"));
        await SealedFile.RewrapAsync(path, [SealIdentity.Keys(_keys)], (change, cancel) => change.AddAsync(SealRecipient.X25519(_person.PublicKey), cancel), TestContext.Current.CancellationToken);
        await SealedFile.RewrapAsync(path, [SealIdentity.X25519(_person)], (change, _) =>
        {
            change.Remove(change.Slots[0]);
            return ValueTask.CompletedTask;
        }, TestContext.Current.CancellationToken);
        var bytes = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal("secret", await Open(bytes, SealIdentity.X25519(_person)));
        await Assert.ThrowsAsync<CryptographicException>(() => Open(bytes, SealIdentity.Keys(_keys)));
        Assert.DoesNotContain("files@1", System.Text.Encoding.Latin1.GetString(bytes));   // neither copy keeps the old slot
        await Assert.ThrowsAsync<InvalidOperationException>(() => SealedFile.RewrapAsync(path, [SealIdentity.X25519(_person)], (change, _) =>
        {
            change.Remove(change.Slots[0]);
            return ValueTask.CompletedTask;
        }, TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<CryptographicException>(() => SealedFile.RewrapAsync(path, _keys, TestContext.Current.CancellationToken));
        Assert.Equal(bytes, await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_rewrap_torn_at_any_byte_leaves_a_file_that_opens_and_that_the_next_rewrap_mends()
    {
        var path = await Write(SealRecipient.Key(_keys, "files"), SealRecipient.X25519(_person.PublicKey));
        var old = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        _keys.CreateSymmetric("files");
        await SealedFile.RewrapAsync(path, _keys, TestContext.Current.CancellationToken);
        var renewed = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        var header = SealedFileHeader.Read(new MemoryStream(old));
        using var noise = new MemoryStream();
        for (var copy = 0; copy < 2; copy++)
        {
            for (var length = 0; length <= header.RegionSize; length += length < 300 || length > header.RegionSize - 40 ? 1 : 31)
            {
                var cut = header.RegionStart(copy) + length;
                byte[] torn = [.. renewed[..cut], .. old[cut..]];
                Assert.Equal("secret", await Open(torn, SealIdentity.Keys(_keys)));
                if (length % 50 != 0)
                    continue;
                torn.AsSpan(cut, Math.Min(512, header.RegionStart(copy + 1) - cut)).Fill(0xa5);   // a sector that came out as neither
                await File.WriteAllBytesAsync(path, torn, TestContext.Current.CancellationToken);
                await SealedFile.RewrapAsync(path, _keys, TestContext.Current.CancellationToken);
                var mended = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
                Assert.False(SealedFile.ReadInfo(new MemoryStream(mended)).NeedsMending);
                Assert.Equal("files@2", SealedFile.ReadInfo(new MemoryStream(mended)).Slots[0].Recipient);
                Assert.Equal("secret", await Open(mended, SealIdentity.Keys(_keys)));
            }
        }
    }

    [Fact]
    public async Task Slots_grow_with_their_first_recipients_and_say_when_they_are_full()
    {
        var many = Enumerable.Range(0, 30).Select(_ => SealRecipient.X25519(_person.PublicKey)).ToArray();
        Assert.Equal("secret", await Open(await Seal(many), SealIdentity.X25519(_person)));
        var path = _folder["full"];
        using (var file = File.Create(path))
            await SealedFile.SealAsync(new MemoryStream(), file, new SealOptions { Recipients = [SealRecipient.Key(_keys, "files")], SlotCapacityInBytes = 512 }, cancel: TestContext.Current.CancellationToken);
        var before = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        var full = await Assert.ThrowsAsync<InvalidOperationException>(() => SealedFile.RewrapAsync(path, [SealIdentity.Keys(_keys)], async (change, cancel) =>
        {
            foreach (var one in many)
                await change.AddAsync(one, cancel);
        }, TestContext.Current.CancellationToken));
        Assert.Contains("room for 512", full.Message);
        Assert.Equal(before, await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<ArgumentException>(() => Seal([.. Enumerable.Repeat(many[0], 65)]));
        await Assert.ThrowsAsync<ArgumentException>(() => Seal());
    }

    [Fact]
    public async Task Passphrase_costs_out_of_bounds_are_neither_written_nor_read()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => PassphraseDerivation.Pbkdf2Sha256(599_999));
        Assert.Throws<ArgumentOutOfRangeException>(() => PassphraseDerivation.Argon2id(8 * 1024, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => PassphraseDerivation.Argon2id(2 * 1024 * 1024, 3));
        var bytes = await Seal(SealRecipient.Passphrase("phrase", PassphraseDerivation.Argon2id(19 * 1024, 2)));
        byte[] stated = [0x19, 0x4c, 0x00, 0x02], hostile = [0x19, 0x4c, 0x00, 0x17];   // CBOR: 19,456 KiB; 2 passes or 23
        for (int at; (at = bytes.AsSpan().IndexOf(stated)) >= 0;)
            hostile.CopyTo(bytes.AsSpan(at));
        Assert.Throws<InvalidDataException>(() => SealedFile.ReadInfo(new MemoryStream(bytes)));
        await Assert.ThrowsAsync<InvalidDataException>(() => Seal([.. Enumerable.Repeat(SealRecipient.Passphrase("phrase", PassphraseDerivation.Argon2id(19 * 1024, 2)), 5)]));
    }

    [Fact]
    public async Task Two_rewraps_of_one_file_at_once_are_refused()
    {
        var path = await Write(SealRecipient.Key(_keys, "files"));
        await SealedFile.RewrapAsync(path, [SealIdentity.Keys(_keys)], async (change, _) =>
            await Assert.ThrowsAsync<IOException>(() => SealedFile.RewrapAsync(path, _keys, TestContext.Current.CancellationToken)), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task The_exported_payload_key_opens_the_payload_as_a_plain_floe_message()
    {
        var bytes = await Seal(SealRecipient.Key(_keys, "files"));
        using var dataKey = SealedFile.UnwrapDataKey(new MemoryStream(bytes), _keys);
        var (key, associated, offset) = SealedFile.ExportPayloadKey(new MemoryStream(bytes), dataKey.Span);
        using (key)
            Assert.Equal("secret"u8, Floe.Decrypt(key.Span, associated, bytes.AsSpan((int)offset)));
        Assert.Throws<CryptographicException>(() => SealedFile.ExportPayloadKey(new MemoryStream(bytes), new byte[32]));
    }

    private static async Task<byte[]> Seal(params SealRecipient[] recipients)
    {
        using var destination = new MemoryStream();
        await SealedFile.SealAsync(new MemoryStream("secret"u8.ToArray()), destination, new SealOptions { Recipients = recipients }, cancel: TestContext.Current.CancellationToken);
        return destination.ToArray();
    }

    private async Task<string> Write(params SealRecipient[] recipients)
    {
        var path = _folder["sealed"];
        await File.WriteAllBytesAsync(path, await Seal(recipients), TestContext.Current.CancellationToken);
        return path;
    }

    private static async Task<string> Open(byte[] bytes, params SealIdentity[] identities)
    {
        await using var opened = await SealedFile.OpenAsync(new MemoryStream(bytes), identities, cancel: TestContext.Current.CancellationToken);
        return await new StreamReader(opened).ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
