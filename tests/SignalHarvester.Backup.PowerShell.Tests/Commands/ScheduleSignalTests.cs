using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>
/// SIGTERM to a shell that does not handle it, as pwsh: this process. It stops every run in it, so no other test may run then.
/// </summary>
[Collection(nameof(ScheduleSignalTests))]
[CollectionDefinition(nameof(ScheduleSignalTests), DisableParallelization = true)]
public sealed class ScheduleSignalTests
{
    [Fact]
    public async Task A_signal_that_the_shell_knows_nothing_of_stops_a_run_and_leaves_its_code()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        Databases.Create(workspace["held.db"], new DatabaseShape { Rows = 20, JournalMode = JournalMode.Delete });
        workspace.Run("Register-SHBackupSchedule signalled -Daily -DatabasePath ./held.db").WithoutErrors();
        using var holder = new DatabaseHolder(workspace["held.db"], "BEGIN EXCLUSIVE;");
        var run = Task.Run(() => workspace.Run("Invoke-SHBackupSchedule signalled; $global:LASTEXITCODE; 'next'"));
        var locks = Path.Combine(Environment.GetEnvironmentVariable("XDG_STATE_HOME")!, "shbackup", "schedules", "shbackup-signalled.lock");
        SpinWait.SpinUntil(() => File.Exists(locks) || run.IsCompleted);

        // As pwsh would get it: this process does not handle it but while a schedule runs.
        using (var kill = System.Diagnostics.Process.Start("/bin/sh", ["-c", $"kill -TERM {Environment.ProcessId}"]))
        {
            await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        var result = await run;
        Assert.Equal(["143", "next"], result.Output.Select(item => item.ToString()));
        Assert.Contains("stopped by a signal", Assert.Single(result.Warnings), StringComparison.Ordinal);
        Assert.Null(workspace.Run("Get-SHBackupSchedule signalled").As<BackupSchedule>().Single().LastRun);
        workspace.Run("Unregister-SHBackupSchedule signalled -Force").WithoutErrors();
    }
}
