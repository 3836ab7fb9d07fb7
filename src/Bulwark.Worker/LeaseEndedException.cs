namespace Bulwark.Worker;

/// <summary>The lease of the model's key is over: the worker has wiped key and model, and scores nothing until the key broker releases the key again.</summary>
public sealed class LeaseEndedException : IOException
{
    /// <param name="message">Since when and why; nothing secret.</param>
    public LeaseEndedException(string message) : base(message)
    {
    }
}
