using Bulwark.Policy.Evaluation;

namespace Bulwark.Policy.Syntax;

/// <summary>What stands behind <c>a.name(…)</c>.</summary>
internal static class Methods
{
    internal static bool Exists(string name) =>
        name is "contains" or "containsAll" or "containsAny" or "isEmpty" or "getTag" or "hasTag" || ExtensionFunction.Find(name, method: true) is not null;

    internal static Expression Create(string name, Expression receiver, List<Expression> arguments, Func<string, Exception> fault)
    {
        Expression Only() => arguments is [var one] ? one : throw fault($"'{name}' takes one argument, not {arguments.Count}.");
        return name switch
        {
            "contains" => new SetOperation(SetOperationKind.Contains, receiver, Only()),
            "containsAll" => new SetOperation(SetOperationKind.ContainsAll, receiver, Only()),
            "containsAny" => new SetOperation(SetOperationKind.ContainsAny, receiver, Only()),
            "isEmpty" => arguments.Count == 0 ? new IsEmpty(receiver) : throw fault("'isEmpty' takes no argument."),
            "getTag" => new TagAccess(get: true, receiver, Only()),
            "hasTag" => new TagAccess(get: false, receiver, Only()),
            _ => ExtensionFunction.Find(name, method: true) is { } function
                ? new ExtensionCall(function, [receiver, .. arguments])
                : throw fault(ExtensionFunction.Find(name) is null ? $"there is no method '{name}'." : $"'{name}' is a function: write {name}(…)."),
        };
    }
}
