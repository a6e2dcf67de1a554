using System.Globalization;
using SignalHarvester.Backup.Text;

namespace SignalHarvester.Backup.Scheduling.Runs;

/// <summary>The log of a run: one line for each step, as it ends, and one for the whole run.</summary>
/// <param name="schedule">The schedule's name.</param>
/// <param name="clock">The time.</param>
internal sealed class RunLog(string schedule, TimeProvider clock)
{
    private const string WholeRun = "Run";

    /// <summary>Returns the line of a step.</summary>
    public string Of(ScheduleStep step) => Begin(step.Database, step.Step, Word(step.Result)!)
        .Add(step.Step == StepNames.Upload ? "store" : "directory", step.Target == step.Database ? null : step.Target)
        .Add("id", step.BackupId)
        .Add("type", Word(step.Type))
        .Add("size", step.Size?.ToString(CultureInfo.InvariantCulture))
        .Add("ratio", step.Ratio?.ToString("0.###", CultureInfo.InvariantCulture))
        .Add("verified", Word(step.VerificationLevel))
        .Add("seconds", Seconds(step.Duration))
        .Add("error", step.ErrorId)
        .Add("detail", step.Detail.Length == 0 ? null : step.Detail)
        .ToString();

    /// <summary>Returns the line of a whole run.</summary>
    public string Of(ScheduleRun run) => Begin(null, WholeRun, Word(run.Result)!)
        .Add("backups", run.Backups.Count.ToString(CultureInfo.InvariantCulture))
        .Add("seconds", Seconds(run.Duration))
        .Add("detail", run.Reason)
        .ToString();

    /// <summary>Returns the line of a run that was stopped.</summary>
    public string Stopped() => Begin(null, WholeRun, "stopped").ToString();

    private LogLine Begin(string? database, string step, string result) => new LogLine()
        .Add("time", clock.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture))
        .Add("schedule", schedule)
        .Add("database", database)
        .Add("step", step.ToLowerInvariant())
        .Add("result", result);

    private static string? Word(Enum? value) => value?.ToString().ToLowerInvariant();

    private static string Seconds(TimeSpan duration) => duration.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
}
