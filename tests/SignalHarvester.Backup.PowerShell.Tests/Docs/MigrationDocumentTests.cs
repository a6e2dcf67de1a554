using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Docs;

/// <summary>docs/MIGRATION.md: its commands run unchanged, in the place of the Python tool's settings and backups.</summary>
// Documents register the schedules of a configuration, which have the same names in all of them.
[Collection("schedules of documents")]
public class MigrationDocumentTests
{
    private static readonly MarkdownDocument Guide = MarkdownDocument.Load("docs/MIGRATION.md");

    [Fact]
    public void The_steps_take_over_what_the_Python_tool_left()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = TakenOver();
        foreach (var code in Guide.Blocks("powershell"))
        {
            workspace.Run($". {{ {code} }}").WithoutErrors();
        }

        Assert.Equal([BackupType.Full, BackupType.Full], workspace.Run("Get-SHBackup").WithoutErrors().As<BackupMetadata>().Select(backup => backup.Type));
        Assert.All(workspace.Run("Get-SHBackup").As<BackupMetadata>(), backup => Assert.True(backup.Verified));
        workspace.Run("Unregister-SHBackupSchedule shbackup-* -Force").WithoutErrors();
    }

    [Fact]
    public void Each_command_has_a_counterpart_that_works()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = TakenOver();
        workspace.Run("Register-SHBackupSchedule -FromConfiguration | Out-Null").WithoutErrors();
        var commands = Guide.TableCode("Commands");
        Assert.Equal(10, commands.Count);
        foreach (var command in commands)
        {
            workspace.Run(command).WithoutErrors();
        }

        Assert.True(File.Exists(workspace["restored.db"]));
        workspace.Run("Unregister-SHBackupSchedule shbackup-* -Force").WithoutErrors();
    }

    private static Workspace TakenOver()
    {
        var workspace = new Workspace();
        workspace.Configure("""
            app:
              database_path: "app.db"
              backup:
                enabled: true
                backup_dir: "backups"
                compression: "gzip"
                retention_days: 90
                schedule: {daily_enabled: true, daily_time: "02:00", weekly_enabled: true, weekly_day: "sunday", weekly_time: "03:00", monthly_enabled: false}
                retention: {daily_keep: 7, weekly_keep: 4, monthly_keep: 12}
                s3: {enabled: false, bucket: "", prefix: "signal-harvester/backups", region: "us-east-1", upload_after_backup: true}
                verification: {verify_after_backup: true, verify_before_restore: true}
            logging: {level: "INFO"}
            """);
        new PredecessorBackups(workspace.Backups).Add(workspace.Database, new PredecessorForm { Compression = "gzip" });
        return workspace;
    }
}
