using System.Text.Json;

namespace Bulwark.Server;

/// <summary>One pass over a message's bytes. A member that is unknown, doubled or of the wrong type ends it; nothing is guessed.</summary>
/// <remarks>Source: Open Inference Protocol V2 (REST) and its binary tensor data extension. Reads requests, and upstream servers' answers by the same rules.</remarks>
internal ref struct InferenceMessageReader
{
    private const int LongestId = 128;
    private const int DeepestJson = 16;

    private readonly ReadOnlySpan<byte> _head;
    private readonly ModelSignature _model;
    private readonly IReadOnlyList<TensorSpec> _expected;
    private readonly bool _isRequest;
    private readonly List<RequestedOutput> _outputs = [];
    private ReadOnlySpan<byte> _raw;
    private Utf8JsonReader _json;
    private ParameterFacts _parameters;
    private bool _answersBinary;
    private bool _hasTensors;

    internal InferenceMessageReader(ReadOnlySpan<byte> body, int headBytes, ModelSignature model, IReadOnlyList<TensorSpec> expected, bool isRequest)
    {
        _head = body[..headBytes];
        _raw = body[headBytes..];
        _model = model;
        _expected = expected;
        _isRequest = isRequest;
        _json = new(_head, new JsonReaderOptions { MaxDepth = DeepestJson, CommentHandling = JsonCommentHandling.Disallow, AllowTrailingCommas = false });
    }

    internal string? Id { get; private set; }

    internal Tensor[]? Tensors { get; private set; }

    internal Refusal Refusal { get; private set; }

    /// <summary>What is asked for; every output when the request names none.</summary>
    internal readonly RequestedOutput[] RequestedOutputs()
    {
        if (_outputs.Count > 0)
            return [.. _outputs];
        var all = new RequestedOutput[_model.Outputs.Count];
        for (var i = 0; i < all.Length; i++)
            all[i] = new(_model.Outputs[i].Name, _answersBinary);
        return all;
    }

    internal bool Read()
    {
        try
        {
            return _json.Read() && ReadBody() && IsEnd() && IsWhole();
        }
        catch (JsonException)
        {
            // Utf8JsonReader says only this way that the bytes are no JSON. Python's json writes bare NaN and Infinity: name them.
            return Refuse(NextIs("NaN"u8) || NextIs("Infinity"u8) || NextIs("-Infinity"u8)
                ? new(StatusCodes.Status400BadRequest, "not-finite", "The data hold NaN or Infinity, which JSON has no number for; send null for a missing value.")
                : Refusal.Malformed("The body is no JSON document."));
        }
        catch (InvalidOperationException)
        {
            // And this way that a string is no Unicode: wrong UTF-8, or half a surrogate pair behind an escape.
            return Refuse(Refusal.Malformed("A string of the body is no valid Unicode."));
        }
    }

    private bool ReadBody()
    {
        const int IdMember = 1, Parameters = 2, Given = 4, Asked = 8, Model = 16, Version = 32;
        if (_json.TokenType is not JsonTokenType.StartObject)
            return Refuse(Refusal.Malformed("The body must be a JSON object with the member \"inputs\"."));
        for (var seen = 0; _json.Read() && _json.TokenType is JsonTokenType.PropertyName;)
        {
            var member = _json.ValueTextEquals("id"u8) ? IdMember : _json.ValueTextEquals("parameters"u8) ? Parameters
                : _json.ValueTextEquals("inputs"u8) && _isRequest ? Given : _json.ValueTextEquals("outputs"u8) ? _isRequest ? Asked : Given
                : !_isRequest && _json.ValueTextEquals("model_name"u8) ? Model : !_isRequest && _json.ValueTextEquals("model_version"u8) ? Version : 0;
            if (!IsNew(member, ref seen, "The request"))
                return false;
            _json.Read();
            if (!(member switch { IdMember => ReadId(), Parameters => ReadRequestParameters(), Given => ReadTensors(), Asked => ReadOutputs(), _ => IsText() }))
                return false;
        }

        return _hasTensors || Refuse(Refusal.Malformed("The request has no \"inputs\"."));
    }

    private bool IsText() => _json.TokenType is JsonTokenType.String || Refuse(Refusal.Malformed("A name or version is no string."));

    private bool ReadId()
    {
        if (_json.TokenType is not JsonTokenType.String || _json.ValueSpan.Length > LongestId)
            return Refuse(Refusal.Malformed($"\"id\" must be a string of at most {LongestId} bytes."));
        Id = _json.GetString();
        return true;
    }

    private bool ReadRequestParameters()
    {
        var isRead = ReadParameters();
        _answersBinary = _parameters.BinaryOutput ?? false;
        return isRead;
    }

    private bool ReadTensors()
    {
        if (_json.TokenType is not JsonTokenType.StartArray)
            return Refuse(Refusal.WrongShape("The tensors must be in an array."));
        _hasTensors = true;
        Tensors = new Tensor[_expected.Count];
        while (_json.Read() && _json.TokenType is JsonTokenType.StartObject)
            if (!ReadTensor())
                return false;
        if (_json.TokenType is not JsonTokenType.EndArray)
            return Refuse(Refusal.Malformed("The array of tensors must hold objects."));
        for (var i = 0; i < Tensors.Length; i++)
            if (Tensors[i] is null)
                return Refuse(Refusal.WrongShape($"The model takes a tensor \"{_expected[i].Name}\"; the request has none."));
        return true;
    }

    private bool ReadTensor()
    {
        const int Name = 1, ShapeMember = 2, Type = 4, Data = 8, Parameters = 16, Needed = 7;
        var (seen, place) = (0, -1);
        var type = TensorType.Unknown;
        long[]? shape = null;
        Array? values = null;
        Utf8JsonReader data = default;
        _parameters = default;
        while (_json.Read() && _json.TokenType is JsonTokenType.PropertyName)
        {
            var member = _json.ValueTextEquals("name"u8) ? Name : _json.ValueTextEquals("shape"u8) ? ShapeMember : _json.ValueTextEquals("datatype"u8) ? Type
                : _json.ValueTextEquals("data"u8) ? Data : _json.ValueTextEquals("parameters"u8) ? Parameters : 0;
            if (!IsNew(member, ref seen, "The tensor"))
                return false;
            _json.Read();
            var isRead = member switch
            {
                Name => ReadName(out place),
                ShapeMember => ReadShape(out shape),
                Type => ReadType(out type),
                Parameters => ReadParameters(),
                _ when (seen & Needed) == Needed => IsSound(place, type, shape!) && ReadData(ref _json, _expected[place], type, shape!, out values),   // the usual order: one pass
                _ => Remember(ref data),
            };
            if (!isRead)
                return false;
        }

        if ((seen & Needed) != Needed || ((seen & Data) == 0) == (_parameters.BinarySize is null))
            return Refuse(Refusal.Malformed("A tensor needs \"name\", \"shape\", \"datatype\", and either \"data\" or the parameter \"binary_data_size\"."));
        if (!IsSound(place, type, shape!))
            return false;
        if (_parameters.BinarySize is { } size)
            return TakeRaw(place, type, shape!, size);
        if (values is null && !ReadData(ref data, _expected[place], type, shape!, out values))
            return false;
        Tensors![place] = new(_expected[place].Name, type, shape!, values!);
        return true;
    }

    /// <summary>Data that come before their type and shape are read when both are known.</summary>
    private bool Remember(ref Utf8JsonReader data)
    {
        data = _json;
        return _json.TrySkip();
    }

    private bool ReadData(scoped ref Utf8JsonReader json, TensorSpec spec, TensorType type, long[] shape, out Array? values)
    {
        var reader = new TensorDataReader(spec, type, shape, _head.Length);
        values = reader.Read(ref json);
        return values is not null || Refuse(reader.Refusal);
    }

    private bool TakeRaw(int place, TensorType type, long[] shape, long size)
    {
        if (size > _raw.Length || Tensor.OfRaw(_expected[place].Name, type, shape, _raw[..(int)size]) is not { } tensor)
            return Refuse(Refusal.WrongShape("The raw bytes of a tensor are not what its type and shape ask for."));
        _raw = _raw[(int)size..];
        Tensors![place] = tensor;
        return true;
    }

    private bool ReadName(out int place)
    {
        place = -1;
        for (var i = 0; i < _expected.Count && place < 0; i++)
            if (_json.TokenType is JsonTokenType.String && _json.ValueTextEquals(_expected[i].Name))
                place = i;
        if (place < 0)
            return Refuse(UnknownTensor(_expected));
        return Tensors![place] is null || Refuse(Refusal.Malformed($"The tensor \"{_expected[place].Name}\" is there twice."));
    }

    private bool ReadType(out TensorType type)
    {
        type = _json.TokenType is JsonTokenType.String ? TensorTypes.Parse(_json.GetString()) : TensorType.Unknown;
        return type is not TensorType.Unknown || Refuse(Refusal.WrongType($"\"datatype\" must be one of {string.Join(", ", TensorTypes.All.Select(one => one.Word()))}."));
    }

    private bool ReadShape(out long[]? shape)
    {
        const int HighestRank = 8;
        shape = null;
        Span<long> sizes = stackalloc long[HighestRank];
        var rank = 0;
        if (_json.TokenType is JsonTokenType.StartArray)
            for (; _json.Read() && rank < HighestRank && _json.TokenType is JsonTokenType.Number && _json.TryGetInt64(out var size); rank++)
                sizes[rank] = size;
        if (_json.TokenType is not JsonTokenType.EndArray)
            return Refuse(Refusal.WrongShape($"\"shape\" must be an array of at most {HighestRank} whole numbers."));
        shape = sizes[..rank].ToArray();
        return true;
    }

    private bool IsSound(int place, TensorType type, long[] shape)
    {
        var refusal = TensorRules.Check(_expected[place], type, shape, _model.MaximumRows);
        return refusal is null || Refuse(refusal.Value);
    }

    private bool ReadOutputs()
    {
        const int Name = 1, Parameters = 2;
        if (_json.TokenType is not JsonTokenType.StartArray)
            return Refuse(Refusal.Malformed("\"outputs\" must be an array."));
        while (_json.Read() && _json.TokenType is JsonTokenType.StartObject)
        {
            var (seen, name) = (0, (string?)null);
            _parameters = default;
            while (_json.Read() && _json.TokenType is JsonTokenType.PropertyName)
            {
                var member = _json.ValueTextEquals("name"u8) ? Name : _json.ValueTextEquals("parameters"u8) ? Parameters : 0;
                if (!IsNew(member, ref seen, "The output"))
                    return false;
                _json.Read();
                if (!(member == Name ? ReadOutputName(out name) : ReadParameters()))
                    return false;
            }

            if (name is null)
                return Refuse(Refusal.Malformed("\"outputs\" must hold objects with a \"name\"."));
            _outputs.Add(new(name, _parameters.Binary ?? _answersBinary));
        }

        return _json.TokenType is JsonTokenType.EndArray || Refuse(Refusal.Malformed("\"outputs\" must hold objects with a \"name\"."));
    }

    private bool ReadOutputName(out string? name)
    {
        name = null;
        foreach (var output in _model.Outputs)
            if (_json.TokenType is JsonTokenType.String && _json.ValueTextEquals(output.Name))
                name = output.Name;
        if (name is null)
            return Refuse(UnknownTensor(_model.Outputs));
        foreach (var known in _outputs)
            if (known.Name == name)
                return Refuse(Refusal.Malformed($"The output \"{name}\" is asked for twice."));
        return true;
    }

    private bool ReadParameters()
    {
        _parameters = default;
        return _parameters.Read(ref _json, out var refusal) || Refuse(refusal);
    }

    private bool IsNew(int member, ref int seen, string what)
    {
        if (member == 0)
            return Refuse(Refusal.Malformed($"{what} has a member that the protocol does not know."));
        if ((seen & member) != 0)
            return Refuse(Refusal.Malformed($"{what} has a member twice."));
        seen |= member;
        return true;
    }

    private bool IsEnd() => !_json.Read();   // trailing bytes throw

    private bool IsWhole() => _raw.IsEmpty || Refuse(Refusal.Malformed("There are raw bytes behind the JSON that no tensor claims."));

    private static Refusal UnknownTensor(IReadOnlyList<TensorSpec> known) =>
        new(StatusCodes.Status400BadRequest, "unknown-tensor", $"The model's tensors here are: {string.Join(", ", known.Select(one => one.Name))}.");

    private bool Refuse(Refusal refusal)
    {
        Refusal = refusal;
        return false;
    }

    private readonly bool NextIs(ReadOnlySpan<byte> word) =>
        _head[(int)long.Min(_json.BytesConsumed, _head.Length)..].TrimStart(" \t\r\n,"u8).StartsWith(word);
}
