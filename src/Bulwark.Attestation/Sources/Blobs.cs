namespace Bulwark.Attestation.Sources;

/// <summary>Files of the kernel or of a library OS: their length is not known before they end.</summary>
internal static class Blobs
{
    /// <exception cref="IOException">The file cannot be read, or is longer than <paramref name="largest"/>.</exception>
    internal static byte[] Read(string path, int largest)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        using var bytes = new MemoryStream();
        var block = new byte[4096];
        for (int read; (read = file.Read(block)) > 0;)
        {
            bytes.Write(block, 0, read);
            if (bytes.Length > largest)
                throw new IOException($"{path} has more than {largest} bytes.");
        }

        return bytes.ToArray();
    }
}
