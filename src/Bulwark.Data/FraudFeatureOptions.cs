namespace Bulwark.Data;

/// <summary>Which columns <see cref="FraudFeatures"/> reads. The defaults are those of <see cref="TransactionSimulator"/>.</summary>
public sealed record FraudFeatureOptions
{
    /// <summary>When the payment was made (a time column).</summary>
    /// <value>time</value>
    public string Time { get; init; } = "time";

    /// <summary>Who paid: numbers or text.</summary>
    /// <value>customer_id</value>
    public string Customer { get; init; } = "customer_id";

    /// <summary>Where: numbers or text.</summary>
    /// <value>terminal_id</value>
    public string Terminal { get; init; } = "terminal_id";

    /// <summary>How much (numbers).</summary>
    /// <value>amount</value>
    public string Amount { get; init; } = "amount";

    /// <summary>Whether it was fraud: 1 yes, 0 no. Missing counts as not known to be fraud.</summary>
    /// <value>is_fraud</value>
    public string Label { get; init; } = "is_fraud";

    /// <summary>How long it takes until fraud is known: labels younger than this are never looked at.</summary>
    /// <value>7 days</value>
    public TimeSpan LabelDelay { get; init; } = TimeSpan.FromDays(7);
}
