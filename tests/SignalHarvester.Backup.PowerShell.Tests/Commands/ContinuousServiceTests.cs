using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Continuous protection as a service: what its manager hears, and a schedule that runs always.</summary>
public sealed class ContinuousServiceTests
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(30);

    [Fact]
    public void A_continuous_schedule_tells_its_manager_that_it_is_ready_lives_and_ends_and_stops_when_it_is_unregistered()
    {
        using var host = new ScheduleHost();
        host.Install("systemctl", FakeSchedulers.Systemctl);
        var registered = host.Run(
            "$s = Register-SHBackupSchedule live -Continuous -DatabasePath ./app.db -BackupDirectory ./backups -To ./offsite -CreateContainer; "
            + "\"$($s.Action) $($s.Trigger) $($null -eq $s.NextRun) $($s.IsRunning) $($s.Status)\"").EnsureSuccess();
        Assert.Contains("Protect continuous True False Registered", registered.Output, StringComparison.Ordinal);
        const string unit = "shbackup-live.service";
        Assert.Equal(["systemctl --user daemon-reload", $"systemctl --user enable {unit}", $"systemctl --user restart --no-block {unit}"], host.Calls);
        Assert.Equal([unit], Directory.GetFiles(host["config", "systemd", "user"]).Select(Path.GetFileName));

        using var manager = new ServiceManager(host["notify"]);
        using var service = host.StartProgram(
            "/usr/bin/env", "NOTIFY_SOCKET=" + host["notify"], "WATCHDOG_USEC=2000000", BuiltModule.Host, "-Command",
            "Invoke-SHBackupSchedule live -IfDue -AsLog; exit $LASTEXITCODE");
        var starting = manager.Until("READY=1");

        // It is ready when the database is followed. The first backup is on its way then.
        Assert.True(SpinWait.SpinUntil(
            () => Directory.GetFiles(host["offsite"], "backup_*_full.db.zst", SearchOption.AllDirectories).Length > 0, Hang));
        Assert.Contains(starting, message => message.StartsWith("EXTEND_TIMEOUT_USEC=", StringComparison.Ordinal));
        Assert.DoesNotContain("STOPPING=1", starting);
        manager.Until("WATCHDOG=1");
        Assert.Contains(manager.Until("WATCHDOG=1"), message => message.StartsWith("STATUS=1 of 1 databases followed, lag ", StringComparison.Ordinal));

        // Another file in its place: what was committed in between is unknown, and a backup takes its place.
        File.Copy(host["app.db"], host["other.db"]);
        File.Move(host["other.db"], host["app.db"], overwrite: true);
        var status = Directory.GetFiles(host["backups", ".shbackup", "protection"], "status.json", SearchOption.AllDirectories).Single();
        const string backedUpAgain = "\"state\":\"following\".*\"lag\":\"00:00:00\".*\"gaps\":1\\b";
        Assert.True(SpinWait.SpinUntil(() => Regex.IsMatch(File.ReadAllText(status), backedUpAgain, RegexOptions.IgnoreCase), Hang));
        var seen = host.Run("""
            "running $((Get-SHBackupSchedule live).IsRunning)"
            (Export-SHBackupMetric -BackupDirectory ./backups) -split "`n"
            $check = (Get-SHBackupHealth -BackupDirectory ./backups).Checks | Where-Object Check -eq Protection
            "health $($check.Status) $($check.Reason) $($check.Command)"
            """).EnsureSuccess().Output;
        Assert.Contains("running True", seen, StringComparison.Ordinal);
        Assert.Matches("(?m)^shbackup_stream_gaps_total{database=\".*app.db\"} 1$", seen);
        Assert.Matches("(?m)^shbackup_stream_state{database=\".*app.db\",state=\"following\"} 1$", seen);
        Assert.Matches("(?m)^shbackup_stream_state{database=\".*app.db\",state=\"ended\"} 0$", seen);
        Assert.Matches("(?m)^shbackup_stream_lag_seconds{database=\".*app.db\"} 0", seen);
        Assert.Matches("(?m)^health Warning Lag 0 s\\. .* 1 gap since its start.*Get-SHBackupHistory .*-Operation StreamGap", seen);

        Assert.Equal("0", host.Run("Unregister-SHBackupSchedule live -Force; @(Get-SHBackupSchedule -Scope User).Count").EnsureSuccess().Output.Trim());
        Assert.Equal([$"systemctl --user disable --now {unit}", "systemctl --user daemon-reload"], host.Calls.Skip(3));
        manager.Until("STOPPING=1");
        var ended = ScheduleHost.Finish(service, "service");
        Assert.Equal(0, ended.ExitCode);
        Assert.Matches("app.db\"? step=protect result=succeeded .*stopped, stored up to transaction", ended.Output);
        var after = host.Run("""
            $check = (Get-SHBackupHealth -BackupDirectory ./backups).Checks | Where-Object Check -eq Protection
            "$((Get-SHBackupProtection -BackupDirectory ./backups).State) $($check.Status) $($check.Command)"
            Get-SHBackupHistory -BackupDirectory ./backups -Operation StreamStart, StreamGap, StreamStop |
                ForEach-Object { "$($_.Operation) $($_.Status) $($_.Schedule) $($_.ErrorMessage)" }
            """).EnsureSuccess().Output.Split('\n');
        Assert.Matches("^Stopped Warning Start-SHBackupProtection .*app.db. -BackupDirectory ", after[0]);
        Assert.Contains("StreamStart Success live ", after);
        Assert.Contains("StreamStop Success live ", after);
        Assert.Contains(after, line => line.StartsWith("StreamGap Failed live A backup took the place of transactions, because ", StringComparison.Ordinal));
    }

    [Fact]
    public void A_signal_ends_a_service_in_order_and_what_another_writer_has_is_not_started_again()
    {
        using var host = new ScheduleHost();
        host.Install("systemctl", FakeSchedulers.Systemctl);
        host.Run("Register-SHBackupSchedule live -Continuous -DatabasePath ./app.db -BackupDirectory ./backups -To ./offsite -CreateContainer | Out-Null")
            .EnsureSuccess();
        using var manager = new ServiceManager(host["notify"]);
        using (var service = Start(host))
        {
            manager.Until("READY=1");
            using var kill = Process.Start("/bin/sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -TERM {service.Id}")]);
            manager.Until("STOPPING=1");
            Assert.Contains("EXTEND_TIMEOUT_USEC=60000000", manager.Until("EXTEND_TIMEOUT_USEC=60000000"));
            Assert.Equal(143, ScheduleHost.Finish(service, "service").ExitCode);
        }

        // A machine that knows nothing of the stream, as after a loss of its disk.
        Directory.Delete(host["backups", ".shbackup", "protection"], recursive: true);
        using var again = Start(host);
        var refused = ScheduleHost.Finish(again, "service");
        Assert.Equal(4, refused.ExitCode);
        Assert.Contains("error=StreamNotOurs", refused.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-Type Auto", "-Type has no effect on -Continuous")]
    [InlineData("-KeepDaily 3", "-KeepDaily has no effect on -Continuous")]
    [InlineData("-RandomDelay 5m", "-RandomDelay has no effect on -Continuous")]
    [InlineData("-KeepTransactions '1s'", "-KeepTransactions must be from")]
    public void What_makes_no_sense_beside_a_continuous_schedule_is_refused(string parameters, string words)
    {
        using var workspace = new Workspace();
        var error = workspace.Run(
            $"Register-SHBackupSchedule live -Continuous -DatabasePath ./app.db -BackupDirectory ./backups -To ./offsite -AsText {parameters}").Errors.Single();
        Assert.StartsWith("InvalidArgument", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains(words, error.Exception.Message, StringComparison.Ordinal);
    }

    private static Process Start(ScheduleHost host) => host.StartProgram(
        "/usr/bin/env", "NOTIFY_SOCKET=" + host["notify"], BuiltModule.Host, "-Command", "Invoke-SHBackupSchedule live -IfDue -AsLog; exit $LASTEXITCODE");
}
