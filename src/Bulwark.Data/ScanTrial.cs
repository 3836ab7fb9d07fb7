namespace Bulwark.Data;

/// <summary>How one kind fared in a trial of the scan.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Columns">Columns of the kind that were drawn.</param>
/// <param name="Found">Those that the scan called by this kind.</param>
/// <param name="FalseColumns">Columns of ordinary data or of other kinds that it called so.</param>
/// <param name="OtherColumns">How many of those there were.</param>
/// <param name="Texts">Sentences with one value of the kind.</param>
/// <param name="Masked">Those whose value was masked whole.</param>
/// <param name="FalseMasks">Stretches of clean sentences that were masked as this kind.</param>
/// <param name="CleanTexts">How many clean sentences there were.</param>
/// <param name="Mistaken">The forms that were taken for this kind.</param>
public sealed record ScanTrialKind(
    SensitiveKind Kind, int Columns, int Found, int FalseColumns, int OtherColumns, int Texts, int Masked, int FalseMasks, int CleanTexts, IReadOnlyList<string> Mistaken);

/// <summary>Measures the scan and the mask on drawn data of which it is known what it holds: what they find, miss and wrongly report.</summary>
/// <remarks>
/// Columns have neutral names, a tenth of their cells is missing and a twentieth holds something else, so the content alone decides.
/// The figures hold for data like that; real columns are dirtier and stranger.
/// </remarks>
public static class ScanTrial
{
    private const int Rows = 400;

    private static readonly (SensitiveKind Kind, string Before, string After)[] s_sentences =
    [
        (SensitiveKind.CardNumber, "Customer asked to charge ", " instead of the old one."),
        (SensitiveKind.SocialSecurityNumber, "Verified by SSN ", " over the phone."),
        (SensitiveKind.BankAccount, "Refund goes to ", ", confirmed today."),
        (SensitiveKind.EmailAddress, "Please write to ", ". Thank you."),
        (SensitiveKind.PhoneNumber, "Call back on ", " after five."),
        (SensitiveKind.IpAddress, "Login came from ", ", which is new."),
        (SensitiveKind.NationalId, "Identity number ", " was checked."),
        (SensitiveKind.Credential, "They pasted ", " into the ticket."),
        (SensitiveKind.BirthDate, "The caller was born on ", " in Lyon."),
        (SensitiveKind.MedicalCode, "Referred with ", ".9 last week."),
        (SensitiveKind.PersonName, "Spoke with Mrs. ", " about the delay."),
    ];

    private static readonly string[] s_clean =
    [
        "Order {0} was shipped on 2024-05-1{1} and weighs {2} kg.", "The invoice {0} of 12.0{1}.2024 is {2}.50 EUR too high.", "Ticket {0}-{1} was closed after {2} minutes.",
        "Version 4.{1}.{2} mends the error of build {0}.", "Parcel 00{0}{2} is at gate A1{1}.", "Meeting at 1{1}:30 in room B2{1}, bring form {2}.",
        "The pump needs part AB-{0} and {1} seals of size {2}.", "Customer is happy with the service and asked for {1} more units.", "Article {0} costs {2}.99, or {1}9.90 a dozen.",
        "Temperature rose from {1} to {2} degrees at 08:1{1}:0{1}.",
    ];

    /// <summary>Runs the trial; the same seed gives the same figures on every machine.</summary>
    /// <param name="seed">Any number.</param>
    /// <param name="columns">Columns to draw of each form; above 0.</param>
    /// <param name="texts">Sentences to draw of each kind, and clean ones; above 0.</param>
    /// <param name="progress">Told the fraction done, 0 to 1.</param>
    /// <param name="cancel">Stops the work.</param>
    public static IReadOnlyList<ScanTrialKind> Run(ulong seed = 1, int columns = 20, int texts = 500, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(texts, 1);
        var results = new List<(SensitiveKind? Truth, string Form, SensitiveKind? Found)>();
        var forms = ScanCorpus.Sensitive.Select(one => (Truth: (SensitiveKind?)one.Kind, one.Form, one.Draw)).Concat(ScanCorpus.Ordinary.Select(one => (Truth: (SensitiveKind?)null, one.Form, one.Draw))).ToArray();
        for (var form = 0; form < forms.Length; form++)
        {
            cancel.ThrowIfCancellationRequested();
            for (var copy = 0; copy < columns; copy++)
                results.Add((forms[form].Truth, forms[form].Form, Scan(forms[form].Draw, seed, form * columns + copy)));
            progress?.Report(0.7 * (form + 1) / forms.Length);
        }

        var falseMasks = Clean(seed, texts);
        progress?.Report(0.8);
        var kinds = forms.Select(one => one.Truth).OfType<SensitiveKind>().Distinct();
        return [.. kinds.Select(kind =>
        {
            var wrong = results.Where(result => result.Found == kind && result.Truth != kind).ToArray();
            var (drawn, masked) = Masked(kind, seed, texts);
            return new ScanTrialKind(
                kind, results.Count(result => result.Truth == kind), results.Count(result => result.Truth == kind && result.Found == kind),
                wrong.Length, results.Count(result => result.Truth != kind), drawn, masked, falseMasks.GetValueOrDefault(kind), texts, [.. wrong.Select(result => result.Form).Distinct()]);
        })];
    }

    private static SensitiveKind? Scan(ScanCorpus.Draw draw, ulong seed, int number)
    {
        var random = new RandomStream(seed, 20, number);
        var values = new string?[Rows];
        for (var row = 0; row < Rows; row++)
            values[row] = random.Below(20) switch { 0 or 1 => null, 2 => "see note", _ => draw(ref random, row) };
        return SensitiveScan.Scan(new Table([Column(values)])).Findings.SingleOrDefault(finding => finding.Kind != SensitiveKind.Identifier)?.Kind;
    }

    /// <summary>As a CSV file would give it: whole days are times.</summary>
    private static Column Column(string?[] values)
    {
        var times = Array.ConvertAll(values, value => value is not null && CellText.TryTime(System.Text.Encoding.UTF8.GetBytes(value), out var time) ? time : TimeColumn.Missing);
        return times.Count(time => time != TimeColumn.Missing) * 2 > values.Length ? new TimeColumn("c", times) : new TextColumn("c", values);
    }

    private static (int Drawn, int Masked) Masked(SensitiveKind kind, ulong seed, int texts)
    {
        var forms = ScanCorpus.Sensitive.Where(one => one.Kind == kind).ToArray();
        var sentence = Array.Find(s_sentences, one => one.Kind == kind);
        if (sentence.Before is null)
            return (0, 0);
        var masked = 0;
        for (var i = 0; i < texts; i++)
        {
            var random = new RandomStream(seed, 21, i);
            var value = forms[i % forms.Length].Draw(ref random, i);
            if (kind is SensitiveKind.MedicalCode)
                value = value[..3];   // the sentence completes the code, because only pointed ones are found in texts
            masked += TextMask.Apply($"{sentence.Before}{value}{sentence.After}").Contains(value, StringComparison.Ordinal) ? 0 : 1;
        }

        return (texts, masked);
    }

    private static Dictionary<SensitiveKind, int> Clean(ulong seed, int texts)
    {
        var masks = new Dictionary<SensitiveKind, int>();
        for (var i = 0; i < texts; i++)
        {
            var random = new RandomStream(seed, 22, i);
            var text = string.Format(System.Globalization.CultureInfo.InvariantCulture, s_clean[i % s_clean.Length], ScanCorpus.Digits(ref random, 4 + random.Below(9)), random.Below(9) + 1, random.Below(900) + 10);
            foreach (var (kind, count) in TextMask.Count(text))
                masks[kind] = masks.GetValueOrDefault(kind) + count;
        }

        return masks;
    }
}
