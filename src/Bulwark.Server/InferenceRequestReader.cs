using System.Text.Json;

namespace Bulwark.Server;

/// <summary>One pass over a request's bytes. A member that is unknown, doubled or of the wrong type ends it; nothing is guessed.</summary>
internal ref struct InferenceRequestReader
{
    private const int LongestId = 128;
    private const int DeepestJson = 8;

    private readonly ReadOnlySpan<byte> _body;
    private readonly ModelSignature _model;
    private readonly List<float> _data;
    private Utf8JsonReader _json;
    private string? _id;
    private long _rows = -1;
    private long _width = -1;
    private bool _hasType;

    internal InferenceRequestReader(ReadOnlySpan<byte> body, ModelSignature model)
    {
        _body = body;
        _model = model;
        _data = new(model.Width);
        _json = new(body, new JsonReaderOptions { MaxDepth = DeepestJson, CommentHandling = JsonCommentHandling.Disallow, AllowTrailingCommas = false });
    }

    internal Refusal Refusal { get; private set; }

    internal InferenceRequest? Read()
    {
        try
        {
            return _json.Read() && ReadBody() && IsEnd() && IsWhole() ? new(_id, [.. _data], (int)_rows) : null;
        }
        catch (JsonException)
        {
            // Utf8JsonReader says only this way that the bytes are no JSON. Python's json writes bare NaN and Infinity: name them.
            Refusal = NextIs("NaN"u8) || NextIs("Infinity"u8) || NextIs("-Infinity"u8)
                ? new(StatusCodes.Status400BadRequest, "not-finite", "The data hold NaN or Infinity, which JSON has no number for; send null for a missing value.")
                : Refusal.Malformed("The body is no JSON document.");
            return null;
        }
        catch (InvalidOperationException)
        {
            // And this way that a string is no Unicode: wrong UTF-8, or half a surrogate pair behind an escape.
            Refusal = Refusal.Malformed("A string of the body is no valid Unicode.");
            return null;
        }
    }

    private bool ReadBody()
    {
        const int Id = 1, Parameters = 2, Inputs = 4, Outputs = 8;
        if (_json.TokenType is not JsonTokenType.StartObject)
            return Refuse(Refusal.Malformed("The body must be a JSON object with the member \"inputs\"."));
        for (var seen = 0; _json.Read() && _json.TokenType is JsonTokenType.PropertyName;)
        {
            var member = _json.ValueTextEquals("id"u8) ? Id : _json.ValueTextEquals("parameters"u8) ? Parameters
                : _json.ValueTextEquals("inputs"u8) ? Inputs : _json.ValueTextEquals("outputs"u8) ? Outputs : 0;
            if (!IsNew(member, ref seen, "The request"))
                return false;
            _json.Read();
            if (!(member switch { Id => ReadId(), Parameters => ReadParameters(), Inputs => ReadInputs(), _ => ReadOutputs() }))
                return false;
        }

        return _width >= 0 || Refuse(Refusal.Malformed("The request has no \"inputs\"."));
    }

    private bool ReadId()
    {
        if (_json.TokenType is not JsonTokenType.String || _json.ValueSpan.Length > LongestId)
            return Refuse(Refusal.Malformed($"\"id\" must be a string of at most {LongestId} bytes."));
        _id = _json.GetString();
        return true;
    }

    private bool ReadInputs()
    {
        if (_json.TokenType is not JsonTokenType.StartArray || !_json.Read() || _json.TokenType is not JsonTokenType.StartObject)
            return Refuse(Refusal.WrongShape($"\"inputs\" must be an array with one tensor, \"{ModelSignature.InputName}\"."));
        if (!ReadTensor())
            return false;
        _json.Read();
        return _json.TokenType is JsonTokenType.EndArray || Refuse(Refusal.WrongShape($"The model takes one tensor, \"{ModelSignature.InputName}\"; the request has more."));
    }

    private bool ReadTensor()
    {
        const int Name = 1, Shape = 2, Type = 4, Data = 8, Parameters = 16, Needed = 15;
        var seen = 0;
        while (_json.Read() && _json.TokenType is JsonTokenType.PropertyName)
        {
            var member = _json.ValueTextEquals("name"u8) ? Name : _json.ValueTextEquals("shape"u8) ? Shape : _json.ValueTextEquals("datatype"u8) ? Type
                : _json.ValueTextEquals("data"u8) ? Data : _json.ValueTextEquals("parameters"u8) ? Parameters : 0;
            if (!IsNew(member, ref seen, "The input"))
                return false;
            _json.Read();
            if (!(member switch { Name => ReadName(ModelSignature.InputName), Shape => ReadShape(), Type => ReadType(), Data => ReadData(), _ => ReadParameters() }))
                return false;
        }

        return (seen & Needed) == Needed || Refuse(Refusal.Malformed("An input needs \"name\", \"shape\", \"datatype\" and \"data\"."));
    }

    private bool ReadName(string expected) => (_json.TokenType is JsonTokenType.String && _json.ValueTextEquals(expected))
        || Refuse(new(StatusCodes.Status400BadRequest, "unknown-tensor", $"The model's only tensor here is called \"{expected}\"."));

    private bool ReadType()
    {
        _hasType = _json.TokenType is JsonTokenType.String && (_json.ValueTextEquals("FP32"u8) || _json.ValueTextEquals("FP64"u8));
        return _hasType || Refuse(new(StatusCodes.Status400BadRequest, "wrong-type", "\"datatype\" must be FP32 or FP64."));
    }

    private bool ReadShape()
    {
        var dimensions = 0;
        if (_json.TokenType is JsonTokenType.StartArray)
            for (; _json.Read() && _json.TokenType is JsonTokenType.Number && _json.TryGetInt64(out var size) && dimensions < 3; dimensions++)
                (_rows, _width) = dimensions == 0 ? (size, _width) : (_rows, size);
        if (_json.TokenType is not JsonTokenType.EndArray || dimensions != 2 || _width != _model.Width || _rows < 1)
            return Refuse(Refusal.WrongShape($"The shape must be [rows, {_model.Width}] with at least one row."));
        return _rows <= _model.MaximumRows || Refuse(TooManyRows());
    }

    /// <summary>All values in one array, or one array a row.</summary>
    private bool ReadData()
    {
        if (_json.TokenType is not JsonTokenType.StartArray)
            return Refuse(Refusal.WrongShape("\"data\" must be an array of numbers, or of rows of numbers."));
        var isNested = false;
        for (var first = true; _json.Read() && _json.TokenType is not JsonTokenType.EndArray; first = false)
        {
            var opensRow = _json.TokenType is JsonTokenType.StartArray;
            if (first)
                isNested = opensRow;
            if (opensRow != isNested)
                return Refuse(Refusal.WrongShape("\"data\" mixes numbers and rows."));
            if (!(opensRow ? ReadRow() : ReadValue()))
                return false;
        }

        return true;
    }

    private bool ReadRow()
    {
        var start = _data.Count;
        while (_json.Read() && _json.TokenType is not JsonTokenType.EndArray)
            if (!ReadValue())
                return false;
        return _data.Count - start == _model.Width || Refuse(Refusal.WrongShape($"A row of \"data\" has {_data.Count - start} values; the model takes {_model.Width}."));
    }

    private bool ReadValue()
    {
        if (_data.Count >= (long)_model.MaximumRows * _model.Width)
            return Refuse(TooManyRows());
        if (_json.TokenType is JsonTokenType.Null)
            _data.Add(float.NaN);
        else if (_json.TokenType is JsonTokenType.Number && _json.TryGetSingle(out var value))
            _data.Add(value);
        else
            return Refuse(new(StatusCodes.Status400BadRequest, "wrong-type", "\"data\" must hold numbers, or null for a missing value."));
        return true;
    }

    private bool ReadOutputs()
    {
        const int Name = 1, Parameters = 2;
        if (_json.TokenType is not JsonTokenType.StartArray)
            return Refuse(Refusal.Malformed("\"outputs\" must be an array."));
        while (_json.Read() && _json.TokenType is JsonTokenType.StartObject)
        {
            var seen = 0;
            while (_json.Read() && _json.TokenType is JsonTokenType.PropertyName)
            {
                var member = _json.ValueTextEquals("name"u8) ? Name : _json.ValueTextEquals("parameters"u8) ? Parameters : 0;
                if (!IsNew(member, ref seen, "The output"))
                    return false;
                _json.Read();
                if (!(member == Name ? ReadName(ModelSignature.OutputName) : ReadParameters()))
                    return false;
            }
        }

        return _json.TokenType is JsonTokenType.EndArray || Refuse(Refusal.Malformed("\"outputs\" must hold objects with a \"name\"."));
    }

    /// <summary>Parameters of clients are let through and ignored, but for the binary extension, whose bytes would be read wrongly.</summary>
    private bool ReadParameters()
    {
        if (_json.TokenType is not JsonTokenType.StartObject)
            return Refuse(Refusal.Malformed("\"parameters\" must be an object."));
        while (_json.Read() && _json.TokenType is JsonTokenType.PropertyName)
        {
            var isBinary = _json.ValueSpan.StartsWith("binary_data"u8);
            _json.Read();
            if (_json.TokenType is not (JsonTokenType.String or JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False))
                return Refuse(Refusal.Malformed("A parameter must be a string, a number or a boolean."));
            if (isBinary && _json.TokenType is not JsonTokenType.False)
                return Refuse(new(StatusCodes.Status400BadRequest, "unsupported", "The binary tensor extension is not built; send tensors as JSON."));
        }

        return true;
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

    private bool IsWhole() => _data.Count == _rows * _width
        || Refuse(Refusal.WrongShape($"The shape asks for {_rows * _width} values; \"data\" has {_data.Count}."));

    private readonly Refusal TooManyRows() => new(StatusCodes.Status413PayloadTooLarge, "too-many-rows", $"A request may have {_model.MaximumRows} rows.");

    private bool Refuse(Refusal refusal)
    {
        Refusal = refusal;
        return false;
    }

    private readonly bool NextIs(ReadOnlySpan<byte> word) =>
        _body[(int)long.Min(_json.BytesConsumed, _body.Length)..].TrimStart(" \t\r\n,"u8).StartsWith(word);
}
