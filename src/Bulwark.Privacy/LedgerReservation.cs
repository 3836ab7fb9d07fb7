namespace Bulwark.Privacy;

/// <summary>Privacy that is booked. It stays spent unless it is given back before anything noisy was drawn.</summary>
public sealed class LedgerReservation
{
    private readonly PrivacyLedger _ledger;
    private bool _drawn;

    internal LedgerReservation(PrivacyLedger ledger, string dataset, string id, PrivacyEvent happened)
    {
        _ledger = ledger;
        Dataset = dataset;
        Id = id;
        Event = happened;
    }

    /// <summary>The data set.</summary>
    public string Dataset { get; }

    /// <summary>The reservation's id in the ledger.</summary>
    public string Id { get; }

    /// <summary>What was booked.</summary>
    public PrivacyEvent Event { get; }

    /// <summary>Call before the first draw of noise: from here on there is no way back.</summary>
    public void Begin() => _drawn = true;

    /// <summary>Records that the work is finished.</summary>
    public void Commit()
    {
        _drawn = true;
        _ledger.Close(Id, LedgerEntryKind.Commit);
    }

    /// <summary>Gives the reservation back: only before <see cref="Begin"/>, when provably nothing was released.</summary>
    /// <exception cref="InvalidOperationException">The work had begun; a failed or cancelled run still pays.</exception>
    internal void Release()
    {
        if (_drawn)
            throw new InvalidOperationException("Noise was already drawn: privacy that was spent cannot be given back.");
        _ledger.Close(Id, LedgerEntryKind.Release);
    }
}
