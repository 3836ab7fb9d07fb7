using Bulwark.Cryptography;
using Bulwark.Models;

namespace Bulwark.Tests.Models.Signing;

public sealed class DigestCacheTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly EcdsaPemSigner _signer = EcdsaPemSigner.Generate();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _signer.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Signing_again_reads_only_what_changed_and_verifying_reads_everything()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Digests are remembered only where the kernel gives change times.");
        Directory.CreateDirectory(_folder["model"]);
        for (var i = 0; i < 10; i++)
            await File.WriteAllTextAsync(_folder[$"model/{i}"], new string('x', 1000), Cancel);
        await Task.Delay(2200, Cancel);   // what is younger than two seconds is not remembered
        Assert.Equal(10_000, (await SignAsync()).HashedBytes);
        Assert.Equal(0, (await SignAsync()).HashedBytes);

        await File.WriteAllTextAsync(_folder["model/3"], new string('y', 1000), Cancel);
        File.SetLastWriteTimeUtc(_folder["model/3"], File.GetLastWriteTimeUtc(_folder["model/4"]));   // the change time cannot be set
        var again = await SignAsync();
        Assert.Equal(1000, again.HashedBytes);
        Assert.Equal(1000, (await SignAsync()).HashedBytes);   // too young still
        Assert.True((await VerifyAsync()).IsTrusted);

        File.Copy(_folder["model/5"], _folder["other"]);
        File.Move(_folder["other"], _folder["model/5"], overwrite: true);   // another inode with the same bytes
        Assert.Equal(2000, (await SignAsync()).HashedBytes);
    }

    [Fact]
    public async Task What_a_link_leads_to_is_what_is_remembered()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Digests are remembered only where the kernel gives change times.");
        Directory.CreateDirectory(_folder["model"]);
        await File.WriteAllTextAsync(_folder["one"], new string('1', 100), Cancel);
        await File.WriteAllTextAsync(_folder["two"], new string('2', 100), Cancel);
        File.CreateSymbolicLink(_folder["model/link"], _folder["one"]);
        await Task.Delay(2200, Cancel);   // what is younger than two seconds is not remembered
        Assert.Equal(100, (await SignAsync(allowLinks: true)).HashedBytes);
        Assert.Equal(0, (await SignAsync(allowLinks: true)).HashedBytes);
        File.WriteAllText(_folder["one"], new string('x', 100));   // the link itself stays as it was
        Assert.Equal(100, (await SignAsync(allowLinks: true)).HashedBytes);
        Assert.True((await VerifyAsync()).IsTrusted);
        File.Delete(_folder["model/link"]);
        File.CreateSymbolicLink(_folder["model/link"], _folder["two"]);
        Assert.Equal(100, (await SignAsync(allowLinks: true)).HashedBytes);
        Assert.True((await VerifyAsync()).IsTrusted);
    }

    [Fact]
    public async Task A_torn_or_foreign_cache_is_an_empty_one()
    {
        Directory.CreateDirectory(_folder["model"]);
        await File.WriteAllTextAsync(_folder["model/a"], "aaaa", Cancel);
        foreach (var text in new[] { "", "garbage", "bulwark-digests/v1\nx y\nsha256:00" })
        {
            await File.WriteAllTextAsync(_folder["cache"], text, Cancel);
            Assert.Equal(4, (await SignAsync()).HashedBytes);
            Assert.True((await VerifyAsync()).IsTrusted);
        }
    }

    private Task<ModelSignatureInfo> SignAsync(bool allowLinks = false) =>
        ModelSignature.SignAsync(_folder["model"], _folder["model.sig"], _signer, options: new() { CachePath = _folder["cache"], AllowLinks = allowLinks }, cancel: Cancel);

    private Task<ModelSignatureReport> VerifyAsync() => ModelSignature.VerifyAsync(_folder["model"], _folder["model.sig"], SignatureTrust.Key(_signer.PublicKey), cancel: Cancel);
}
