using System.Security.Cryptography;
using Bulwark.EndToEnd.Making;

namespace Bulwark.EndToEnd.Sealing;

public sealed class SealPipeTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-pipes");
    private readonly byte[] _content = RandomNumberGenerator.GetBytes(3_000_000);
    private string _recipient = "";

    public async ValueTask InitializeAsync() =>
        _recipient = (await CommandLine.RunAsync("seal", "identity", "-o", PathOf("me.key"), "--json")).Json.GetProperty("recipient").GetString()!;

    public ValueTask DisposeAsync()
    {
        Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("bulwark")]
    [InlineData("age")]
    public async Task A_pipe_is_sealed_and_opened_and_a_cut_one_gives_out_what_is_right_and_says_so(string format)
    {
        var (sealedCode, file, said) = await BuiltProgram.RunAsync(BuiltProgram.Start("seal", "-", "--to", _recipient, "--format", format), _content, Cancel);
        Assert.True(sealedCode == 0, said);
        var (code, plaintext, _) = await BuiltProgram.RunAsync(BuiltProgram.Start("open", "-", "-i", PathOf("me.key")), file, Cancel);
        Assert.Equal(0, code);
        Assert.True(plaintext.AsSpan().SequenceEqual(_content));

        var (cutCode, part, error) = await BuiltProgram.RunAsync(BuiltProgram.Start("open", "-", "-i", PathOf("me.key")), file[..^400_000], Cancel);
        Assert.Equal(1, cutCode);
        Assert.True(part.Length > 0 && _content.AsSpan().StartsWith(part));
        Assert.Contains($"The first {part.Length:N0} bytes are right", error, StringComparison.Ordinal);

        await File.WriteAllBytesAsync(PathOf("cut"), file[..^400_000], Cancel);
        Assert.Equal(1, (await CommandLine.RunAsync("open", PathOf("cut"), "-i", PathOf("me.key"), "-o", PathOf("out"))).Code);
        Assert.False(File.Exists(PathOf("out")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Age_reads_what_is_sealed_for_it_and_what_age_seals_is_read(bool armored)
    {
        RequireAge();
        string[] armor = armored ? ["-a"] : [];
        await File.WriteAllBytesAsync(PathOf("content"), _content, Cancel);
        Assert.Equal(0, (await CommandLine.RunAsync(["seal", PathOf("content"), "--format", "age", "--to", _recipient, "-o", PathOf("ours.age"), .. armor])).Code);
        var (code, plaintext, error) = await BuiltProgram.RunAsync(BuiltProgram.Start("age", ["-d", "-i", PathOf("me.key"), PathOf("ours.age")]), [], Cancel);
        Assert.True(code == 0, error);
        Assert.True(plaintext.AsSpan().SequenceEqual(_content));

        var (theirs, file, _) = await BuiltProgram.RunAsync(BuiltProgram.Start("age", ["-r", _recipient, .. armor]), _content, Cancel);
        Assert.Equal(0, theirs);
        await File.WriteAllBytesAsync(PathOf("theirs.age"), file, Cancel);
        Assert.Equal(0, (await CommandLine.RunAsync("open", PathOf("theirs.age"), "-i", PathOf("me.key"), "-o", PathOf("opened"))).Code);
        Assert.True((await File.ReadAllBytesAsync(PathOf("opened"), Cancel)).AsSpan().SequenceEqual(_content));
    }

    [Fact]
    public async Task A_range_goes_to_standard_output_and_nothing_else_does()
    {
        await File.WriteAllBytesAsync(PathOf("content"), _content, Cancel);
        Assert.Equal(0, (await CommandLine.RunAsync("seal", PathOf("content"), "--to", _recipient)).Code);
        foreach (var (range, from, to) in new[] { ("0-9", 0, 10), ("1048540-1048550", 1048540, 1048551), ("2999990-", 2_999_990, 3_000_000), ("-5", 2_999_995, 3_000_000) })
        {
            var (code, part, _) = await BuiltProgram.RunAsync(BuiltProgram.Start("open", PathOf("content.sealed"), "-i", PathOf("me.key"), "--range", range), [], Cancel);
            Assert.Equal(0, code);
            Assert.Equal(_content[from..to], part);
        }
    }

    internal static void RequireAge()
    {
        if ((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "age"))))
            return;
        if (Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail("age is missing: run eng/test-servers.sh.");
        Assert.Skip("age is missing: run eng/test-servers.sh.");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);
}
