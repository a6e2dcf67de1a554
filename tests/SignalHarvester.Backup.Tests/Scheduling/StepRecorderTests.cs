using SignalHarvester.Backup.Scheduling.Runs;
using Xunit;

namespace SignalHarvester.Backup.Tests.Scheduling;

/// <summary>The records of a run's steps.</summary>
public sealed class StepRecorderTests
{
    [Fact]
    public void What_nobody_has_foreseen_is_a_failed_step_with_an_id_of_its_own_and_the_next_one_is_done()
    {
        var ended = new List<ScheduleStep>();
        var recorder = new StepRecorder(ended.Add);

        Assert.False(recorder.Do(Create("a.db"), _ => throw new InvalidOperationException("Oh.")));
        Assert.True(recorder.Do(Create("b.db"), step => step with { Detail = "Full" }));

        Assert.Equal([ScheduleResult.Failed, ScheduleResult.Succeeded], recorder.Steps.Select(step => step.Result));
        Assert.Equal(recorder.Steps, ended);
        var fault = Assert.Single(recorder.Faults);
        Assert.Equal((BackupErrorId.ScheduleStepFailed, "a.db"), (fault.ErrorId, fault.Target));
        Assert.Contains("InvalidOperationException: Oh", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stopped_step_stops_the_run() =>
        Assert.Throws<OperationCanceledException>(() => new StepRecorder(_ => { }).Do(Create("a.db"), _ => throw new OperationCanceledException()));

    private static ScheduleStep Create(string database) => new() { Step = "Create", Target = database, Database = database };
}
