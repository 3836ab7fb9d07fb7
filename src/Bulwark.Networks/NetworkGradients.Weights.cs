using Bulwark.Networks.Kernels;

namespace Bulwark.Networks;

public sealed unsafe partial class NetworkGradients<T>
{
    private T[]? _reordered;
    private bool _loaded;
    private bool _loadedBeforeDense;

    /// <summary>True promises that nobody writes the parameters until it is false again: they are then read once, not at every call.</summary>
    public bool ParametersAreFixed
    {
        get;
        set => (field, _loaded, _loadedBeforeDense) = (value, false, false);
    }

    private void LoadWeights()
    {
        _rows = -1;
        if (ParametersAreFixed && _loaded)
            return;
        _loaded = true;
        _pass.Load(_network);
        for (var layer = 1; layer < _shape.Layers; layer++)
            LoadTransposed(layer);
    }

    /// <summary>What only gradients by the inputs need, or by convolutions.</summary>
    private void LoadBeforeDense(bool toInputs)
    {
        if (ParametersAreFixed && _loadedBeforeDense)
            return;
        _loadedBeforeDense = toInputs;
        if (_pass.Convolutions is null)
        {
            if (toInputs)
                LoadTransposed(0);
            return;
        }

        _pass.Convolutions.LoadBackward(_network, toInputs);
        LoadTransposed(0);
    }

    private void LoadTransposed(int layer)
    {
        var (inputs, outputs) = (_shape.LayerInputs(layer), _shape.LayerOutputs(layer));
        if (layer > 0 || _pass.Convolutions is not { } convolutions)
        {
            Transposition.Copy<T>(_network.Weights(layer), inputs, outputs, _transposed[layer]);
            return;
        }

        _reordered ??= new T[inputs * outputs];
        for (var input = 0; input < inputs; input++)
            _network.Weights(0).Slice(convolutions.FeatureOrder[input] * outputs, outputs).CopyTo(_reordered.AsSpan(input * outputs));
        Transposition.Copy<T>(_reordered, inputs, outputs, _transposed[0]);
    }
}
