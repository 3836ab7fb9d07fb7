using System.Buffers.Binary;
using System.Text;

namespace Bulwark.TorchBaseline;

/// <summary>
/// Marks one symbol version that a 64-bit little-endian ELF library asks for as weak, so that the loader accepts a system without it.
/// </summary>
/// <remarks>
/// libLibTorchSharp.so asks for GLIBCXX_3.4.32, which Debian 12 and RHEL 9 lack; the only symbol of that version is the marker
/// _ZSt21ios_base_library_initv, which older libraries do without. Layout: Linux Standard Base, "Symbol Versioning", Elfxx_Verneed and Elfxx_Vernaux.
/// </remarks>
internal static class VersionRequirement
{
    private const int SectionVersionNeed = 0x6ffffffe;
    private const ushort Weak = 2;

    /// <returns>Whether the library asked for that version and now asks weakly.</returns>
    internal static bool Weaken(string library, string version)
    {
        var bytes = File.ReadAllBytes(library);
        if (bytes.Length < 64 || !bytes.AsSpan(0, 6).SequenceEqual("\u007fELF\u0002\u0001"u8))
            throw new InvalidDataException($"{library} is not a 64-bit little-endian ELF library.");
        var (start, names) = Sections(bytes);
        var changed = false;
        for (var need = start; ;)
        {
            var aux = need + Int32(bytes, need + 8);
            for (var left = UInt16(bytes, need + 2); left > 0; left--)
            {
                if (NameAt(bytes, names + Int32(bytes, aux + 8)) == version && (UInt16(bytes, aux + 4) & Weak) == 0)
                {
                    BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(aux + 4), (ushort)(UInt16(bytes, aux + 4) | Weak));
                    changed = true;
                }

                aux += Int32(bytes, aux + 12);
            }

            if (Int32(bytes, need + 12) == 0)
                break;
            need += Int32(bytes, need + 12);
        }

        if (changed)
            File.WriteAllBytes(library, bytes);
        return changed;
    }

    /// <summary>Offsets of the version-need section and of the string table that it names.</summary>
    private static (int Need, int Names) Sections(byte[] bytes)
    {
        var table = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(0x28));
        var (size, count) = (UInt16(bytes, 0x3a), UInt16(bytes, 0x3c));
        for (var i = 0; i < count; i++)
        {
            var section = table + (i * size);
            if (Int32(bytes, section + 4) == SectionVersionNeed)
                return (Offset(bytes, section), Offset(bytes, table + (Int32(bytes, section + 40) * size)));
        }

        throw new InvalidDataException("The library asks for no symbol versions.");
    }

    private static int Offset(byte[] bytes, int section) => (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(section + 24));

    private static string NameAt(byte[] bytes, int at) => Encoding.ASCII.GetString(bytes.AsSpan(at, bytes.AsSpan(at).IndexOf((byte)0)));

    private static int Int32(byte[] bytes, int at) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));

    private static ushort UInt16(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));
}
