using System.Diagnostics;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>The real cron of the machine, with a job that the cmdlet registered.</summary>
public sealed class CronTests
{
    private const string OfTheMachine = "/etc/shbackup";
    private const string StateOfTheMachine = "/var/lib/shbackup";

    [Fact]
    public async Task Cron_runs_schedules_of_the_account_and_of_the_machine_within_two_minutes()
    {
        var crontab = Tool.Require("crontab");
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && File.Exists("/usr/sbin/cron"),
            "takes root and Debian's cron (package cron), which tests/run.sh installs where it may");
        Assert.SkipWhen(crontab.Run("-l").Output.Contains("of_20cron_20tests", StringComparison.Ordinal), "another run of this test is in progress");
        var wasThere = new[] { OfTheMachine, StateOfTheMachine }.Where(Directory.Exists).ToList();
        using var host = new ScheduleHost();
        using var cron = StartCron();
        try
        {
            const string register =
                "Register-SHBackupSchedule 'of cron tests: 100% \"{0}\"' -Every 1m -DatabasePath ./app.db -BackupDirectory ./backups-{0} -Backend Cron -Scope {0};";
            var registered = host.Run(register.Replace("{0}", "User", StringComparison.Ordinal) + register.Replace("{0}", "System", StringComparison.Ordinal))
                .EnsureSuccess();
            Assert.DoesNotContain("does not seem to run", registered.Output, StringComparison.Ordinal);
            var waited = Stopwatch.StartNew();
            while (!(HasRun(host["state"]) && HasRun(StateOfTheMachine)) && waited.Elapsed < TimeSpan.FromMinutes(2))
            {
                await Task.Delay(200, TestContext.Current.CancellationToken);
            }

            var found = host.Run("""
                foreach ($scope in 'User', 'System') {
                    $schedule = Get-SHBackupSchedule 'of cron tests*' -Scope $scope
                    "$scope $($schedule.LastResult) $($schedule.Status) $((Get-SHBackup -BackupDirectory "./backups-$scope")[-1].Verified)"
                }
                """);
            Assert.Equal("User Succeeded Registered True\nSystem Succeeded Registered True", found.Output.Trim().ReplaceLineEndings("\n"));
        }
        finally
        {
            host.Run("Unregister-SHBackupSchedule 'of cron tests*' -Force").EnsureSuccess();
            cron?.Kill();
            foreach (var folder in new[] { OfTheMachine, StateOfTheMachine }.Where(folder => Directory.Exists(folder) && !wasThere.Contains(folder)))
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        Assert.DoesNotContain("of_20cron_20tests", crontab.Run("-l").Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles("/etc/cron.d", "shbackup-of_20cron_20tests*"));
    }

    private static bool HasRun(string folder) =>
        Directory.Exists(folder) && Directory.EnumerateFiles(folder, "shbackup-of_20cron_20tests*.state.json", SearchOption.AllDirectories).Any();

    /// <summary>Starts cron in the foreground; null if one is running already.</summary>
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
