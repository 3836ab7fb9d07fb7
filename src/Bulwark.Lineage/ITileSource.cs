using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>A log's files as its readers see them: a folder, a web server, or something that makes them when asked.</summary>
internal interface ITileSource
{
    /// <summary>Where, for messages.</summary>
    string Place { get; }

    /// <summary>The signed checkpoint.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    byte[] ReadCheckpoint();

    /// <summary>The first hashes of a tile; a fuller file serves too, because tiles only grow.</summary>
    /// <exception cref="InvalidDataException">The file is missing or short.</exception>
    Digest[] ReadTile(int level, long index, int width);

    /// <summary>The first entries of a bundle.</summary>
    /// <exception cref="InvalidDataException">The file is missing, short or malformed.</exception>
    List<ReadOnlyMemory<byte>> ReadBundle(long index, int width);
}
