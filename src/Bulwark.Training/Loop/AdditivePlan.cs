using Bulwark.Privacy;

namespace Bulwark.Training.Loop;

/// <summary>What a private additive model releases: the counts of all bins at once, then a vector of residuals for each feature and the intercept in each round.</summary>
/// <param name="Noise">Standard deviation on a bin's residuals; 0 without privacy.</param>
/// <param name="CountNoise">Standard deviation on a bin's count; 0 without privacy.</param>
/// <param name="Event">What is booked.</param>
internal sealed record AdditivePlan(double Noise, double CountNoise, PrivacyEvent Event)
{
    /// <param name="options">Private options.</param>
    /// <param name="features">How many features: a row lies in one bin of each, so it moves all counts together by at most its root.</param>
    internal static AdditivePlan Of(TrainingOptions options, int features)
    {
        var (settings, additive) = (options.Private!, options.Additive!);
        var releases = (long)additive.Rounds * (features + 1);
        var counts = Math.Sqrt((1 - additive.CountShare) / additive.CountShare / releases);   // 1/(z·counts)² is the share of 1/(z·counts)² + releases/z²
        PrivacyEvent Training(double noise) => new ComposedEvent([new GaussianEvent(noise * counts), new SelfComposedEvent(new GaussianEvent(noise), releases)]);
        var noise = Calibration.NoiseMultiplier(
            candidate => settings.Also is null ? Training(candidate) : new ComposedEvent([settings.Also, Training(candidate)]), new PrivacyBudget(settings.Epsilon, settings.Delta));
        return new(noise, noise * counts * Math.Sqrt(features), Training(noise));
    }
}
