namespace Bulwark.Server;

/// <summary>Why a request gets no answer: the HTTP status, a stable word, and a sentence for whoever sent it.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Reason">A stable word for metrics and the log, such as <c>wrong-shape</c>.</param>
/// <param name="Message">What is wrong and what would be right; never a value that the request held.</param>
internal readonly record struct Refusal(int Status, string Reason, string Message)
{
    /// <summary>The <c>error</c> member of the answer.</summary>
    internal string Text => $"{Reason}: {Message}";

    internal static Refusal Malformed(string message) => new(StatusCodes.Status400BadRequest, "malformed", message);

    internal static Refusal WrongShape(string message) => new(StatusCodes.Status400BadRequest, "wrong-shape", message);

    internal static Refusal WrongType(string message) => new(StatusCodes.Status400BadRequest, "wrong-type", message);
}
