using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Every operation records an event, however it ends, and Get-SHBackupHistory shows it.</summary>
public class GetHistoryTests
{
    private const string Place = "-Provider Directory -Container ./offsite";
    private const string ThroughAJob =
        "ForEach-Object { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($_)) }";

    [Fact]
    public void Each_cmdlet_leaves_its_event_with_the_backup_and_what_is_known_of_it()
    {
        using var workspace = new Workspace();
        workspace.Change();
        var full = workspace.MakeBackup("-RetentionPolicy Daily -Compression Gzip");
        workspace.Change();
        var increment = workspace.MakeBackup($"-Type Incremental -Upload {Place} -CreateContainer");
        Assert.Equal(full.Id, increment.ParentId);
        workspace.Run($"Test-SHBackup {full.Id}; Test-SHBackup {full.Id} -Remote {Place}").WithoutErrors();
        workspace.Run($"Restore-SHBackup {increment.Id} ./new.db -Force; Restore-SHBackup {full.Id} ./far.db -Remote {Place} -Force").WithoutErrors();
        workspace.Run($"Merge-SHBackup {increment.Id}; Remove-SHBackup {full.Id} -Force; Receive-SHBackup {full.Id} {Place}").WithoutErrors();
        workspace.Run($"Invoke-SHBackupRetention; Remove-SHBackup {full.Id} -Remote {Place} -Cascade -Force").WithoutErrors();

        var events = workspace.Run("Get-SHBackupHistory").WithoutErrors().As<BackupEvent>();

        Assert.Equal(
            [
                "Create", "Create", "Upload", "Verify", "Verify Directory", "Restore", "Restore Directory", "Merge", "Remove", "Receive Directory", "Retention",
                "Remove Directory", "Remove Directory",
            ],
            events.Reverse().Select(told => told.Operation == BackupOperation.Upload ? "Upload" : $"{told.Operation} {told.Provider}".TrimEnd()));
        Assert.All(events, told =>
        {
            Assert.Equal(BackupEventStatus.Success, told.Status);
            Assert.Equal(
                (workspace.Backups, Environment.UserName, Environment.MachineName, Environment.ProcessId),
                (told.BackupDirectory, told.User, told.Host, told.ProcessId));
            Assert.Null(told.ErrorId);
            Assert.InRange(DateTimeOffset.UtcNow - told.Timestamp, TimeSpan.Zero, TimeSpan.FromMinutes(2));
        });
        var made = events[^1];
        Assert.Equal(
            (workspace.Database, full.Id, BackupType.Full, CompressionType.Gzip, RetentionPolicy.Daily, full.Size, true),
            (made.Database, made.BackupId, made.Type!.Value, made.Compression!.Value, made.RetentionPolicy!.Value, made.Bytes!.Value, made.Verified!.Value));
        Assert.True(made.Duration > full.Duration);
        Assert.Equal(workspace["new.db"], events.Last(told => told.Operation == BackupOperation.Restore).Destination);
        Assert.Equal(CloudProvider.Directory, events.Single(told => told.Operation == BackupOperation.Upload).Provider);
        Assert.Equal(BackupType.Full, events.Single(told => told.Operation == BackupOperation.Merge).Type);
        Assert.Null(events.Single(told => told.Operation == BackupOperation.Retention).BackupId);
    }

    [Theory]
    [InlineData("stopped")]
    [InlineData("failed")]
    public void What_was_stopped_is_no_failure_however_it_was_recorded(string status)
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        workspace.MakeBackup();
        using (var history = Databases.Open(workspace["backups", ".shbackup", "history.db"]))
        {
            Databases.Execute(history, $"UPDATE event SET status = '{status}', error_id = 'Stopped', backup_id = NULL WHERE id = 1");
        }

        Assert.Empty(workspace.Run("Get-SHBackupHistory -Failed").WithoutErrors().Output);
        var stopped = Assert.Single(workspace.Run("Get-SHBackupHistory -Stopped").WithoutErrors().As<BackupEvent>());
        Assert.Equal((1, BackupEventStatus.Stopped), (stopped.EventId, stopped.Status));
        Assert.Equal(2, Assert.Single(workspace.Run("Get-SHBackupHistory -Succeeded").WithoutErrors().As<BackupEvent>()).EventId);
    }

    [Fact]
    public void A_failure_is_recorded_with_its_error_id_whatever_failed()
    {
        using var workspace = new Workspace();
        var broken = workspace.AddBackup(TimeSpan.FromDays(1));
        Workspace.FlipByte(workspace.FileOf(broken));
        var missing = workspace.AddBackup(TimeSpan.FromDays(2));
        File.Delete(workspace.FileOf(missing));

        workspace.Run($"""
            New-SHBackup ./missing.db -Type Auto
            Test-SHBackup {broken}
            Restore-SHBackup {broken} ./new.db -Force
            Send-SHBackup {missing} {Place} -CreateContainer
            Send-SHBackup {broken} -Provider Directory -Container ./nowhere
            """);

        var events = workspace.Run("Get-SHBackupHistory -Failed").WithoutErrors().As<BackupEvent>();
        Assert.Equal(
            ["Create SourceNotFound", "Verify BackupCorrupt", "Restore BackupCorrupt", "Upload BackupFileMissing", "Upload CloudContainerNotFound"],
            events.Reverse().Select(told => $"{told.Operation} {told.ErrorId}"));
        Assert.All(events, told => Assert.NotEmpty(told.ErrorMessage!));
        Assert.Equal((workspace["missing.db"], null, null), (events[^1].Database, events[^1].BackupId, events[^1].Type));
        Assert.Empty(workspace.Run("Get-SHBackupHistory -Succeeded").WithoutErrors().Output);
    }

    [Fact]
    public void An_upload_that_fails_after_a_backup_is_a_failure_of_its_own()
    {
        using var workspace = new Workspace();
        workspace.Run($"New-SHBackup ./app.db -Upload {Place}");

        Assert.Equal(
            ["Upload Failed CloudContainerNotFound", "Create Success "],
            workspace.Run("Get-SHBackupHistory").WithoutErrors().As<BackupEvent>().Select(told => $"{told.Operation} {told.Status} {told.ErrorId}"));
    }

    [Fact]
    public void Retention_leaves_one_event_for_each_backup_that_it_removed()
    {
        using var workspace = new Workspace();
        string[] ids =
        [
            .. Enumerable.Range(1, 10).Select(day => workspace.AddBackup(TimeSpan.FromDays(day), sidecar => sidecar["retention_policy"] = "daily")),
        ];
        workspace.Run("Invoke-SHBackupRetention -WhatIf").WithoutErrors();
        Assert.Empty(workspace.Run("Get-SHBackupHistory").WithoutErrors().Output);

        workspace.Run("Invoke-SHBackupRetention").WithoutErrors();

        var events = workspace.Run("Get-SHBackupHistory").WithoutErrors().As<BackupEvent>();
        Assert.Equal(ids[7..].Order(StringComparer.Ordinal), events.Select(told => told.BackupId!).Order(StringComparer.Ordinal));
        Assert.All(events, told => Assert.Equal((BackupOperation.Retention, RetentionPolicy.Daily), (told.Operation, told.RetentionPolicy)));
    }

    [Fact]
    public void The_filters_are_combined()
    {
        using var workspace = new Workspace();
        Databases.Create(workspace["other.db"], new DatabaseShape { Rows = 20 });
        var id = workspace.MakeBackup().Id;
        workspace.Run("New-SHBackup ./other.db, ./missing.db");

        Assert.Equal(3, Count(""));
        Assert.Equal(1, Count("app.db"));
        Assert.Equal(2, Count("-Database *.db -Succeeded"));
        Assert.Equal(1, Count("-Database '" + workspace["other.db"].Replace("'", "''", StringComparison.Ordinal) + "'"));
        Assert.Equal(0, Count("-Database app.db -Failed"));
        Assert.Equal(1, Count($"-BackupId {id}"));
        Assert.Equal(0, Count("-Operation Verify, Upload"));
        Assert.Equal(3, Count("-Operation Create -After ([datetime]::Now.AddMinutes(-5)) -Before ([datetime]::Now.AddMinutes(5))"));
        Assert.Equal(0, Count("-Before ([datetime]::Now.AddMinutes(-5))"));
        Assert.Equal(0, Count("-Schedule *"));
        Assert.Equal(
            ["missing.db", "other.db"],
            workspace.Run("Get-SHBackupHistory -Newest 2").WithoutErrors().As<BackupEvent>().Select(told => Path.GetFileName(told.Database!)));

        int Count(string filter) => workspace.Run("Get-SHBackupHistory " + filter).WithoutErrors().Output.Count;
    }

    [Fact]
    public void Databases_and_operations_are_completed()
    {
        using var workspace = new Workspace();
        workspace.Run("New-SHBackup './a b.db', ./missing.db, ./sub/missing.db");

        var offered = workspace.Session.Complete("Get-SHBackupHistory -Database ");

        Assert.Contains(offered, item => item.CompletionText == "'a b.db'" && item.ToolTip == workspace["a b.db"]);
        Assert.Equal(2, offered.Count(item => item.ToolTip.EndsWith("missing.db", StringComparison.Ordinal) && item.ListItemText == item.ToolTip));
        Assert.Equal(
            ["Receive", "Remove", "Restore", "Retention"],
            workspace.Session.Complete("Get-SHBackupHistory -Operation Re").Select(item => item.CompletionText).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_table_shows_an_event_on_one_line()
    {
        using var session = PowerShellSession.Start();
        BackupEvent told = new()
        {
            Timestamp = new DateTimeOffset(2026, 11, 22, 4, 0, 0, TimeSpan.FromHours(2)),
            Operation = BackupOperation.Create,
            Duration = TimeSpan.FromMilliseconds(12345),
            Database = "/srv/app.db",
            BackupId = "backup_20261122_020000_123456",
            Bytes = 128974848,
        };
        var failed = told with { Status = BackupEventStatus.Failed, ErrorId = BackupErrorId.DestinationPageSizeDiffers, Bytes = null };

        foreach (var width in new[] { 120, 80 })
        {
            session.Host.UI.RawUI.BufferSize = new(width, 50);
            var lines = session.Render("$input", told, failed).Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);

            Assert.Equal(4, lines.Length);
            Assert.Equal("When (UTC) Operation Status Duration Backup or error" + (width == 120 ? " Size Database" : string.Empty), Words(lines[0]));
            Assert.Equal(
                "2026-11-22 02:00:00 Create Success 12.35 s backup_20261122_020000_123456" + (width == 120 ? " 123.0 MiB app.db" : string.Empty),
                Words(lines[2]));
            Assert.Equal("2026-11-22 02:00:00 Create Failed 12.35 s DestinationPageSizeDiffers" + (width == 120 ? " app.db" : string.Empty), Words(lines[3]));
        }

        static string Words(string line) => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void An_event_comes_out_of_a_job_as_it_was()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup("-RetentionPolicy Weekly");
        workspace.Run("New-SHBackup ./missing.db");
        var events = workspace.Run("Get-SHBackupHistory").As<BackupEvent>();

        Assert.Equal(events, workspace.Session.Invoke("$input | " + ThroughAJob, events).WithoutErrors().As<BackupEvent>());
        Assert.Equal(
            workspace.Session.Render("$input", [.. events]),
            workspace.Session.Render($"$input | {ThroughAJob}", [.. events]));
    }

    [Fact]
    public void A_read_only_directory_records_nothing_and_only_explains_so()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "takes a folder that nobody, root included, may write to: Linux has /sys");
        using var workspace = new Workspace();
        var id = workspace.AddBackup(TimeSpan.FromDays(1));

        var result = workspace.Run("New-SHBackup ./app.db -BackupDirectory /sys/kernel -Verbose");

        Assert.Equal("DirectoryNotWritable", Assert.Single(result.Errors).FullyQualifiedErrorId.Split(',')[0]);
        Assert.Contains(result.Verbose, line => line.Contains("is not recorded", StringComparison.Ordinal));
        Assert.Empty(result.Warnings);
        Assert.Equal([id], workspace.Listed());
    }

    [Fact]
    public void What_cannot_be_recorded_is_warned_of_and_the_backup_is_made()
    {
        using var workspace = new Workspace();
        Directory.CreateDirectory(workspace["backups", ".shbackup", "history.db"]);

        var result = workspace.Run("New-SHBackup ./app.db").WithoutErrors();

        Assert.True(result.As<BackupMetadata>().Single().Verified);
        Assert.Contains("could not be recorded", Assert.Single(result.Warnings), StringComparison.Ordinal);
    }
}
