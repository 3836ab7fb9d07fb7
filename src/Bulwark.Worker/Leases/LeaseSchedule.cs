namespace Bulwark.Worker.Leases;

/// <summary>When a worker asks its broker again. With jitter, so that workers which were started together do not all ask at once.</summary>
/// <param name="jitter">Gives a number from 0 up to 1.</param>
internal sealed class LeaseSchedule(Func<double> jitter)
{
    private static readonly TimeSpan s_shortest = TimeSpan.FromMilliseconds(100), s_unreachable = TimeSpan.FromMinutes(1), s_refused = TimeSpan.FromMinutes(15);

    /// <summary>Between half and three quarters of a lease.</summary>
    internal TimeSpan Renewal(TimeSpan left) => Longer(left * (0.5 + (0.25 * jitter())));

    /// <summary>While the lease still runs: between a fifth and two fifths of what is left, so that there are several tries before its end.</summary>
    internal TimeSpan Retry(TimeSpan left) => Longer(left * (0.2 + (0.2 * jitter())));

    /// <summary>After the end: doubling from a second; at most a minute when the broker cannot be asked, a quarter of an hour when it refuses.</summary>
    internal TimeSpan Recovery(int failures, bool refused)
    {
        var longest = refused ? s_refused : s_unreachable;
        var doubled = TimeSpan.FromSeconds(Math.Pow(2, Math.Min(failures, 20)));
        return (doubled < longest ? doubled : longest) * (0.5 + (0.5 * jitter()));
    }

    private static TimeSpan Longer(TimeSpan wait) => wait > s_shortest ? wait : s_shortest;
}
