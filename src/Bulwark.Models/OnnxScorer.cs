using System.Security.Cryptography;
using Bulwark.Models.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Bulwark.Models;

/// <summary>Scores raw rows with ONNX Runtime: any model with one float matrix (rows, features) as input.</summary>
/// <remarks>
/// The score is found among the outputs: the only float output, else the one called <c>score</c> or after "prob". Two columns are the negative and the
/// positive class, of which the second is kept. An output that comes straight from Gemm, MatMul or Add holds logits and goes through the logistic
/// function or softmax; whatever else is no probability is refused. One thread a call, no spinning; the model is read from memory only.
/// </remarks>
public sealed class OnnxScorer : IScorer
{
    /// <summary>ONNX Runtime says what goes wrong by exceptions; its own lines on the error stream and its usage events are off, as no host of a model wants them.</summary>
    static OnnxScorer()
    {
        var quiet = new EnvironmentCreationOptions { logId = "bulwark", logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        var environment = OrtEnv.IsCreated ? OrtEnv.Instance() : OrtEnv.CreateInstanceWithOptions(ref quiet);
        environment.DisableTelemetryEvents();
    }

    private const int BatchRows = 4096;
    private readonly InferenceSession? _session;
    private bool _isDisposed;
    private readonly RunOptions _run = new();
    private readonly ScoreOutput _output;
    private readonly string[] _inputNames;
    private readonly string[] _outputNames;
    private readonly int _batchRows;
    private readonly ModelWeights? _weights;
    private readonly OutsideWeights? _outside;

    /// <param name="onnx">The bytes of an ONNX model, weights inside.</param>
    /// <exception cref="InvalidDataException">The bytes are no ONNX model that the runtime loads.</exception>
    /// <exception cref="NotSupportedException">The model has another input, or no output that is a score; the message says what to change.</exception>
    public OnnxScorer(ReadOnlySpan<byte> onnx)
        : this(onnx, null)
    {
    }

    /// <param name="onnx">The bytes of an ONNX model.</param>
    /// <param name="weights">The tensors that it keeps in <see cref="ModelFolder.WeightsName"/>: used in place, and held until this is disposed; null when all are inside.</param>
    /// <exception cref="InvalidDataException">The bytes are no ONNX model that the runtime loads.</exception>
    /// <exception cref="NotSupportedException">The model has another input, or no output that is a score; the message says what to change.</exception>
    public OnnxScorer(ReadOnlySpan<byte> onnx, ModelWeights? weights)
    {
        var graph = OnnxFile.Parse(onnx, weights is not null).Graph;
        var input = OnnxFile.OnlyInput(graph);
        Width = ScoreInput.WidthOf(input);
        _batchRows = ScoreInput.TakesOneRow(input) ? 1 : BatchRows;
        _output = ScoreOutput.Find(graph);
        _inputNames = [input.Name];
        _outputNames = [_output.Name];
        _weights = Hold(weights);
        try
        {
            (_session, _outside) = Load(onnx, graph, weights);
            Columns = ColumnsOf(Run(new float[Width], 1));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public int Width { get; }

    /// <inheritdoc/>
    public int Classes => Columns == 2 ? 1 : Columns;

    /// <summary>Numbers that the output has a row.</summary>
    private int Columns { get; }

    /// <inheritdoc/>
    public void Score(ReadOnlySpan<float> rawRows, int rows, Span<float> probabilities)
    {
        RowShape.Require(rawRows.Length, rows, Width, nameof(rawRows));
        RowShape.Require(probabilities.Length, rows, Classes, nameof(probabilities));
        for (var first = 0; first < rows; first += _batchRows)
        {
            var count = Math.Min(_batchRows, rows - first);
            var batch = rawRows.Slice(first * Width, count * Width).ToArray();
            _output.ToProbabilities(Run(batch, count), Columns, probabilities.Slice(first * Classes, count * Classes));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        _session?.Dispose();
        _run.Dispose();
        _outside?.Dispose();
        _weights?.DangerousRelease();
    }

    private static ModelWeights? Hold(ModelWeights? weights)
    {
        var held = false;
        weights?.DangerousAddRef(ref held);
        return weights;
    }

    private float[] Run(float[] batch, int rows)
    {
        try
        {
            using var input = OrtValue.CreateTensorValueFromMemory(batch, [rows, Width]);
            using var outputs = _session!.Run(_run, _inputNames, [input], _outputNames);
            return outputs[0].GetTensorDataAsSpan<float>().ToArray();
        }
        catch (OnnxRuntimeException fault)
        {
            throw new InvalidDataException($"The ONNX model does not run: {fault.Message}", fault);
        }
    }

    private int ColumnsOf(float[] oneRow) => oneRow.Length is > 0 and <= FeatureSchema.MostFeatures
        ? oneRow.Length : throw new NotSupportedException($"Output '{_output.Name}' has {oneRow.Length} numbers for one row; a score has one, or one a class.");

    private static (InferenceSession Session, OutsideWeights? Outside) Load(ReadOnlySpan<byte> onnx, GraphProto graph, ModelWeights? weights)
    {
        using var options = new SessionOptions
        {
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        options.AddSessionConfigEntry("session.inter_op.allow_spinning", "0");
        var outside = weights is null ? null : OutsideWeights.Add(options, graph, weights);
        var bytes = onnx.ToArray();
        try
        {
            return (new InferenceSession(bytes, options), outside);
        }
        catch (OnnxRuntimeException fault)
        {
            outside?.Dispose();
            throw new InvalidDataException($"ONNX Runtime does not load the model: {fault.Message}", fault);
        }
        finally
        {
            // The model may come out of a sealed package: this copy of it must not linger.
            CryptographicOperations.ZeroMemory(bytes);
        }
    }
}
