using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Bulwark.Attestation.Tpm;

/// <summary>Values of registers as bytes: for each its bank (TPM_ALG_ID, 16 bits, big-endian), its number (8 bits) and its value, ascending by bank and number.</summary>
public static class PcrValues
{
    private const int MostRegisters = 24;

    /// <summary>Writes values.</summary>
    public static byte[] Encode(IReadOnlyDictionary<TpmHash, IReadOnlyDictionary<int, byte[]>> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var bytes = new List<byte>();
        foreach (var (bank, registers) in values.OrderBy(bank => bank.Key))
        {
            foreach (var (register, value) in registers.OrderBy(register => register.Key))
            {
                if (register is < 0 or >= MostRegisters || value.Length != bank.Size() || value.Length == 0)
                    throw new ArgumentException($"Register {register} of bank {bank} has {value.Length} bytes.", nameof(values));
                bytes.AddRange([(byte)((ushort)bank >> 8), (byte)bank, (byte)register, .. value]);
            }
        }

        return [.. bytes];
    }

    /// <summary>Reads values: strictly ascending, each bank known, nothing left over.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out IReadOnlyDictionary<TpmHash, IReadOnlyDictionary<int, byte[]>>? values)
    {
        values = null;
        var banks = new Dictionary<TpmHash, Dictionary<int, byte[]>>();
        for (var last = -1; !bytes.IsEmpty;)
        {
            if (bytes.Length < 3)
                return false;
            var bank = (TpmHash)BinaryPrimitives.ReadUInt16BigEndian(bytes);
            var (size, place) = (bank.Size(), ((int)bank << 8) | bytes[2]);
            if (size == 0 || bytes[2] >= MostRegisters || place <= last || bytes.Length < 3 + size)
                return false;
            if (!banks.TryGetValue(bank, out var registers))
                banks.Add(bank, registers = []);
            registers.Add(bytes[2], bytes.Slice(3, size).ToArray());
            last = place;
            bytes = bytes[(3 + size)..];
        }

        values = banks.ToDictionary(bank => bank.Key, bank => (IReadOnlyDictionary<int, byte[]>)bank.Value);
        return true;
    }
}
