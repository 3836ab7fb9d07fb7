namespace Bulwark.EndToEnd.Gateway;

/// <summary>Tests that each have a gateway's world of their own.</summary>
public abstract class GatewayTest : IAsyncLifetime
{
    private protected GatewayWorld World { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        World = await GatewayWorld.CreateAsync();
        await BeginAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        World?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>What a test needs beside the world, which is there.</summary>
    private protected virtual ValueTask BeginAsync() => default;

    /// <summary>Lets go of it; the world is still there.</summary>
    private protected virtual ValueTask EndAsync() => default;
}
