using System.Reflection;

namespace Bulwark.Tests.Architecture;

/// <summary>What each assembly shows to others, as text that was approved: nothing becomes public, goes or changes unseen.</summary>
public class SurfaceTests
{
    private const string Approve = "BULWARK_APPROVE";
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static TheoryData<string> Rooms => [.. Directory.EnumerateDirectories(Path.Combine(RepositoryRoot.Path, "src")).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void An_assemblys_public_surface_is_what_was_approved(string room)
    {
        var file = Path.Combine(RepositoryRoot.Path, "test", "Bulwark.Tests", "Architecture", "Approved", $"{room}.txt");
        string[] shown = [.. Assembly.Load(room).GetExportedTypes().OrderBy(type => type.ToString(), StringComparer.Ordinal).SelectMany(Lines)];
        if (Environment.GetEnvironmentVariable(Approve) == "1")
            File.WriteAllLines(file, shown);
        var approved = File.Exists(file) ? File.ReadAllLines(file) : [];
        Assert.True(approved.SequenceEqual(shown), $"""
            {room} shows something else than {Path.GetRelativePath(RepositoryRoot.Path, file)} says.
            gone: {string.Join("; ", approved.Except(shown).Take(5))}
            new: {string.Join("; ", shown.Except(approved).Take(5))}
            Where that is meant: {Approve}=1 dotnet run --project test/Bulwark.Tests -- -class {typeof(SurfaceTests).FullName}
            """);
    }

    private static IEnumerable<string> Lines(Type type) =>
    [
        $"{(type.IsInterface ? "interface" : type.IsEnum ? "enum" : type.IsValueType ? "struct" : type is { IsAbstract: true, IsSealed: true } ? "static class" : type.IsAbstract ? "abstract class" : type.IsSealed ? "sealed class" : "class")} {type}"
            + (type.BaseType is { } parent && parent != typeof(object) && !type.IsValueType ? $" : {parent}" : ""),
        .. type.GetMembers(Declared).Where(IsShown).Select(member => "  " + Text(member)).Order(StringComparer.Ordinal),
    ];

    private static bool IsShown(MemberInfo member) => member.Name is not ("Equals" or "GetHashCode" or "ToString") && !member.Name.Contains('<', StringComparison.Ordinal) && member switch
    {
        ConstructorInfo or MethodInfo { IsSpecialName: false } => IsOpen((MethodBase)member),
        MethodInfo method => IsOpen(method) && method.Name.StartsWith("op_", StringComparison.Ordinal),
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsOpen),
        FieldInfo field => field.IsPublic || field.IsFamily,
        EventInfo @event => IsOpen(@event.AddMethod!),
        _ => false,   // nested types are listed by themselves
    };

    private static bool IsOpen(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Text(MemberInfo member) => member switch
    {
        PropertyInfo property => $"{property} {{ {string.Join(' ', property.GetAccessors(nonPublic: true).Where(IsOpen).Select(Accessor))} }}",
        FieldInfo { IsLiteral: true } field => FormattableString.Invariant($"{field} = {field.GetRawConstantValue()}"),
        MethodBase method => $"{(method.IsStatic ? "static " : "")}{(method is MethodInfo made ? made.ReturnType : "new")} {method.Name}({string.Join(", ", method.GetParameters().Select(parameter => $"{parameter}{(parameter.HasDefaultValue ? " = …" : "")}"))})",
        _ => member.ToString()!,
    };

    private static string Accessor(MethodInfo accessor) => accessor.Name.StartsWith("get_", StringComparison.Ordinal) ? "get"
        : accessor.ReturnParameter.GetRequiredCustomModifiers().Length > 0 ? "init" : "set";
}
