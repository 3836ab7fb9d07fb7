using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Inference;

namespace Bulwark.Server;

/// <summary>Between the protocol's messages (gRPC) and tensors, by the same rules as its JSON.</summary>
internal static class InferenceMessages
{
    private const int LongestId = 128;

    /// <summary>Reads a message; null and a refusal when it is not exactly what the model takes.</summary>
    internal static InferenceRequest? Read(ModelInferRequest message, ModelSignature model, out Refusal refusal)
    {
        refusal = default;
        if (message.Id.Length > LongestId)
            refusal = Refusal.Malformed($"The id may have {LongestId} characters.");
        else if (message.Inputs.Count != model.Inputs.Count)
            refusal = Refusal.WrongShape($"The model takes {model.Inputs.Count} tensors.");
        else if (message.RawInputContents.Count > 0 && message.RawInputContents.Count != message.Inputs.Count)
            refusal = Refusal.Malformed("Either every input has raw contents or none.");
        var inputs = new Tensor[model.Inputs.Count];
        for (var i = 0; i < message.Inputs.Count && refusal.Reason is null; i++)
            refusal = ReadInput(message, i, model, inputs);
        var outputs = refusal.Reason is null ? ReadOutputs(message, model, ref refusal) : [];
        return refusal.Reason is null ? new(message.Id.Length == 0 ? null : message.Id, inputs, outputs) : null;
    }

    /// <summary>Tensors as an answer.</summary>
    internal static byte[] Write(ModelSignature model, string? id, IReadOnlyList<Tensor> outputs, bool raw)
    {
        var message = new ModelInferResponse { ModelName = model.Name, ModelVersion = model.Version, Id = id ?? "" };
        foreach (var tensor in outputs)
        {
            var output = new ModelInferResponse.Types.InferOutputTensor { Name = tensor.Name, Datatype = tensor.Type.Word(), Shape = { tensor.Shape } };
            if (raw || !tensor.Type.HasJson())
                message.RawOutputContents.Add(ByteString.CopyFrom(tensor.Bytes));
            else
                output.Contents = ToContents(tensor);
            message.Outputs.Add(output);
        }

        return message.ToByteArray();
    }

    private static Refusal ReadInput(ModelInferRequest message, int index, ModelSignature model, Tensor[] inputs)
    {
        var input = message.Inputs[index];
        var place = -1;
        for (var i = 0; i < model.Inputs.Count && place < 0; i++)
            place = model.Inputs[i].Name == input.Name ? i : -1;
        if (place < 0)
            return new(StatusCodes.Status400BadRequest, "unknown-tensor", $"The model's tensors here are: {string.Join(", ", model.Inputs.Select(one => one.Name))}.");
        if (inputs[place] is not null)
            return Refusal.Malformed($"The tensor \"{input.Name}\" is there twice.");
        if (input.Parameters.Keys.Any(key => key.StartsWith("shared_memory", StringComparison.Ordinal)))
            return new(StatusCodes.Status400BadRequest, "unsupported", "Shared memory is not served here.");
        var type = TensorTypes.Parse(input.Datatype);
        long[] shape = [.. input.Shape];
        if (TensorRules.Check(model.Inputs[place], type, shape, model.MaximumRows) is { } unfit)
            return unfit;
        var raw = message.RawInputContents.Count > 0;
        if (raw && input.Contents is not null)
            return Refusal.Malformed("An input has raw and typed contents.");
        var tensor = raw ? Tensor.OfRaw(input.Name, type, shape, message.RawInputContents[index].Span) : OfContents(input, type, shape);
        if (tensor is null)
            return Refusal.WrongShape($"The contents of \"{input.Name}\" are not what its type and shape ask for.");
        inputs[place] = tensor;
        return default;
    }

    private static RequestedOutput[] ReadOutputs(ModelInferRequest message, ModelSignature model, ref Refusal refusal)
    {
        var raw = message.RawInputContents.Count > 0;
        if (message.Outputs.Count == 0)
            return [.. model.Outputs.Select(output => new RequestedOutput(output.Name, raw))];
        foreach (var output in message.Outputs)
            if (model.Outputs.All(known => known.Name != output.Name))
                refusal = new(StatusCodes.Status400BadRequest, "unknown-tensor", $"The model's outputs are: {string.Join(", ", model.Outputs.Select(one => one.Name))}.");
            else if (output.Parameters.ContainsKey("classification") || output.Parameters.Keys.Any(key => key.StartsWith("shared_memory", StringComparison.Ordinal)))
                refusal = new(StatusCodes.Status400BadRequest, "unsupported", "Shared memory and classification are not served here.");
        if (message.Outputs.DistinctBy(output => output.Name).Count() != message.Outputs.Count)
            refusal = Refusal.Malformed("An output is asked for twice.");
        return [.. message.Outputs.Select(output => new RequestedOutput(output.Name, raw))];
    }

    /// <summary>Typed contents: the one list of the tensor's type, and no other; null when it is not so.</summary>
    private static Tensor? OfContents(ModelInferRequest.Types.InferInputTensor input, TensorType type, long[] shape)
    {
        if (input.Contents is not { } contents || !type.HasJson())
            return null;
        var total = contents.BoolContents.Count + contents.IntContents.Count + contents.Int64Contents.Count + contents.UintContents.Count
            + contents.Uint64Contents.Count + contents.Fp32Contents.Count + contents.Fp64Contents.Count + contents.BytesContents.Count;
        if (total != Tensor.Elements(shape))
            return null;
        Array? values = type switch
        {
            TensorType.Fp32 => Exact(contents.Fp32Contents, total)?.ToArray(),
            TensorType.Fp64 => Exact(contents.Fp64Contents, total) is { } list ? MemoryMarshal.AsBytes<double>(list.ToArray()).ToArray() : null,
            TensorType.Bool => Exact(contents.BoolContents, total)?.Select(value => value ? (byte)1 : (byte)0).ToArray(),
            TensorType.Int64 => Exact(contents.Int64Contents, total) is { } list ? MemoryMarshal.AsBytes<long>(list.ToArray()).ToArray() : null,
            TensorType.Uint64 => Exact(contents.Uint64Contents, total) is { } list ? MemoryMarshal.AsBytes<ulong>(list.ToArray()).ToArray() : null,
            TensorType.Int8 or TensorType.Int16 or TensorType.Int32 => Narrow(Exact(contents.IntContents, total)?.Select(value => (long)value), type, -1L << ((8 * type.SizeInBytes()) - 1)),
            TensorType.Uint8 or TensorType.Uint16 or TensorType.Uint32 => Narrow(Exact(contents.UintContents, total)?.Select(value => (long)value), type, 0),
            TensorType.Bytes => Exact(contents.BytesContents, total)?.SelectMany(Prefixed).ToArray(),
            _ => null,
        };
        return values is null ? null : new(input.Name, type, shape, values);
    }

    private static RepeatedField<T>? Exact<T>(RepeatedField<T> list, int total) => list.Count == total ? list : null;

    /// <summary>Integers that must fit the narrower type.</summary>
    private static byte[]? Narrow(IEnumerable<long>? values, TensorType type, long least)
    {
        if (values is null)
            return null;
        var size = type.SizeInBytes();
        var most = least == 0 ? (1L << (8 * size)) - 1 : -least - 1;
        var bytes = new List<byte>();
        Span<byte> word = stackalloc byte[8];
        foreach (var value in values)
        {
            if (value < least || value > most)
                return null;
            BinaryPrimitives.WriteInt64LittleEndian(word, value);
            bytes.AddRange(word[..size]);
        }

        return [.. bytes];
    }

    private static IEnumerable<byte> Prefixed(ByteString text)
    {
        var bytes = new byte[4 + text.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, text.Length);
        text.Span.CopyTo(bytes.AsSpan(4));
        return bytes;
    }

    private static InferTensorContents ToContents(Tensor tensor)
    {
        var contents = new InferTensorContents();
        var bytes = tensor.Bytes.ToArray();
        switch (tensor.Type)
        {
            case TensorType.Fp32: contents.Fp32Contents.AddRange((float[])tensor.Values); break;
            case TensorType.Fp64: contents.Fp64Contents.AddRange(MemoryMarshal.Cast<byte, double>(bytes)); break;
            case TensorType.Bool: contents.BoolContents.AddRange(bytes.Select(value => value != 0)); break;
            case TensorType.Int64: contents.Int64Contents.AddRange(MemoryMarshal.Cast<byte, long>(bytes)); break;
            case TensorType.Uint64: contents.Uint64Contents.AddRange(MemoryMarshal.Cast<byte, ulong>(bytes)); break;
            case TensorType.Int8: contents.IntContents.AddRange(bytes.Select(value => (int)unchecked((sbyte)value))); break;
            case TensorType.Int16: contents.IntContents.AddRange(MemoryMarshal.Cast<byte, short>(bytes).ToArray().Select(value => (int)value)); break;
            case TensorType.Int32: contents.IntContents.AddRange(MemoryMarshal.Cast<byte, int>(bytes)); break;
            case TensorType.Uint8: contents.UintContents.AddRange(bytes.Select(value => (uint)value)); break;
            case TensorType.Uint16: contents.UintContents.AddRange(MemoryMarshal.Cast<byte, ushort>(bytes).ToArray().Select(value => (uint)value)); break;
            case TensorType.Uint32: contents.UintContents.AddRange(MemoryMarshal.Cast<byte, uint>(bytes)); break;
            case TensorType.Bytes: contents.BytesContents.AddRange(Tensor.Strings(bytes).Select(text => ByteString.CopyFrom(text.Span))); break;
            default: throw new InvalidOperationException($"{tensor.Type} has no typed contents.");
        }

        return contents;
    }
}
