namespace Bulwark.Models;

/// <summary>What a file of a model folder is, by its bytes and not by its name.</summary>
public enum ModelFileKind
{
    /// <summary>Nothing that is known here; it was not looked into.</summary>
    Unknown = 0,

    /// <summary>An ONNX model.</summary>
    Onnx,

    /// <summary>A safetensors file: numbers only.</summary>
    Safetensors,

    /// <summary>Weights that an ONNX model of the same folder keeps outside of itself.</summary>
    ExternalData,

    /// <summary>A Python pickle, plain or inside an archive: a program.</summary>
    Pickle,

    /// <summary>An archive without a pickle.</summary>
    Archive,

    /// <summary>HDF5, as Keras writes it.</summary>
    Hdf5,

    /// <summary>Source code or a native library.</summary>
    Code,

    /// <summary>JSON, YAML, plain text.</summary>
    Text,
}

/// <summary>Something in a model file that would run, reach or hide more than numbers.</summary>
/// <param name="Rule">The rule's name, as docs/models.md lists it.</param>
/// <param name="Where">The file, and the place in it.</param>
/// <param name="Detail">What was found and what to do.</param>
/// <param name="Refuses">True when such a model is not to be loaded; false for what a reader should know.</param>
public sealed record ModelFinding(string Rule, string Where, string Detail, bool Refuses);

/// <summary>One file that was scanned.</summary>
/// <param name="Path">Relative to the folder that was scanned.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Bytes">Its size.</param>
public sealed record ScannedFile(string Path, ModelFileKind Kind, long Bytes);

/// <summary>What a scan found.</summary>
/// <param name="Files">Every file.</param>
/// <param name="Findings">Every finding, the refusing ones first.</param>
public sealed record ModelScanReport(IReadOnlyList<ScannedFile> Files, IReadOnlyList<ModelFinding> Findings)
{
    /// <summary>True when nothing refuses.</summary>
    public bool IsClean => Findings.All(finding => !finding.Refuses);
}
