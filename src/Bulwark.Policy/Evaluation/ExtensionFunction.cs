namespace Bulwark.Policy.Evaluation;

/// <summary>A named function over extension values, with the types that it takes and gives.</summary>
/// <param name="Name">The name in the language.</param>
/// <param name="IsMethod">Called as <c>a.name(…)</c>, else as <c>name(…)</c>.</param>
/// <param name="Parameters">Type names of the arguments, the receiver first.</param>
/// <param name="Result">Type name of the result.</param>
/// <param name="Body">The work; a null result is the error "overflow" or a malformed text.</param>
internal sealed record ExtensionFunction(string Name, bool IsMethod, string[] Parameters, string Result, Func<CedarValue[], CedarValue?> Body)
{
    private static readonly Dictionary<string, ExtensionFunction> All = Table().ToDictionary(function => function.Name, StringComparer.Ordinal);

    /// <summary>Makes an extension value from a text.</summary>
    internal bool IsConstructor => !IsMethod;

    internal static ExtensionFunction? Find(string name, bool method) =>
        All.TryGetValue(name, out var function) && function.IsMethod == method ? function : null;

    internal static ExtensionFunction? Find(string name) => All.GetValueOrDefault(name);

    internal CedarValue? Construct(string text) => Body([new CedarString(text)]);

    internal CedarValue? Call(CedarValue[] arguments, out string? error)
    {
        error = null;
        if (arguments.Length != Parameters.Length)
            error = $"{Name} takes {Parameters.Length} arguments, not {arguments.Length}";
        for (var i = 0; error is null && i < arguments.Length; i++)
            if (arguments[i].TypeName != Parameters[i])
                error = $"type error: {Name} expects {Parameters[i]}, got {arguments[i].TypeName}";
        if (error is not null)
            return null;
        var result = Body(arguments);
        if (result is null)
            error = IsConstructor ? $"{arguments[0]} is no {Result}" : $"overflow in {Name}";
        return result;
    }

    private static IEnumerable<ExtensionFunction> Table()
    {
        yield return new("ip", false, ["string"], "ipaddr", a => CedarAddress.TryParse(Text(a)));
        yield return new("isIpv4", true, ["ipaddr"], "bool", a => !Ip(a).IsV6);
        yield return new("isIpv6", true, ["ipaddr"], "bool", a => Ip(a).IsV6);
        yield return new("isLoopback", true, ["ipaddr"], "bool", a => Ip(a).IsLoopback);
        yield return new("isMulticast", true, ["ipaddr"], "bool", a => Ip(a).IsMulticast);
        yield return new("isInRange", true, ["ipaddr", "ipaddr"], "bool", a => Ip(a).IsInRange((CedarAddress)a[1]));

        yield return new("decimal", false, ["string"], "decimal", a => CedarDecimal.TryParse(Text(a)));
        yield return new("lessThan", true, ["decimal", "decimal"], "bool", a => Compare(a) < 0);
        yield return new("lessThanOrEqual", true, ["decimal", "decimal"], "bool", a => Compare(a) <= 0);
        yield return new("greaterThan", true, ["decimal", "decimal"], "bool", a => Compare(a) > 0);
        yield return new("greaterThanOrEqual", true, ["decimal", "decimal"], "bool", a => Compare(a) >= 0);

        yield return new("datetime", false, ["string"], "datetime", a => CedarDatetime.TryParse(Text(a)));
        yield return new("duration", false, ["string"], "duration", a => CedarDuration.TryParse(Text(a)));
        yield return new("offset", true, ["datetime", "duration"], "datetime", a => Time(a) + (Int128)((CedarDuration)a[1]).Milliseconds is var sum && Fits(sum) ? new CedarDatetime((long)sum) : null);
        yield return new("durationSince", true, ["datetime", "datetime"], "duration", a => Time(a) - (Int128)((CedarDatetime)a[1]).EpochMilliseconds is var gap && Fits(gap) ? new CedarDuration((long)gap) : null);
        yield return new("toDate", true, ["datetime"], "datetime", a => Time(a) - (Int128)TimeOfDay(Time(a)) is var midnight && Fits(midnight) ? new CedarDatetime((long)midnight) : null);
        yield return new("toTime", true, ["datetime"], "duration", a => new CedarDuration(TimeOfDay(Time(a))));
        yield return new("toMilliseconds", true, ["duration"], "long", a => Length(a));
        yield return new("toSeconds", true, ["duration"], "long", a => Length(a) / 1_000);
        yield return new("toMinutes", true, ["duration"], "long", a => Length(a) / 60_000);
        yield return new("toHours", true, ["duration"], "long", a => Length(a) / 3_600_000);
        yield return new("toDays", true, ["duration"], "long", a => Length(a) / CedarDatetime.DayMilliseconds);
    }

    private static string Text(CedarValue[] a) => ((CedarString)a[0]).Value;

    private static CedarAddress Ip(CedarValue[] a) => (CedarAddress)a[0];

    private static int Compare(CedarValue[] a) => ((CedarDecimal)a[0]).TenThousandths.CompareTo(((CedarDecimal)a[1]).TenThousandths);

    private static long Time(CedarValue[] a) => ((CedarDatetime)a[0]).EpochMilliseconds;

    private static long Length(CedarValue[] a) => ((CedarDuration)a[0]).Milliseconds;

    private static long TimeOfDay(long epoch) => ((epoch % CedarDatetime.DayMilliseconds) + CedarDatetime.DayMilliseconds) % CedarDatetime.DayMilliseconds;

    private static bool Fits(Int128 value) => value >= long.MinValue && value <= long.MaxValue;
}
