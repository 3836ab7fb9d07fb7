namespace Bulwark.Policy.Evaluation;

/// <summary>A function or method of an extension type, such as <c>ip("10.0.0.1")</c> or <c>a.isInRange(b)</c>.</summary>
internal sealed class ExtensionCall : Expression
{
    private readonly CedarValue? _constant;

    internal ExtensionCall(ExtensionFunction function, IReadOnlyList<Expression> arguments) : base([.. arguments])
    {
        Function = function;
        Arguments = arguments;
        if (function.IsConstructor && arguments is [Literal { Value: CedarString text }])
            _constant = function.Construct(text.Value);
    }

    internal ExtensionFunction Function { get; }

    internal IReadOnlyList<Expression> Arguments { get; }

    internal override CedarValue? Evaluate(Evaluation at)
    {
        if (_constant is not null)
            return _constant;
        var values = new CedarValue[Arguments.Count];
        for (var i = 0; i < values.Length; i++)
        {
            if (Arguments[i].Evaluate(at) is not { } value)
                return null;
            values[i] = value;
        }

        return Function.Call(values, out var error) ?? at.Fail(error!);
    }
}
