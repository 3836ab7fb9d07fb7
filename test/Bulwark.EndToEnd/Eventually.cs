namespace Bulwark.EndToEnd;

/// <summary>Waits for what another process or thread brings about: how long that takes is the machine's business, so the limit is generous and nothing sleeps in hope.</summary>
internal static class Eventually
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    /// <summary>Asks until it is so; fails after three minutes.</summary>
    internal static async Task IsSoAsync(Func<Task<bool>> isSo)
    {
        var cancel = TestContext.Current.CancellationToken;
        for (var waited = System.Diagnostics.Stopwatch.StartNew(); !await isSo();)
        {
            Assert.True(waited.Elapsed < s_limit, $"It did not come about within {s_limit.TotalMinutes} minutes.");
            await Task.Delay(50, cancel);
        }
    }

    /// <summary>As the other, of what is known at once.</summary>
    internal static Task IsSoAsync(Func<bool> isSo) => IsSoAsync(() => Task.FromResult(isSo()));

    /// <summary>Tries until it succeeds; after three minutes the last failure is thrown.</summary>
    internal static async Task SucceedsAsync(Func<Task> attempt)
    {
        var cancel = TestContext.Current.CancellationToken;
        for (var waited = System.Diagnostics.Stopwatch.StartNew(); ;)
        {
            try
            {
                await attempt();
                return;
            }
            catch (Exception) when (waited.Elapsed < s_limit && !cancel.IsCancellationRequested)
            {
                await Task.Delay(50, cancel);
            }
        }
    }
}
