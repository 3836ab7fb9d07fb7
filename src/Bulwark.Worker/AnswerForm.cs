namespace Bulwark.Worker;

/// <summary>How an answer of the Open Inference Protocol V2 is written.</summary>
public enum AnswerForm
{
    /// <summary>JSON alone.</summary>
    Json = 0,

    /// <summary>A JSON head and the tensor's little-endian bytes behind it (binary tensor data extension).</summary>
    Binary,

    /// <summary>A <c>ModelInferResponse</c> message with typed contents.</summary>
    Message,

    /// <summary>A <c>ModelInferResponse</c> message with raw contents.</summary>
    RawMessage,
}
