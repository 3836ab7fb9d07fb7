using System.Security.Cryptography;

namespace Bulwark.Cryptography;

internal sealed partial class SealedFileHeader
{
    /// <summary>Length of one copy of the slots with its MAC, and where copy 0 or 1 begins.</summary>
    internal int RegionSize => _slotCapacity + MacSize;

    /// <summary>True when both copies are the same, as they are but for an interrupted rewrap.</summary>
    internal bool CopiesAgree => Region(0).SequenceEqual(Region(1));

    internal int RegionStart(int copy) => _immutableEnd + copy * RegionSize;

    internal Span<byte> Region(int copy) => Bytes.AsSpan(RegionStart(copy), RegionSize);

    internal Memory<byte> SlotBytes(int copy) => Bytes.AsMemory(RegionStart(copy), _slotCapacity);

    /// <summary>The data key, by whichever slot an identity opens, and the copy of the slots that it proves.</summary>
    /// <exception cref="CryptographicException">None opens, or the slots were changed.</exception>
    /// <exception cref="KeyProviderException">None opens, and a key store could not be asked.</exception>
    internal async ValueTask<(SecretBytes DataKey, int Copy, KeySlot Slot)> UnwrapAsync(IReadOnlyList<SealIdentity> identities, CancellationToken cancel)
    {
        KeyProviderException? unasked = null;
        var copies = Copies();
        foreach (var identity in identities)
            identity.RequireAffordable(copies.SelectMany(copy => copy.Slots));
        foreach (var (copy, slots) in copies)
        {
            foreach (var slot in slots)
            {
                foreach (var identity in identities)
                {
                    SecretBytes? dataKey = null;
                    try
                    {
                        dataKey = await identity.UnwrapAsync(slot, Context, cancel).ConfigureAwait(false);
                    }
                    catch (CryptographicException)
                    {
                        continue;   // another slot may be ours
                    }
                    catch (KeyProviderException failure)
                    {
                        unasked ??= failure;
                    }

                    if (dataKey is { Length: FloeMessage.KeySizeInBytes } && IsMacOf(copy, dataKey.Span))
                    {
                        Info = Info with { Slots = slots };   // from here on they are proved
                        return (dataKey, copy, slot);
                    }

                    dataKey?.Dispose();
                }
            }
        }

        throw unasked ?? (Exception)SegmentedMessage.Refused();
    }

    /// <summary>True when the data key made one of the slots' MACs; the slots of that copy are the file's then.</summary>
    internal bool IsMacOf(ReadOnlySpan<byte> dataKey)
    {
        foreach (var (copy, slots) in Copies())
        {
            if (!IsMacOf(copy, dataKey))
                continue;
            Info = Info with { Slots = slots };
            return true;
        }

        return false;
    }

    /// <summary>The slots that either copy names, each once: none of it is proved.</summary>
    private List<KeySlot> StatedSlots()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return [.. Copies().SelectMany(copy => copy.Slots).Where(slot => seen.Add(Convert.ToHexString(SealedFileCbor.WriteSlots([slot]))))];
    }

    internal bool IsMacOf(int copy, ReadOnlySpan<byte> dataKey) =>
        CryptographicOperations.FixedTimeEquals(ComputeMac(SlotBytes(copy).Span, dataKey), Region(copy)[_slotCapacity..]);

    /// <summary>One copy of the slots with its MAC, as it stands in the file.</summary>
    /// <exception cref="InvalidOperationException">The slots do not fit.</exception>
    internal byte[] SlotRegion(IReadOnlyList<KeySlot> slots, ReadOnlySpan<byte> dataKey)
    {
        if (slots.Count is < 1 or > MaximumSlots)
            throw new InvalidOperationException($"A sealed file has 1 to {MaximumSlots} recipients, not {slots.Count}.");
        var encoded = SealedFileCbor.WriteSlots(slots);
        if (encoded.Length > _slotCapacity)
            throw new InvalidOperationException($"The slots need {encoded.Length} bytes and the file has room for {_slotCapacity}: remove a recipient, or seal the content anew with a larger slot capacity.");
        var region = new byte[RegionSize];
        encoded.CopyTo(region, 0);
        _ = SealedFileCbor.ReadSlots(region.AsMemory(0, _slotCapacity));   // never write what would not be read
        ComputeMac(region.AsSpan(0, _slotCapacity), dataKey).CopyTo(region.AsSpan(_slotCapacity));
        return region;
    }

    /// <summary>The slots of every copy that can be read.</summary>
    internal IEnumerable<KeySlot> AllSlots() => Copies().SelectMany(copy => copy.Slots);

    /// <summary>The copies that can be read, the first first; the second only when it differs.</summary>
    private List<(int Copy, IReadOnlyList<KeySlot> Slots)> Copies()
    {
        var copies = new List<(int, IReadOnlyList<KeySlot>)>();
        for (var copy = 0; copy < (CopiesAgree ? 1 : 2); copy++)
        {
            try
            {
                copies.Add((copy, SealedFileCbor.ReadSlots(SlotBytes(copy))));
            }
            catch (InvalidDataException) when (!CopiesAgree)
            {
                // the other copy is whole, or the file is refused
            }
        }

        return copies;
    }

    private byte[] ComputeMac(ReadOnlySpan<byte> slots, ReadOnlySpan<byte> dataKey)
    {
        using var key = SecretBytes.Create(32, dataKey, static (source, target) =>
            HKDF.Expand(HashAlgorithmName.SHA256, source, target, "bulwark.dev/sealed-file/slots/v1"u8));
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key.Span);
        mac.AppendData(Bytes.AsSpan(0, _immutableEnd));
        mac.AppendData(slots);
        return mac.GetHashAndReset();
    }
}
