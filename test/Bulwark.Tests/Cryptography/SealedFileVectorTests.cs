using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Interchange;

namespace Bulwark.Tests.Cryptography;

/// <summary>Files that an earlier build sealed: every later one must open them, and so must a decoder that knows only the specification.</summary>
public class SealedFileVectorTests
{
    private static readonly string s_folder = Path.Combine(RepositoryRoot.Path, "test", "Bulwark.Tests", "Cryptography", "SealedFileVectors");
    private static readonly JsonElement s_vectors = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(s_folder, "vectors.json"))).RootElement;

    public static TheoryData<string> Names() => [.. s_vectors.GetProperty("files").EnumerateArray().Select(file => file.GetProperty("file").GetString()!)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_committed_file_opens_and_the_reference_decoder_agrees(string name)
    {
        var vector = s_vectors.GetProperty("files").EnumerateArray().Single(file => file.GetProperty("file").GetString() == name);
        var bytes = await File.ReadAllBytesAsync(Path.Combine(s_folder, name), TestContext.Current.CancellationToken);
        using var pair = AgeIdentity.Parse(s_vectors.GetProperty("identity").GetString()!);
        await using var opened = await SealedFile.OpenAsync(new MemoryStream(bytes), [SealIdentity.X25519(pair)], cancel: TestContext.Current.CancellationToken);
        using var plaintext = new MemoryStream();
        await opened.CopyToAsync(plaintext, TestContext.Current.CancellationToken);
        Assert.Equal(vector.GetProperty("plaintextBytes").GetInt64(), plaintext.Length);
        Assert.Equal(vector.GetProperty("plaintextSha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(plaintext.ToArray())));

        var (binding, offset) = ReferenceDecoder.Header(bytes);
        Assert.Equal(vector.GetProperty("associatedData").GetString(), Convert.ToHexStringLower(binding));
        Assert.Equal(vector.GetProperty("payloadOffset").GetInt32(), offset);
        var key = Convert.FromHexString(vector.GetProperty("payloadKey").GetString()!);
        Assert.Equal(plaintext.ToArray(), opened.Info.Suite == SealSuite.Floe
            ? ReferenceDecoder.Floe(key, binding, bytes[offset..])
            : ReferenceDecoder.Cobblestone(key, binding, bytes[offset..]));
    }

    [Fact]
    public async Task The_committed_passphrase_opens_its_file()
    {
        var bytes = await File.ReadAllBytesAsync(Path.Combine(s_folder, "floe-small.sealed"), TestContext.Current.CancellationToken);
        await using var opened = await SealedFile.OpenAsync(new MemoryStream(bytes), [SealIdentity.Passphrase(s_vectors.GetProperty("passphrase").GetString()!)], cancel: TestContext.Current.CancellationToken);
        Assert.Equal("a small secret", await new StreamReader(opened).ReadToEndAsync(TestContext.Current.CancellationToken));
        Assert.Equal("fraud", opened.Info.Context["model"]);
    }
}
