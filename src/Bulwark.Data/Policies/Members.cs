using System.Text.Json;

namespace Bulwark.Data;

/// <summary>The members of one object of a policy: each is asked for once, and those never asked for are unknown.</summary>
internal sealed class Members
{
    private readonly JsonElement _element;
    private readonly string _path;
    private readonly List<string> _faults;
    private readonly List<string> _asked = [];

    internal Members(JsonElement element, string path, List<string> faults, string name = "")
    {
        (_element, _path, _faults, Name) = (element, path, faults, name);
        if (element.ValueKind != JsonValueKind.Object && name.Length == 0)
            Fault("", "holds no members");
    }

    /// <summary>The member's own name in the map that holds it.</summary>
    internal string Name { get; }

    internal string? Text(string name, bool required = false)
    {
        if (Find(name, required) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.String)
            return value.GetString();
        Fault(name, "must be text; put it in quotes");
        return null;
    }

    internal bool Flag(string name)
    {
        if (Find(name, required: false) is not { } value)
            return false;
        if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            Fault(name, "must be true or false");
        return value.ValueKind == JsonValueKind.True;
    }

    internal int? Whole(string name)
    {
        if (Find(name, required: false) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number))
            return number;
        Fault(name, "must be a whole number");
        return null;
    }

    internal double? Number(string name)
    {
        if (Find(name, required: false) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number))
            return number;
        Fault(name, "must be a number");
        return null;
    }

    internal T? Choice<T>(string name, bool required = false)
        where T : struct, Enum
    {
        if (Find(name, required) is not { } value)
            return null;
        var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        foreach (var choice in Enum.GetValues<T>())
        {
            if (Camel(choice.ToString()) == text)
                return choice;
        }

        Fault(name, $"must be one of {string.Join(", ", Enum.GetNames<T>().Select(Camel))}");
        return null;
    }

    /// <summary>The members of a map, each with its name.</summary>
    internal List<Members> Map(string name)
    {
        if (Find(name, required: false) is not { } value)
            return [];
        if (value.ValueKind == JsonValueKind.Object)
            return [.. value.EnumerateObject().Select(member => Child(member.Value, $"{Place(name)}.{member.Name}", member.Name))];
        Fault(name, "must be a map of names");
        return [];
    }

    internal List<Members> List(string name)
    {
        if (Find(name, required: false) is not { } value)
            return [];
        if (value.ValueKind == JsonValueKind.Array)
            return [.. value.EnumerateArray().Select((item, i) => Child(item, $"{Place(name)}[{i}]", $"{i}"))];
        Fault(name, "must be a list");
        return [];
    }

    /// <summary>This element itself as a list of texts.</summary>
    internal List<string> Texts()
    {
        if (_element.ValueKind == JsonValueKind.Array && _element.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String))
            return [.. _element.EnumerateArray().Select(item => item.GetString()!)];
        _faults.Add($"{_path} must be a list of texts.");
        return [];
    }

    /// <summary>Names the members that nobody asked for.</summary>
    internal void Done()
    {
        if (_element.ValueKind != JsonValueKind.Object)
        {
            if (Name.Length > 0)
                _faults.Add($"{_path} must hold members: {string.Join(", ", _asked)}.");
            return;
        }

        foreach (var member in _element.EnumerateObject().Where(member => !_asked.Contains(member.Name)))
            Fault(member.Name, $"is not known; there are {string.Join(", ", _asked)}");
    }

    private static Members Child(JsonElement element, string path, string name, List<string> faults) => new(element, path, faults, name);

    private Members Child(JsonElement element, string path, string name) => Child(element, path, name, _faults);

    private JsonElement? Find(string name, bool required)
    {
        _asked.Add(name);
        if (_element.ValueKind != JsonValueKind.Object)
            return null;
        if (_element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null)
            return value;
        if (value.ValueKind == JsonValueKind.Null)
            Fault(name, "has no value; give one or leave the member out");
        else if (required)
            Fault(name, "is missing");
        return null;
    }

    private string Place(string name) => _path.Length == 0 ? name : name.Length == 0 ? _path : $"{_path}.{name}";

    private void Fault(string name, string what) => _faults.Add($"{(Place(name) is { Length: > 0 } place ? place : "The policy")} {what}.");

    private static string Camel(string name) => char.ToLowerInvariant(name[0]) + name[1..];
}
