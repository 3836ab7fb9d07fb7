using Google.Protobuf;
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
                output.Contents = TensorContents.Write(tensor);
            message.Outputs.Add(output);
        }

        return message.ToByteArray();
    }

    /// <summary>A request to an upstream server: raw contents, and exactly the outputs that it must give.</summary>
    internal static ModelInferRequest Request(string model, string version, InferenceRequest request, IReadOnlyList<TensorSpec> wanted)
    {
        var message = new ModelInferRequest { ModelName = model, ModelVersion = version, Id = request.Id ?? "" };
        foreach (var input in request.Inputs)
        {
            message.Inputs.Add(new ModelInferRequest.Types.InferInputTensor { Name = input.Name, Datatype = input.Type.Word(), Shape = { input.Shape } });
            message.RawInputContents.Add(ByteString.CopyFrom(input.Bytes));
        }

        foreach (var output in wanted)
            message.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = output.Name });
        return message;
    }

    /// <summary>Reads an upstream server's answer: its output tensors, in the order asked for.</summary>
    /// <param name="message">The answer.</param>
    /// <param name="wanted">What was asked for; exactly these must be there, each once.</param>
    /// <param name="maximumRows">Most rows of a tensor.</param>
    /// <exception cref="InvalidDataException">The answer is not what was asked for.</exception>
    internal static Tensor[] ReadAnswer(ModelInferResponse message, IReadOnlyList<TensorSpec> wanted, int maximumRows)
    {
        if (message.Outputs.Count != wanted.Count || (message.RawOutputContents.Count > 0 && message.RawOutputContents.Count != wanted.Count))
            throw new InvalidDataException($"it gave {message.Outputs.Count} tensors and {message.RawOutputContents.Count} raw contents where {wanted.Count} were asked for");
        var read = new Tensor[wanted.Count];
        for (var i = 0; i < read.Length; i++)
        {
            var output = message.Outputs[i];
            var place = wanted.TakeWhile(one => one.Name != output.Name).Count();
            if (place == wanted.Count || read[place] is not null)
                throw new InvalidDataException("it gave a tensor that was not asked for, or one twice");
            var (type, shape) = (TensorTypes.Parse(output.Datatype), output.Shape.ToArray());
            if (TensorRules.Check(wanted[place], type, shape, maximumRows) is { } unfit)
                throw new InvalidDataException($"its answer breaks the protocol: {unfit.Text}");
            var raw = message.RawOutputContents.Count > 0;
            if (raw && output.Contents is not null)
                throw new InvalidDataException("it gave raw and typed contents of one tensor");
            read[place] = (raw ? Tensor.OfRaw(output.Name, type, shape, message.RawOutputContents[i].Span) : TensorContents.Read(output.Name, output.Contents, type, shape))
                ?? throw new InvalidDataException("a tensor's contents are not what its type and shape ask for");
        }

        return read;
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
        var tensor = raw ? Tensor.OfRaw(input.Name, type, shape, message.RawInputContents[index].Span) : TensorContents.Read(input.Name, input.Contents, type, shape);
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
}
