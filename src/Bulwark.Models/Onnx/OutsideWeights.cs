using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Bulwark.Models.Onnx;

/// <summary>Gives ONNX Runtime the tensors that a model keeps outside of itself, in place: from memory, never from a file. To be kept as long as the session.</summary>
/// <remarks>
/// By the runtime's C interface (onnxruntime_c_api.h; AddExternalInitializers since 1.18), for the managed wrapper does not offer it. Its table of functions only
/// grows, so a place in it is for ever. The runtime checks name, shape and type of each tensor against the graph's.
/// </remarks>
internal sealed unsafe partial class OutsideWeights : IDisposable
{
    private const uint ApiVersion = 18;
    private const int GetErrorMessage = 2, CreateTensor = 49, CreateMemoryInfo = 69, ReleaseStatus = 93, ReleaseMemoryInfo = 94, ReleaseValue = 96, AddExternalInitializers = 210;

    private readonly nint* _api;
    private readonly List<nint> _values = [];

    private OutsideWeights()
    {
        _api = (nint*)((delegate* unmanaged<uint, nint>)ApiBase()[0])(ApiVersion);
        if (_api is null)
            throw new InvalidDataException("ONNX Runtime is older than 1.18 and takes no weights from memory.");
    }

    /// <summary>Adds every outside tensor of <paramref name="graph"/> to the options of a session that is to be loaded.</summary>
    /// <exception cref="InvalidDataException">A tensor is not within the weights, or of a type that is not taken, or the runtime refuses it.</exception>
    internal static OutsideWeights Add(SessionOptions options, GraphProto graph, ModelWeights weights)
    {
        var outside = new OutsideWeights();
        var names = new List<nint>();
        try
        {
            foreach (var tensor in graph.Initializer.Where(OnnxFile.IsOutside))
            {
                names.Add(Marshal.StringToCoTaskMemUTF8(tensor.Name));
                outside.AddValue(tensor, weights);
            }

            outside.Add(options, [.. names]);
            return outside;
        }
        catch
        {
            outside.Dispose();
            throw;
        }
        finally
        {
            names.ForEach(Marshal.FreeCoTaskMem);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var value in _values)
            ((delegate* unmanaged<nint, void>)_api[ReleaseValue])(value);
        _values.Clear();
    }

    private void AddValue(TensorProto tensor, ModelWeights weights)
    {
        var width = tensor.DataType switch
        {
            2 or 3 => 1,   // uint8, int8
            10 or 16 => 2,   // float16, bfloat16
            1 or 6 => 4,   // float, int32
            7 or 11 => 8,   // int64, double
            var other => throw new InvalidDataException($"Tensor '{tensor.Name}' is outside of the model and of type {other}, which is taken only inside."),
        };
        var (offset, length) = ExternalWeights.Place(tensor, weights.Length);
        var expected = tensor.Dims.Aggregate((long)width, (product, dim) => dim < 0 ? throw new InvalidDataException($"Tensor '{tensor.Name}' has an impossible shape.") : checked(product * dim));
        if (length != expected || offset % width != 0)
            throw new InvalidDataException($"Tensor '{tensor.Name}' has {length} bytes at {offset}; its shape needs {expected}, at a multiple of {width}.");
        nint memory, value;
        Check(((delegate* unmanaged<int, int, nint*, nint>)_api[CreateMemoryInfo])(0, 0, &memory));
        try
        {
            fixed (long* shape = tensor.Dims.ToArray())
                Check(((delegate* unmanaged<nint, nint, nuint, long*, nuint, int, nint*, nint>)_api[CreateTensor])(memory, weights.At(offset, length), (nuint)length, shape, (nuint)tensor.Dims.Count, tensor.DataType, &value));
        }
        finally
        {
            ((delegate* unmanaged<nint, void>)_api[ReleaseMemoryInfo])(memory);
        }

        _values.Add(value);
    }

    private void Add(SessionOptions options, nint[] names)
    {
        fixed (nint* name = names, value = _values.ToArray())
            Check(((delegate* unmanaged<nint, nint*, nint*, nuint, nint>)_api[AddExternalInitializers])(options.DangerousGetHandle(), name, value, (nuint)names.Length));
    }

    private void Check(nint status)
    {
        if (status == 0)
            return;
        var message = Marshal.PtrToStringUTF8(((delegate* unmanaged<nint, nint>)_api[GetErrorMessage])(status));
        ((delegate* unmanaged<nint, void>)_api[ReleaseStatus])(status);
        throw new InvalidDataException($"ONNX Runtime does not take the weights: {message}");
    }

    [LibraryImport("onnxruntime", EntryPoint = "OrtGetApiBase")]
    private static partial nint* ApiBase();
}
