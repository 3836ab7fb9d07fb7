namespace Bulwark.Cli.Report;

/// <summary>Everything that a report shows. Every figure in it was measured by the run that wrote it; the report adds none.</summary>
/// <remarks>Stored as <c>report-model.json</c> (<see cref="ReportFile"/>); drawn by <see cref="HtmlReport"/>. All text is plain text and is escaped when drawn.</remarks>
public sealed record ReportModel
{
    /// <summary>What was built, in a few words.</summary>
    public required string Title { get; init; }

    /// <summary>One or two sentences under the title.</summary>
    public string? Summary { get; init; }

    /// <summary>When the run ended.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>Wall-clock time of the whole run.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>The command line that made this report.</summary>
    public string? Command { get; init; }

    /// <summary>Version of Bulwark that measured.</summary>
    public string? Version { get; init; }

    /// <summary>The answer on the first screen.</summary>
    public required ReportVerdict Verdict { get; init; }

    /// <summary>Three to six figures on the first screen.</summary>
    public IReadOnlyList<ReportFigure> Figures { get; init; } = [];

    /// <summary>What a reader must know before trusting the rest, such as simulated attestation; shown on the first screen.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>What happened, in order.</summary>
    public IReadOnlyList<ReportStep> Steps { get; init; } = [];

    /// <summary>What the field claims beside what this run measured.</summary>
    public IReadOnlyList<ReportClaim> Claims { get; init; } = [];

    /// <summary>Charts and tables, by subject.</summary>
    public IReadOnlyList<ReportSection> Sections { get; init; } = [];

    /// <summary>Commands that check the evidence, beyond those of the steps.</summary>
    public IReadOnlyList<ReportCheck> Checks { get; init; } = [];

    /// <summary>The machine that measured: processor, memory, vector width, runtime.</summary>
    public IReadOnlyList<ReportFact> Machine { get; init; } = [];
}

/// <summary>The answer on the first screen.</summary>
/// <param name="Outcome">How it went.</param>
/// <param name="Headline">One sentence.</param>
public sealed record ReportVerdict(ReportOutcome Outcome, string Headline);

/// <summary>How a run or a step went.</summary>
public enum ReportOutcome
{
    /// <summary>It failed, or nothing says that it did not.</summary>
    Failed = 0,

    /// <summary>Done.</summary>
    Done,

    /// <summary>Nothing to do: the inputs had not changed since the last run.</summary>
    Unchanged,

    /// <summary>Left out, as asked.</summary>
    Skipped,
}

/// <summary>One figure of the first screen.</summary>
/// <param name="Label">What it is.</param>
/// <param name="Value">The figure with its unit, as it shall be read.</param>
/// <param name="Note">What to compare it with.</param>
public sealed record ReportFigure(string Label, string Value, string? Note = null);

/// <summary>A named fact.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value.</param>
public sealed record ReportFact(string Name, string Value);

/// <summary>A command and what it proves.</summary>
/// <param name="Proves">What is known once it exits 0.</param>
/// <param name="Command">The command line.</param>
public sealed record ReportCheck(string Proves, string Command);

/// <summary>One step of the run.</summary>
public sealed record ReportStep
{
    /// <summary>The step's name, a verb and its object.</summary>
    public required string Name { get; init; }

    /// <summary>What happened, one or two sentences with the figures.</summary>
    public required string Happened { get; init; }

    /// <summary>How it went.</summary>
    public ReportOutcome Outcome { get; init; } = ReportOutcome.Done;

    /// <summary>Wall-clock time.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>The command that does this step alone.</summary>
    public string? Command { get; init; }

    /// <summary>The command that checks what the step left behind.</summary>
    public string? Verify { get; init; }

    /// <summary>What it made, by name: digests, sizes, log indices.</summary>
    public IReadOnlyList<ReportFact> Digests { get; init; } = [];
}

/// <summary>One row of the claims table.</summary>
public sealed record ReportClaim
{
    /// <summary>The safeguard or property.</summary>
    public required string Measure { get; init; }

    /// <summary>What the field's guides claim.</summary>
    public required string Claimed { get; init; }

    /// <summary>What this run measured, with units; or a dash.</summary>
    public required string Measured { get; init; }

    /// <summary>What Bulwark aims at, when it is not the claim itself.</summary>
    public string? Goal { get; init; }

    /// <summary>Whether the goal (or, without one, the claim) was met.</summary>
    public ClaimVerdict Verdict { get; init; }

    /// <summary>How it was measured, or why it cannot be.</summary>
    public string? Why { get; init; }

    /// <summary>The command that measures it again.</summary>
    public string? Command { get; init; }
}

/// <summary>Whether a measured figure meets its goal.</summary>
public enum ClaimVerdict
{
    /// <summary>Nothing here can measure it; <see cref="ReportClaim.Why"/> says what is missing.</summary>
    NotMeasurable = 0,

    /// <summary>The measured figure meets the goal.</summary>
    Met,

    /// <summary>The measured figure misses the goal.</summary>
    NotMet,
}

/// <summary>Charts and tables about one subject.</summary>
public sealed record ReportSection
{
    /// <summary>The subject.</summary>
    public required string Title { get; init; }

    /// <summary>One or two sentences: what to see in it.</summary>
    public string? Text { get; init; }

    /// <summary>Its charts.</summary>
    public IReadOnlyList<ReportChart> Charts { get; init; } = [];

    /// <summary>Its tables.</summary>
    public IReadOnlyList<ReportTable> Tables { get; init; } = [];
}

/// <summary>A table of text cells.</summary>
public sealed record ReportTable
{
    /// <summary>What it shows.</summary>
    public required string Title { get; init; }

    /// <summary>Column headings.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>Rows, each as wide as <see cref="Columns"/>; a cell that starts with a digit or sign is set to the right.</summary>
    public required IReadOnlyList<IReadOnlyList<string>> Rows { get; init; }

    /// <summary>What to know when reading it.</summary>
    public string? Note { get; init; }
}
