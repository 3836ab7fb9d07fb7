using Bulwark.Cli.Keys;
using Bulwark.Cryptography;

namespace Bulwark.Tests.Cli;

public class KeyAgeTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 23, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(100, null)]
    [InlineData(2 * 365 - 10, "may protect new things until")]
    [InlineData(2 * 365 + 1, "should not have protected new things since")]
    [InlineData(6 * 365, "should not have protected new things since")]
    public void A_stores_key_is_warned_of_by_the_age_of_the_version_that_wraps(int days, string? said)
    {
        var warning = KeyStanding.WarningOf(Description(s_now.AddDays(-4000), s_now.AddDays(-days)), s_now);
        Assert.Equal(said is null, warning is null);
        Assert.Contains(said ?? "", warning ?? "", StringComparison.Ordinal);
        if (warning is not null)
            Assert.EndsWith("bulwark keys rotate vault:https://vault.example/transit/files", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_said_where_the_store_does_not_tell_the_age_or_no_version_wraps()
    {
        Assert.Null(KeyStanding.WarningOf(Description([null]), s_now));
        Assert.Null(KeyStanding.WarningOf(Description(), s_now));
    }

    private static KeyDescription Description(params DateTimeOffset?[] created)
    {
        var key = KeyUri.Parse("vault:https://vault.example/transit/files");
        return new(key, "aes256-gcm96", 256, "vault", Extractable: false, [.. created.Select((made, index) => new KeyVersion(KeyUri.Parse($"{key}@{index + 1}"), KeyState.Enabled, made))]);
    }
}
