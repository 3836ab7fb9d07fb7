namespace Bulwark.Policy.Evaluation;

/// <summary>One request under evaluation, and the error that the expression under way met.</summary>
/// <remarks>Errors are values, not exceptions: an error that a caller can provoke must cost no more than a decision.</remarks>
internal sealed class Evaluation(AuthorizationRequest request, EntityStore entities)
{
    internal AuthorizationRequest Request => request;

    internal EntityStore Entities => entities;

    internal string? Error { get; private set; }

    /// <summary>Notes the error; expressions return its null.</summary>
    internal CedarValue? Fail(string message)
    {
        Error = message;
        return null;
    }

    internal CedarValue? WrongType(string expected, CedarValue found) => Fail($"type error: expected {expected}, got {found.TypeName}");
}
