using System.Collections.Concurrent;
using System.Diagnostics;

namespace SignalHarvester.Backup.Scheduling.Runs;

/// <summary>Records the results of a run's steps. If a step fails, that is noted, and the run continues.</summary>
/// <param name="ended">Called for each step as it ends, from any thread.</param>
internal sealed class StepRecorder(Action<ScheduleStep> ended)
{
    private readonly ConcurrentQueue<ScheduleStep> steps = new();
    private readonly ConcurrentQueue<BackupException> faults = new();

    /// <summary>The steps so far, in the order in which they ended.</summary>
    public IReadOnlyList<ScheduleStep> Steps => [.. steps];

    /// <summary>The errors of failed steps.</summary>
    public IReadOnlyList<BackupException> Faults => [.. faults];

    /// <summary>Runs a step.</summary>
    /// <param name="begun">What is known of it beforehand: its name and its subject.</param>
    /// <param name="work">The work. Adds to the step what it did.</param>
    /// <returns>Whether it succeeded.</returns>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public bool Do(ScheduleStep begun, Func<ScheduleStep, ScheduleStep> work)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            var done = work(begun);
            Note(done with { Result = ScheduleResult.Succeeded, Duration = Stopwatch.GetElapsedTime(started) });
            return true;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Whatever happened: one database's problem must not affect another.
            Fail(begun with { Duration = Stopwatch.GetElapsedTime(started) }, exception as BackupException ?? Unexpected(begun, exception));
            return false;
        }
    }

    /// <summary>Notes a step that succeeded.</summary>
    public void Succeed(ScheduleStep done) => Note(done with { Result = ScheduleResult.Succeeded });

    /// <summary>Notes a failed step.</summary>
    public void Fail(ScheduleStep begun, BackupException fault)
    {
        faults.Enqueue(fault);
        Note(begun with { Result = ScheduleResult.Failed, ErrorId = fault.ErrorId, Detail = fault.Message });
    }

    /// <summary>Notes a step with a problem that does not make the run fail.</summary>
    public void Warn(ScheduleStep begun, string detail) => Note(begun with { Result = ScheduleResult.Warning, Detail = detail });

    /// <summary>Notes a step that had nothing to do.</summary>
    public void Skip(ScheduleStep begun, string detail) => Note(begun with { Result = ScheduleResult.Skipped, Detail = detail });

    private void Note(ScheduleStep step)
    {
        steps.Enqueue(step);
        ended(step);
    }

    private static BackupException Unexpected(ScheduleStep begun, Exception exception) => new(
        BackupErrorId.ScheduleStepFailed, begun.Target,
        $"The step {begun.Step} failed unexpectedly: {exception.GetType().Name}: {exception.Message.TrimEnd('.')}. Run the command by hand with -Verbose to see more.",
        exception);
}
