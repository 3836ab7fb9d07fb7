using System.Globalization;
using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Interchange;

/// <summary>What opens age files: an X25519 private key, or a passphrase.</summary>
public abstract class AgeIdentity
{
    /// <summary>The binary logarithm of scrypt's rounds that age asks for itself: 256 MiB of memory.</summary>
    public const int UsualLogCost = 18;

    internal const int HighestLogCost = 20;
    private const string Prefix = "age-secret-key-";
    private const int FileKeySize = 16, TagSize = 16;

    private protected AgeIdentity()
    {
    }

    /// <summary>An X25519 private key.</summary>
    public static AgeIdentity X25519(X25519KeyPair keyPair) => new X25519Identity(keyPair ?? throw new ArgumentNullException(nameof(keyPair)));

    /// <summary>A passphrase. Files that ask for more work, and with it memory, are refused before it is done.</summary>
    /// <param name="passphrase">The passphrase.</param>
    /// <param name="mostLogCost">Binary logarithm of the rounds of scrypt at most: 1 to 20, of 1 KiB each.</param>
    /// <exception cref="ArgumentOutOfRangeException">The cost is out of range.</exception>
    public static AgeIdentity Passphrase(string passphrase, int mostLogCost = UsualLogCost)
    {
        ArgumentNullException.ThrowIfNull(passphrase);
        ArgumentOutOfRangeException.ThrowIfLessThan(mostLogCost, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(mostLogCost, HighestLogCost);
        return new ScryptIdentity(passphrase, mostLogCost);
    }

    /// <summary>A private key in age's form. Whoever reads the text has the key.</summary>
    /// <returns><c>AGE-SECRET-KEY-1…</c></returns>
    public static string Format(X25519KeyPair keyPair)
    {
        ArgumentNullException.ThrowIfNull(keyPair);
        using var secret = keyPair.ExportPrivateKey();
        return Bech32.Encode(Prefix, secret.Span).ToUpperInvariant();
    }

    /// <summary>Reads <c>AGE-SECRET-KEY-1…</c>.</summary>
    /// <exception cref="FormatException">It is no X25519 identity of age. The message does not repeat it.</exception>
    public static X25519KeyPair Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var bytes = text.StartsWith("AGE-SECRET-KEY-1", StringComparison.Ordinal) ? Bech32.Decode(Prefix, text) : null;
        if (bytes is not { Length: X25519PublicKey.SizeInBytes })
            throw new FormatException("This is no age identity: expected AGE-SECRET-KEY-1 and 58 characters.");
        try
        {
            return X25519KeyPair.Import(bytes);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>Reads an identity file: one <c>AGE-SECRET-KEY-1…</c> a line, empty lines, and comments that begin with #.</summary>
    /// <exception cref="FormatException">A line is something else; the message names its number.</exception>
    public static IReadOnlyList<X25519KeyPair> ParseFile(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var pairs = new List<X25519KeyPair>();
        foreach (var (line, number) in text.Split('\n').Select((line, i) => (line.Trim(), i + 1)))
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            try
            {
                pairs.Add(Parse(line));
            }
            catch (FormatException failure)
            {
                pairs.ForEach(pair => pair.Dispose());
                throw new FormatException($"Line {number}: {failure.Message}");
            }
        }

        return pairs.Count > 0 ? pairs : throw new FormatException("The identity file has no identity.");
    }

    /// <summary>The file key, or null when none of the stanzas is for this identity.</summary>
    /// <exception cref="AgeException">A stanza that is of this kind is malformed.</exception>
    internal abstract SecretBytes? Unwrap(IReadOnlyList<AgeStanza> stanzas);

    private static SecretBytes? Decrypt(SecretBytes wrapping, byte[] body)
    {
        try
        {
            using var cipher = new ChaCha20Poly1305(wrapping.Span);
            return SecretBytes.Create(FileKeySize, body, (source, target) => cipher.Decrypt(stackalloc byte[12], source[..FileKeySize], source[FileKeySize..], target));
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static void RequireBody(AgeStanza stanza)
    {
        if (stanza.Body.Length != FileKeySize + TagSize)
            throw AgeException.Header($"a {stanza.Type} stanza does not hold a file key");
    }

    private sealed class X25519Identity(X25519KeyPair keyPair) : AgeIdentity
    {
        internal override SecretBytes? Unwrap(IReadOnlyList<AgeStanza> stanzas)
        {
            SecretBytes? found = null;
            foreach (var stanza in stanzas.Where(stanza => stanza.Type == "X25519"))
            {
                if (stanza.Arguments.Count != 1 || AgeHeader.Decode(stanza.Arguments[0]) is not { Length: X25519PublicKey.SizeInBytes } share)
                    throw AgeException.Header("an X25519 stanza is malformed");
                RequireBody(stanza);
                if (found is not null)
                    continue;   // the rest is only checked for its form
                try
                {
                    using var shared = keyPair.Agree(new X25519PublicKey(share));
                    using var wrapping = AgeRecipient.X25519Wrapping(shared, share, keyPair.PublicKey.Bytes);
                    found = Decrypt(wrapping, stanza.Body);
                }
                catch (ArgumentException)
                {
                    throw AgeException.Header("an X25519 share has small order");
                }
            }

            return found;
        }
    }

    private sealed class ScryptIdentity(string passphrase, int mostLogCost) : AgeIdentity
    {
        internal override SecretBytes? Unwrap(IReadOnlyList<AgeStanza> stanzas)
        {
            if (stanzas is not [{ Type: "scrypt" } stanza])
                return null;
            if (stanza.Arguments is not [var salt, var cost] || AgeHeader.Decode(salt) is not { Length: 16 } saltBytes)
                throw AgeException.Header("the scrypt stanza is malformed");
            if (cost.Length is 0 or > 2 || !cost.All(char.IsAsciiDigit) || cost[0] == '0')
                throw AgeException.Header("scrypt's work factor is no number");
            RequireBody(stanza);
            var logCost = int.Parse(cost, NumberStyles.None, CultureInfo.InvariantCulture);
            if (logCost > mostLogCost)
                throw AgeException.Header($"scrypt's work factor is {logCost}; at most {mostLogCost} is accepted");
            using var wrapping = AgeRecipient.ScryptWrapping(passphrase, saltBytes, logCost);
            return Decrypt(wrapping, stanza.Body);
        }
    }
}
