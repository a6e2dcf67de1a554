using System.Diagnostics;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>The real cron of the machine, with a job that the cmdlet registered.</summary>
public sealed class CronTests
{
    [Fact]
    public async Task Cron_runs_a_registered_schedule_within_two_minutes()
    {
        var crontab = Tool.Require("crontab");
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && File.Exists("/usr/sbin/cron"), "takes root and Debian's cron (package cron), which tests/run.sh installs where it may");
        Assert.SkipWhen(crontab.Run("-l").Output.Contains("SignalHarvester.Backup real_20cron", StringComparison.Ordinal), "another run of this test is in progress");
        using var host = new ScheduleHost();
        using var cron = StartCron();
        try
        {
            var registered = host.Run("Register-SHBackupSchedule 'Real 100% \"cron\"' -Every 1m -DatabasePath ./app.db -BackupDirectory ./backups -Backend Cron").EnsureSuccess();
            Assert.DoesNotContain("does not seem to run", registered.Error, StringComparison.Ordinal);
            var waited = Stopwatch.StartNew();
            while (!Directory.EnumerateFiles(host["state"], "*.state.json", SearchOption.AllDirectories).Any() && waited.Elapsed < TimeSpan.FromMinutes(2))
            {
                await Task.Delay(200, TestContext.Current.CancellationToken);
            }

            var found = host.Run("$s = Get-SHBackupSchedule; $s.LastResult; $s.Status; (Get-SHBackup -BackupDirectory ./backups)[-1].Verified");
            Assert.Equal("Succeeded Registered True", string.Join(' ', found.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)));
        }
        finally
        {
            host.Run("Unregister-SHBackupSchedule * -Force").EnsureSuccess();
            cron?.Kill();
        }

        Assert.DoesNotContain("real_20", crontab.Run("-l").Output, StringComparison.Ordinal);
    }

    /// <summary>Starts cron in the foreground; null where one runs already.</summary>
    private static Process? StartCron()
    {
        if (File.Exists("/run/crond.pid") && int.TryParse(File.ReadAllText("/run/crond.pid"), out var id) && Directory.Exists($"/proc/{id}"))
        {
            return null;
        }

        var cron = Process.Start(new ProcessStartInfo("/usr/sbin/cron", ["-f"]))!;
        SpinWait.SpinUntil(() => File.Exists("/run/crond.pid"), TimeSpan.FromSeconds(5));
        return cron;
    }
}
