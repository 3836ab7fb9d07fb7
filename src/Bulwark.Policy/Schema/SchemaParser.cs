using Bulwark.Policy.Syntax;

namespace Bulwark.Policy.Schema;

/// <summary>Reads a schema in Cedar's own syntax.</summary>
/// <remarks>Source: the Cedar language reference, "Schema grammar"; RFC 24, 47 (annotations), 53 (enumerations), 82 (tags).</remarks>
internal sealed class SchemaParser(string source)
{
    private readonly TokenReader _reader = new(source);
    private readonly Dictionary<string, NamespaceSyntax> _namespaces = new(StringComparer.Ordinal);

    internal IReadOnlyCollection<NamespaceSyntax> Parse()
    {
        while (_reader.Current.Kind != TokenKind.End)
        {
            Annotations();
            if (_reader.Current.IsWord("namespace") && !_reader.Peek().Is("="))
                Namespace();
            else
                Declaration(Get(""));
        }

        return _namespaces.Values;
    }

    private NamespaceSyntax Get(string name) =>
        _namespaces.TryGetValue(name, out var known) ? known : _namespaces[name] = new(name);

    private void Namespace()
    {
        _reader.Next();
        var start = _reader.Current.Position;
        var name = Path().Path;
        if (_namespaces.ContainsKey(name))
            throw _reader.Fault(start, $"the namespace {name} is declared twice.");
        _reader.Expect("{");
        while (!_reader.Accept("}"))
        {
            Annotations();
            Declaration(Get(name));
        }
    }

    private void Annotations()
    {
        while (_reader.Accept("@"))
        {
            if (_reader.Current.Kind != TokenKind.Identifier)
                throw _reader.Fault($"expected an annotation's name, found {_reader.Current}.");
            _reader.Next();
            if (_reader.Accept("("))
            {
                _reader.Text("an annotation's value");
                _reader.Expect(")");
            }
        }
    }

    private void Declaration(NamespaceSyntax space)
    {
        if (_reader.AcceptWord("entity"))
            Entity(space);
        else if (_reader.AcceptWord("action"))
            Action(space);
        else if (_reader.AcceptWord("type"))
            CommonType(space);
        else
            throw _reader.Fault($"expected entity, action, type or namespace, found {_reader.Current}.");
        _reader.Expect(";");
    }

    private void CommonType(NamespaceSyntax space)
    {
        var start = _reader.Current.Position;
        var name = _reader.Identifier("a type's name");
        _reader.Expect("=");
        space.Types.Add(new(name, Type(), start));
    }

    private void Entity(NamespaceSyntax space)
    {
        var start = _reader.Current.Position;
        var names = Separated(() => _reader.Identifier("an entity type's name"));
        IReadOnlyList<NameSyntax> parents = [];
        TypeSyntax? attributes = null, tags = null;
        IReadOnlyList<string>? ids = null;
        if (_reader.AcceptWord("enum"))
        {
            _reader.Expect("[");
            ids = _reader.List("]", () => _reader.Text("an id"));
        }
        else
        {
            parents = _reader.AcceptWord("in") ? Types() : [];
            if (_reader.Accept("=") || _reader.Current.Is("{"))
                attributes = Record();
            tags = _reader.AcceptWord("tags") ? Type() : null;
        }

        foreach (var name in names)
            space.Entities.Add(new(name, parents, attributes, tags, ids, start));
    }

    private void Action(NamespaceSyntax space)
    {
        var start = _reader.Current.Position;
        var names = Separated(() => Name("an action's name"));
        IReadOnlyList<ActionReference> groups = [];
        if (_reader.AcceptWord("in"))
            groups = _reader.Accept("[") ? _reader.List("]", Group) : [Group()];
        IReadOnlyList<NameSyntax> principals = [], resources = [];
        TypeSyntax? context = null;
        if (_reader.AcceptWord("appliesTo"))
        {
            _reader.Expect("{");
            _reader.List("}", () =>
            {
                var role = _reader.Identifier("principal, resource or context");
                _reader.Expect(":");
                if (role == "principal")
                    principals = Types();
                else if (role == "resource")
                    resources = Types();
                else if (role == "context")
                    context = Type();
                else
                    throw _reader.Fault($"'{role}' is none of principal, resource and context.");
                return role;
            });
        }

        if (_reader.AcceptWord("attributes"))
        {
            _reader.Expect("{");
            _reader.Expect("}");
        }

        foreach (var name in names)
            space.Actions.Add(new(name, groups, principals, resources, context, start));
    }

    private ActionReference Group()
    {
        var start = _reader.Current.Position;
        if (_reader.Current.Kind == TokenKind.Text)
            return new(null, _reader.Text("an action"), start);
        var path = Path(beforeText: true).Path;
        return _reader.Accept("::") ? new(path, _reader.Text("an action"), start) : new(null, path, start);
    }

    private List<NameSyntax> Types() => _reader.Accept("[") ? _reader.List("]", () => Path()) : [Path()];

    private TypeSyntax Type() => _reader.Nested(ReadType);

    private TypeSyntax ReadType()
    {
        if (_reader.Current.Is("{"))
            return Record();
        var start = _reader.Current.Position;
        if (!_reader.Current.IsWord("Set") || !_reader.Peek().Is("<"))
            return Path();
        _reader.Next();
        _reader.Expect("<");
        var element = Type();
        _reader.Expect(">");
        return new SetSyntax(element, start);
    }

    private TypeSyntax Record()
    {
        var start = _reader.Current.Position;
        if (!_reader.Accept("{"))
            return Path();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var attributes = _reader.List("}", () =>
        {
            Annotations();
            var at = _reader.Current.Position;
            var name = Name("an attribute's name");
            if (!seen.Add(name))
                throw _reader.Fault(at, $"the attribute {CedarString.Quote(name)} is declared twice.");
            var required = !_reader.Accept("?");
            _reader.Expect(":");
            return new AttributeSyntax(name, required, Type());
        });
        return new RecordSyntax(attributes, start);
    }

    private List<string> Separated(Func<string> item)
    {
        var items = new List<string> { item() };
        while (_reader.Accept(","))
            items.Add(item());
        return items;
    }

    private string Name(string what)
    {
        if (_reader.Current.Kind == TokenKind.Text)
            return _reader.Text(what);
        return _reader.Current.Kind == TokenKind.Identifier ? _reader.Next().Text : throw _reader.Fault($"expected {what}, found {_reader.Current}.");
    }

    /// <summary>A path may begin with the reserved <c>__cedar</c>: the built-in types have that namespace.</summary>
    private NameSyntax Path(bool beforeText = false)
    {
        var start = _reader.Current.Position;
        var path = _reader.AcceptWord("__cedar") ? "__cedar" : _reader.Identifier("a type");
        while (_reader.Current.Is("::") && !(beforeText && _reader.Peek().Kind == TokenKind.Text))
        {
            _reader.Next();
            path += "::" + _reader.Identifier("a type");
        }

        return new(path, start);
    }
}
