using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Attestation;

/// <summary>The measurement of a program: one digest of all the files that it is made of.</summary>
public static class Measurement
{
    /// <summary>Measures files by name and content; their order and their folders do not matter.</summary>
    /// <returns>SHA-256 over the label <c>bulwark.dev/measurement/v1</c> and a line <c>name sha256:hex</c> for each file, sorted by name (ordinal).</returns>
    /// <exception cref="ArgumentException">There is no file, or two have the same name.</exception>
    public static Digest OfFiles(IEnumerable<string> paths)
    {
        var files = paths.Select(path => (Name: Path.GetFileName(path), Path: path)).OrderBy(file => file.Name, StringComparer.Ordinal).ToList();
        if (files.Count == 0)
            throw new ArgumentException("There is nothing to measure.", nameof(paths));
        if (files.GroupBy(file => file.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ArgumentException($"Two files are called {twice.Key}.", nameof(paths));
        var text = new StringBuilder("bulwark.dev/measurement/v1\n");
        foreach (var (name, path) in files)
        {
            using var stream = File.OpenRead(path);
            text.Append(name).Append(' ').Append(new Digest(SHA256.HashData(stream))).Append('\n');
        }

        return Digest.Of(Encoding.UTF8.GetBytes(text.ToString()));
    }
}
