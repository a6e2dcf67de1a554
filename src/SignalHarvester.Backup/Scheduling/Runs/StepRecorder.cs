using System.Collections.Concurrent;
using System.Diagnostics;

namespace SignalHarvester.Backup.Scheduling.Runs;

/// <summary>Records the results of a run's steps. If a step fails, that is noted, and the run continues.</summary>
internal sealed class StepRecorder
{
    private readonly ConcurrentQueue<ScheduleStep> steps = new();
    private readonly ConcurrentQueue<BackupException> faults = new();

    /// <summary>The steps so far, in the order in which they ended.</summary>
    public IReadOnlyList<ScheduleStep> Steps => [.. steps];

    /// <summary>The errors of failed steps.</summary>
    public IReadOnlyList<BackupException> Faults => [.. faults];

    /// <summary>Runs a step.</summary>
    /// <param name="step">Its name.</param>
    /// <param name="target">Its subject.</param>
    /// <param name="work">The work. Returns a text about the result, and the id of the backup concerned.</param>
    /// <returns>Whether it succeeded.</returns>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public bool Do(string step, string? target, Func<(string Detail, string? BackupId)> work)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            var (detail, id) = work();
            steps.Enqueue(new ScheduleStep
            {
                Step = step,
                Target = target,
                Result = ScheduleResult.Succeeded,
                BackupId = id,
                Duration = Stopwatch.GetElapsedTime(started),
                Detail = detail,
            });
            return true;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Whatever happened: one database's problem must not affect another.
            Fail(step, target, exception as BackupException ?? Unexpected(step, target, exception), Stopwatch.GetElapsedTime(started));
            return false;
        }
    }

    /// <summary>Notes a failed step.</summary>
    public void Fail(string step, string? target, BackupException fault, TimeSpan duration = default)
    {
        faults.Enqueue(fault);
        steps.Enqueue(new ScheduleStep
        {
            Step = step,
            Target = target,
            Result = ScheduleResult.Failed,
            Duration = duration,
            ErrorId = fault.ErrorId,
            Detail = fault.Message,
        });
    }

    /// <summary>Notes a step with a problem that does not make the run fail.</summary>
    public void Warn(string step, string? target, string detail) =>
        steps.Enqueue(new ScheduleStep { Step = step, Target = target, Result = ScheduleResult.Warning, Detail = detail });

    /// <summary>Notes a step that had nothing to do.</summary>
    public void Skip(string step, string? target, string? backupId, string detail) =>
        steps.Enqueue(new ScheduleStep { Step = step, Target = target, Result = ScheduleResult.Skipped, BackupId = backupId, Detail = detail });

    private static BackupException Unexpected(string step, string? target, Exception exception) => new(
        BackupErrorId.ScheduleStepFailed, target,
        $"The step {step} failed unexpectedly: {exception.GetType().Name}: {exception.Message.TrimEnd('.')}. Run the command by hand with -Verbose to see more.",
        exception);
}
