using System.Diagnostics;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>A warm standby as a user keeps and promotes it: the commands of docs/STANDBY.md.</summary>
public sealed class StandbyTests
{
    private const string Source = "-Database app.db -From ./offsite -BackupDirectory ./standby-backups -Destination ./standby.db";

    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    [Fact]
    public void A_standby_is_kept_over_a_kill_and_promoted_by_one_command()
    {
        using var host = new ScheduleHost();
        using var protection = host.Start(
            "-Command", "Start-SHBackupProtection ./app.db -BackupDirectory ./backups -To ./offsite -CreateContainer; exit [int](-not $?)");
        Await(protection, () => Directory.Exists(host["offsite"])
            && Directory.GetFiles(host["offsite"], "seg_*", SearchOption.AllDirectories).Length > 0
            && Directory.GetFiles(host["offsite"], "backup_*.json").Length > 0);
        var shown = host.Run($$"""
            Restore-SHBackup -Follow {{Source}} -WhatIf
            try { Restore-SHBackup -Follow -Database app.db -From ./offsite } catch { "$_" }
            """).Output;
        Assert.StartsWith("What if: ", shown, StringComparison.Ordinal);
        Assert.Contains("give the standby with -Destination", shown, StringComparison.Ordinal);
        Assert.False(File.Exists(host["standby.db"]));

        using (var follower = host.Start("-Command", $"Restore-SHBackup -Follow {Source}"))
        {
            Await(follower, () => File.Exists(host["standby.db.shbackup-follow"]) && File.Exists(host["standby.db"]));
            Commit(host, "CREATE TABLE later(x); INSERT INTO later VALUES (42)");
            Await(follower, () => host.Run("(Get-SHBackupProtection ./app.db -BackupDirectory ./backups).Lag.Ticks").Output.Trim() == "0");
            follower.Kill(entireProcessTree: true);
        }

        var promoted = host.Run($$"""
            $standby = Restore-SHBackup -Promote {{Source}} -Force -WarningVariable told 3>$null
            "$($standby.IsPromoted) $($standby.Path) $($standby.Transaction)"
            "$told"
            Test-Path standby.db.shbackup-follow
            $standby
            Restore-SHBackup -Promote {{Source}} -Force 2>&1 3>$null | ForEach-Object { "$($_.FullyQualifiedErrorId)" }
            exit 0
            """).EnsureSuccess().Output.Split('\n');
        Assert.StartsWith($"True {host["standby.db"]} ", promoted[0], StringComparison.Ordinal);
        Assert.Contains("is the primary now", promoted[1], StringComparison.Ordinal);
        Assert.Equal("False", promoted[2]);

        // Again, as a script does that is not sure: what the application has written since is not rolled back.
        Assert.Contains(promoted, line => line.StartsWith("StandbyNotFound,", StringComparison.Ordinal));
        using (var standby = Databases.Open(host["standby.db"]))
        {
            Assert.Equal("42", Databases.Scalar(standby, "SELECT x FROM later"));
        }

        Commit(host, "INSERT INTO later VALUES (43)");
        var fenced = ScheduleHost.Finish(protection, "protection");
        Assert.Equal(1, fenced.ExitCode);
        Assert.Contains("Another writer has put", fenced.Error, StringComparison.Ordinal);
    }

    private static void Commit(ScheduleHost host, string sql)
    {
        using var connection = Databases.Open(host["app.db"]);
        Databases.Execute(connection, sql);
    }

    private static void Await(Process process, Func<bool> isSo) => Assert.True(
        SpinWait.SpinUntil(() => process.HasExited || isSo(), Hang) && !process.HasExited,
        process.HasExited ? process.StandardError.ReadToEnd() : "It did not come.");
}
