using Bulwark.Cryptography;

namespace Bulwark.Tests.Cryptography;

public sealed class RewrapManyTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly KeyRing _ring;

    public RewrapManyTests()
    {
        _ring = KeyRingTests.Create(_folder);
        _ring.CreateSymmetric("files");
        _ring.CreateSymmetric("others");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_file_answers_for_itself_and_a_second_run_changes_nothing()
    {
        for (var i = 0; i < 40; i++)
            await SealAsync($"f{i}", "files");
        await SealAsync("broken", "files");
        var bytes = File.ReadAllBytes(_folder["broken"]);
        bytes[36] ^= 1;   // the file id, which everything is bound to
        File.WriteAllBytes(_folder["broken"], bytes);
        File.WriteAllText(_folder["plain"], "no sealed file at all");
        await _ring.RotateAsync(KeyUri.Parse("files"), Cancel);
        var uses = new List<KeyUse>();
        using var recorded = new KeyUseLog(_ring, "ada", "rewrap", (batch, _) => { uses.AddRange(batch); return default; }, owned: false);
        string[] paths = [.. Enumerable.Range(0, 40).Select(i => _folder[$"f{i}"]), _folder["broken"], _folder["plain"], _folder["absent"]];
        var results = await SealedFile.RewrapManyAsync(paths, recorded, Cancel);
        Assert.Equal([.. Enumerable.Repeat(RewrapOutcome.Rewrapped, 40), RewrapOutcome.Failed, RewrapOutcome.Failed, RewrapOutcome.Failed], results.Select(result => result.Outcome));
        Assert.Contains("cannot be opened", results[40].Reason);
        Assert.Equal((40, 40), (uses.Count(use => use.Operation == KeyOperation.Unwrap), uses.Count(use => use.Operation == KeyOperation.Wrap)));
        Assert.Equal(bytes, File.ReadAllBytes(_folder["broken"]));
        _ring.Destroy(new KeyId("files", 1));
        for (var i = 0; i < 40; i++)
            Assert.Equal($"content of f{i}", Read($"f{i}"));
        var before = File.ReadAllBytes(_folder["f0"]);
        Assert.All((await SealedFile.RewrapManyAsync(paths[..40], recorded, Cancel)), result => Assert.Equal(RewrapOutcome.Newest, result.Outcome));
        Assert.Equal(before, File.ReadAllBytes(_folder["f0"]));
    }

    [Fact]
    public async Task Files_of_other_stores_are_left_alone()
    {
        await SealAsync("ours", "files");
        using var elsewhere = new TemporaryFolder();
        using var theirs = KeyRingTests.Create(elsewhere);
        var result = Assert.Single(await SealedFile.RewrapManyAsync([_folder["ours"]], new KeyProviders([]), Cancel));
        Assert.Equal(RewrapOutcome.OfOthers, result.Outcome);
        Assert.Equal(RewrapOutcome.Failed, Assert.Single(await SealedFile.RewrapManyAsync([_folder["ours"]], theirs, Cancel)).Outcome);
    }

    [Theory]
    [InlineData("describe")]
    [InlineData("unwrap")]
    [InlineData("wrap")]
    public async Task A_key_that_cannot_be_asked_fails_its_files_and_no_others(string step)
    {
        await SealAsync("ours", "files");
        await SealAsync("down", "others");
        await _ring.RotateAsync(KeyUri.Parse("files"), Cancel);
        await _ring.RotateAsync(KeyUri.Parse("others"), Cancel);
        var before = File.ReadAllBytes(_folder["down"]);
        using var keys = new KeyDown(_ring, step, KeyUri.Parse("others"));
        var results = await SealedFile.RewrapManyAsync([_folder["down"], _folder["ours"]], keys, Cancel);
        Assert.Equal([RewrapOutcome.Failed, RewrapOutcome.Rewrapped], results.Select(result => result.Outcome));
        Assert.Contains("down", results[0].Reason);
        Assert.Equal(before, File.ReadAllBytes(_folder["down"]));
    }

    /// <summary>A store of which one key cannot be asked.</summary>
    private sealed class KeyDown(IKeyProvider store, string step, KeyUri down) : IKeyProvider
    {
        public string Scheme => store.Scheme;

        public bool Holds(KeyUri kek) => store.Holds(kek);

        public ValueTask<WrappedKey> WrapAsync(KeyUri kek, SecretBytes dataKey, KeyContext context, CancellationToken cancel = default) => store.WrapAsync(Asked("wrap", kek), dataKey, context, cancel);

        public ValueTask<SecretBytes> UnwrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default) => store.UnwrapAsync(Asked("unwrap", wrapped.Kek) == wrapped.Kek ? wrapped : null!, context, cancel);

        public ValueTask<WrappedKey> RewrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default) => store.RewrapAsync(wrapped, context, cancel);

        public ValueTask<KeyDescription> DescribeAsync(KeyUri kek, CancellationToken cancel = default) => store.DescribeAsync(Asked("describe", kek), cancel);

        public ValueTask<KeyDescription> RotateAsync(KeyUri kek, CancellationToken cancel = default) => store.RotateAsync(kek, cancel);

        public void Dispose()
        {
        }

        private KeyUri Asked(string what, KeyUri key) => what == step && key.Key == down ? throw new KeyProviderException("The key is down.") : key;
    }

    [Fact]
    public async Task What_cannot_be_recorded_is_not_done()
    {
        await SealAsync("f", "files");
        await _ring.RotateAsync(KeyUri.Parse("files"), Cancel);
        var before = File.ReadAllBytes(_folder["f"]);
        using var deaf = new KeyUseLog(_ring, "ada", "rewrap", (_, _) => throw new IOException("The log's disk is full."), owned: false);
        await Assert.ThrowsAsync<IOException>(() => SealedFile.RewrapManyAsync([_folder["f"]], deaf, Cancel));
        Assert.Equal(before, File.ReadAllBytes(_folder["f"]));
        Assert.Equal(RewrapOutcome.Rewrapped, Assert.Single(await SealedFile.RewrapManyAsync([_folder["f"]], _ring, Cancel)).Outcome);
    }

    [Fact]
    public async Task A_copy_that_an_interruption_left_behind_is_mended()
    {
        await SealAsync("f", "files");
        var old = File.ReadAllBytes(_folder["f"]);
        await _ring.RotateAsync(KeyUri.Parse("files"), Cancel);
        Assert.True(await SealedFile.RewrapAsync(_folder["f"], _ring, Cancel));
        var renewed = File.ReadAllBytes(_folder["f"]);
        var differing = Enumerable.Range(0, old.Length).Where(i => old[i] != renewed[i]).ToArray();
        var half = differing[0] + (differing[^1] - differing[0]) / 2;   // one copy of the slots is new, the other old
        foreach (var mixed in (byte[][])[[.. renewed[..half], .. old[half..]], [.. old[..half], .. renewed[half..]]])
        {
            File.WriteAllBytes(_folder["f"], mixed);
            Assert.Equal(RewrapOutcome.Rewrapped, Assert.Single(await SealedFile.RewrapManyAsync([_folder["f"]], _ring, Cancel)).Outcome);
            Assert.Equal("content of f", Read("f"));
            Assert.Equal(RewrapOutcome.Newest, Assert.Single(await SealedFile.RewrapManyAsync([_folder["f"]], _ring, Cancel)).Outcome);
        }
    }

    public void Dispose()
    {
        _ring.Dispose();
        _folder.Dispose();
    }

    private async Task SealAsync(string name, string key)
    {
        using var plain = new MemoryStream(System.Text.Encoding.UTF8.GetBytes($"content of {name}"));
        await using var file = File.Create(_folder[name]);
        await SealedFile.SealAsync(plain, file, new SealOptions { Recipients = [SealRecipient.Key(_ring, key)] }, cancel: Cancel);
    }

    private string Read(string name)
    {
        using var opened = SealedFile.Open(File.OpenRead(_folder[name]), _ring);
        using var reader = new StreamReader(opened);
        return reader.ReadToEnd();
    }
}
