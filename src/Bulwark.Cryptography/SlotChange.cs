namespace Bulwark.Cryptography;

/// <summary>A change of who can open a sealed file, made inside <see cref="SealedFile.RewrapAsync(string, IReadOnlyList{SealIdentity}, Func{SlotChange, CancellationToken, ValueTask}, CancellationToken)"/>.</summary>
public sealed class SlotChange
{
    private readonly List<KeySlot> _slots;
    private readonly SecretBytes _dataKey;
    private readonly KeyContext _context;

    internal SlotChange(IReadOnlyList<KeySlot> slots, SecretBytes dataKey, byte[] binding, string fileId) =>
        (_slots, _dataKey, _context) = ([.. slots], dataKey, new KeyContext(binding) { Item = fileId });

    /// <summary>The slots as they will be.</summary>
    public IReadOnlyList<KeySlot> Slots => _slots;

    /// <summary>True when something was changed.</summary>
    internal bool IsMade { get; private set; }

    /// <summary>Adds a recipient.</summary>
    public async ValueTask AddAsync(SealRecipient recipient, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(recipient);
        _slots.Add(await recipient.WrapAsync(_dataKey, _context, cancel).ConfigureAwait(false));
        IsMade = true;
    }

    /// <summary>Puts a recipient in another's place.</summary>
    public async ValueTask ReplaceAsync(KeySlot slot, SealRecipient recipient, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(recipient);
        var place = Place(slot);
        _slots[place] = await recipient.WrapAsync(_dataKey, _context, cancel).ConfigureAwait(false);
        IsMade = true;
    }

    /// <summary>Takes a recipient away: they keep whatever they opened or copied before.</summary>
    public void Remove(KeySlot slot)
    {
        _slots.RemoveAt(Place(slot));
        IsMade = true;
    }

    /// <summary>Puts every slot that a store holds under the newest version of its key.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A slot does not open.</exception>
    /// <exception cref="KeyProviderException">The store cannot be asked.</exception>
    public async ValueTask RewrapAsync(IKeyProvider keys, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        for (var i = 0; i < _slots.Count; i++)
        {
            if (_slots[i] is not WrappedSlot { Wrapped: var old } || !keys.Holds(old.Kek))
                continue;
            var renewed = await keys.RewrapAsync(old, _context, cancel).ConfigureAwait(false);
            if (ReferenceEquals(renewed, old) || (renewed.Kek == old.Kek && renewed.Bytes.AsSpan().SequenceEqual(old.Bytes)))
                continue;
            _slots[i] = new WrappedSlot(renewed);
            IsMade = true;
        }
    }

    private int Place(KeySlot slot) => _slots.FindIndex(one => ReferenceEquals(one, slot)) is >= 0 and var place
        ? place
        : throw new ArgumentException("The slot is not one of this file's.", nameof(slot));
}
