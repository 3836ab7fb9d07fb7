using Bulwark.Cryptography;

namespace Bulwark.Attestation;

/// <summary>A model package whose key may be released.</summary>
/// <param name="Package">SHA-256 of the sealed package.</param>
/// <param name="Name">The model's name, for which there may be a lowest version; empty when there is none.</param>
/// <param name="Version">Its version: numbers with dots between them; empty when there is none.</param>
public sealed record ModelRule(Digest Package, string Name = "", string Version = "")
{
    /// <summary>Parts of a version at most, and digits of a part.</summary>
    private const int MostParts = 4, MostDigits = 9;

    /// <summary>A package without name and version.</summary>
    public static implicit operator ModelRule(Digest package) => FromDigest(package);

    /// <inheritdoc cref="op_Implicit(Digest)"/>
    public static ModelRule FromDigest(Digest package) => new(package);

    /// <summary>Compares versions number by number; a missing number is 0.</summary>
    /// <returns>Below, at or above zero; null when one is no version.</returns>
    public static int? Compare(string version, string other)
    {
        if (Numbers(version) is not { } left || Numbers(other) is not { } right)
            return null;
        for (var index = 0; index < MostParts; index++)
        {
            var order = left.ElementAtOrDefault(index).CompareTo(right.ElementAtOrDefault(index));
            if (order != 0)
                return order;
        }

        return 0;
    }

    private static List<int>? Numbers(string version)
    {
        var parts = version.Split('.');
        return parts.Length <= MostParts && parts.All(part => part.Length is > 0 and <= MostDigits && part.All(char.IsAsciiDigit))
            ? [.. parts.Select(part => int.Parse(part, System.Globalization.CultureInfo.InvariantCulture))] : null;
    }
}
