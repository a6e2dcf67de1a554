using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Every cmdlet takes its defaults from the configuration, and given values win.</summary>
public class ConfiguredDefaultsTests
{
    private const string Offsite = "directory: {enabled: true, path: offsite, prefix: m1, create_container: true}";

    [Fact]
    public void A_backup_needs_no_parameter()
    {
        using var workspace = new Workspace();
        Configure(workspace, "backup_dir: 'kept [here]'\n    compression: gzip\n    compression_level: 9\n    verification: {verify_after_backup: false}");
        var made = workspace.Run("New-SHBackup").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal(
            (workspace.Database, workspace["kept [here]"], CompressionType.Gzip, false),
            (made.DatabasePath, made.BackupDirectory, made.Compression, made.Verified));
        Assert.Equal([made.Id], workspace.Listed());
        Assert.True(workspace.Run($"Test-SHBackup {made.Id}").WithoutErrors().As<BackupMetadata>().Single().Verified);
        Assert.Contains(made.Id, workspace.Session.Complete("Test-SHBackup backup_").Select(completion => completion.CompletionText));
        Assert.Single(workspace.Run($"Remove-SHBackup {made.Id} -Force").WithoutErrors().Output);
    }

    [Fact]
    public void Parameters_win()
    {
        using var workspace = new Workspace();
        Databases.Create(workspace["other.db"]);
        Configure(
            workspace,
            "backup_dir: kept\n    compression: gzip\n    compression_level: 9\n    verification: {verify_after_backup: false}\n    incremental: {type: incremental}");
        var made = workspace.Run("New-SHBackup other.db -BackupDirectory ./mine -Compression Zstd -NoVerify:$false -Type Full")
            .WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal(
            (workspace["other.db"], workspace["mine"], CompressionType.Zstd, true, BackupType.Full),
            (made.DatabasePath, made.BackupDirectory, made.Compression, made.Verified, made.Type));
        Assert.Single(workspace.Run("Get-SHBackup -BackupDirectory ./mine").WithoutErrors().Output);
        File.WriteAllText(workspace["second.yaml"], "app: {database_path: other.db, backup: {backup_dir: second}}");
        Assert.Equal(
            workspace["second"], workspace.Run("New-SHBackup -ConfigurationPath ./second.yaml").WithoutErrors().As<BackupMetadata>().Single().BackupDirectory);
    }

    [Fact]
    public void The_kind_of_backup_and_its_limits_are_the_configuration_s()
    {
        using var workspace = new Workspace();
        Configure(workspace, "incremental: {type: auto, max_increments: 1, max_increment_share: 1000}");
        workspace.Change();
        var types = Enumerable.Range(0, 3).Select(_ =>
        {
            workspace.Change();
            return workspace.Run("New-SHBackup").WithoutErrors().As<BackupMetadata>().Single().Type;
        });
        Assert.Equal([BackupType.Full, BackupType.Incremental, BackupType.Full], types);
        Assert.Equal(BackupType.Incremental, workspace.Run("New-SHBackup -MaxIncrements 5").WithoutErrors().As<BackupMetadata>().Single().Type);
    }

    [Fact]
    public void Without_a_database_given_or_configured_nothing_is_guessed()
    {
        using var workspace = new Workspace();
        workspace.Configure("app: {backup: {compression: gzip}}");
        Assert.StartsWith("DatabaseRequired,", Assert.Single(workspace.Run("New-SHBackup").Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Configure(workspace, "enabled: true");
        Assert.Empty(workspace.Run("@() | New-SHBackup").WithoutErrors().Output);
        Assert.NotEmpty(workspace.Run("New-SHBackup $undefined").Errors);
        Assert.NotEmpty(workspace.Run("[pscustomobject]@{ Nothing = 1 } | New-SHBackup").Errors);
        Assert.Empty(workspace.Listed());
    }

    [Fact]
    public void Several_databases_with_directories_of_their_own()
    {
        using var workspace = new Workspace();
        var queue = Databases.Create(workspace["queue.db"]);
        Configure(workspace, "databases:\n      - path: queue.db\n        backup_dir: queues\n      - missing.db");
        var result = workspace.Run("New-SHBackup");
        Assert.StartsWith("SourceNotFound,", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        var made = result.As<BackupMetadata>();
        Assert.Equal(
            [(workspace.Database, workspace.Backups), (queue, workspace["queues"])], made.Select(backup => (backup.DatabasePath!, backup.BackupDirectory)));

        Assert.Equal([made[1].Id, made[0].Id], workspace.Listed());
        Assert.Equal(queue, workspace.Run($"Test-SHBackup {made[1].Id}").WithoutErrors().As<BackupMetadata>().Single().DatabasePath);
        Assert.Equal(2, workspace.Run("Test-SHBackup backup_* -Level Quick").WithoutErrors().Output.Count);
        Assert.Equal(2, workspace.Run("Invoke-SHBackupRetention -WhatIf").WithoutErrors().Output.Count);
        Assert.Single(workspace.Run("Get-SHBackup -BackupDirectory ./queues").WithoutErrors().Output);
        Assert.Equal(workspace["queues"], workspace.Run("New-SHBackup ./queue.db").WithoutErrors().As<BackupMetadata>().Single().BackupDirectory);
        File.Delete(queue);
        workspace.Run("Restore-SHBackup -PointInTime '2120-01-01T00:00Z' -Database queue.db -Force").WithoutErrors();
        Assert.True(File.Exists(queue));
    }

    [Fact]
    public void Retention_keeps_what_is_configured()
    {
        using var workspace = new Workspace();
        foreach (var days in (int[])[1, 2, 3])
        {
            workspace.AddBackup(TimeSpan.FromDays(days), sidecar => sidecar["retention_policy"] = "daily");
        }

        int Kept(string script) => workspace.Run($"@({script} -WhatIf | Where-Object Action -eq Keep).Count").WithoutErrors().As<int>().Single();
        Configure(workspace, "retention: {daily_keep: 1}");
        Assert.Equal(1, Kept("Invoke-SHBackupRetention"));
        Assert.Equal(2, Kept("Invoke-SHBackupRetention -KeepDaily 2"));
        Configure(workspace, "retention: {daily_keep: 1, keep_last: 3}");
        Assert.Equal(3, Kept("Invoke-SHBackupRetention"));

        workspace.AddBackup(TimeSpan.FromDays(50));
        Configure(workspace, "retention: {daily_keep: 3, weekly_keep: 0, monthly_keep: 0, include_manual: true}\n    retention_days: 40");
        Assert.Equal(3, Kept("Invoke-SHBackupRetention"));
        Assert.Equal(4, Kept("Invoke-SHBackupRetention -IncludeManual:$false"));
        Assert.Equal(4, Kept("Invoke-SHBackupRetention -RetentionDays 60"));
    }

    [Fact]
    public void A_restore_goes_to_the_configured_database()
    {
        using var workspace = new Workspace("Yes");
        var backup = workspace.MakeBackup();
        workspace.Change();
        Configure(workspace, "enabled: true");

        workspace.Run($"Restore-SHBackup {backup.Id} -Force").WithoutErrors();
        Assert.False(IsChanged(workspace));
        Assert.Empty(workspace.Session.Host.Questions);

        workspace.Change();
        workspace.Run($"Restore-SHBackup {backup.Id}").WithoutErrors();
        Assert.Contains(workspace.Database, Assert.Single(workspace.Session.Host.Questions), StringComparison.Ordinal);
        Assert.False(IsChanged(workspace));
        Assert.Contains(workspace.Database, Shown(workspace, $"Restore-SHBackup {backup.Id} -WhatIf"), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_question_a_database_of_another_name_is_not_replaced()
    {
        using var workspace = new Workspace("Yes");
        Databases.Create(workspace["other.db"]);
        var backup = workspace.Run("New-SHBackup ./other.db").WithoutErrors().As<BackupMetadata>().Single();
        workspace.Change();
        Configure(workspace, "enabled: true");

        Assert.StartsWith(
            "DestinationRequired,", Assert.Single(workspace.Run($"Restore-SHBackup {backup.Id} -Force").Errors).FullyQualifiedErrorId,
            StringComparison.Ordinal);
        Assert.True(IsChanged(workspace));
        workspace.Run($"Restore-SHBackup {backup.Id}").WithoutErrors();
        Assert.False(IsChanged(workspace));

        // The same database, at another path on this machine.
        workspace.EditSidecar(backup.Id, sidecar => sidecar["db_path"] = @"C:\old machine\app.db");
        workspace.Run($"Restore-SHBackup {backup.Id} -Force").WithoutErrors();
    }

    [Fact]
    public void A_restore_is_verified_as_configured()
    {
        using var workspace = new Workspace();
        var backup = workspace.MakeBackup();
        workspace.EditSidecar(backup.Id, sidecar => sidecar["row_counts"]!["customer"] = 1);
        Configure(workspace, "verification: {verify_before_restore: false}");
        Assert.NotEmpty(workspace.Run($"Restore-SHBackup {backup.Id} ./new.db -Force -NoVerify:$false").Errors);
        Assert.False(File.Exists(workspace["new.db"]));
        workspace.Run($"Restore-SHBackup {backup.Id} ./new.db -Force").WithoutErrors();
        Assert.True(File.Exists(workspace["new.db"]));
    }

    [Fact]
    public void Databases_are_checked_thoroughly_as_configured()
    {
        using var workspace = new Workspace();
        string Integrity(string script) => workspace.Run(script).WithoutErrors().As<BackupMetadata>().Single()
            .Verification.Single(check => check.Check == "Integrity").Detail.Split(' ')[0];
        Configure(workspace, "verification: {thorough: true}");

        Assert.Equal("integrity_check", Integrity("New-SHBackup ./app.db"));
        Assert.Equal("integrity_check", Integrity("Get-SHBackup | Test-SHBackup"));
        Assert.Equal("integrity_check", Integrity("Get-SHBackup | Restore-SHBackup -Destination ./new.db -Force"));
        Assert.Equal("quick_check", Integrity("Get-SHBackup | Test-SHBackup -Thorough:$false"));
    }

    [Fact]
    public void Each_backup_is_sent_to_the_stores_that_are_enabled_and_comes_back_from_there()
    {
        using var workspace = new Workspace();
        Configure(workspace, Offsite);
        var sent = workspace.Run("New-SHBackup").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal((CloudProvider.Directory, "m1/", workspace["offsite"]), (sent.Copies[0].Provider, sent.Copies[0].Prefix, sent.Copies[0].Container));
        Assert.Empty(workspace.Run("New-SHBackup -Upload:$false").WithoutErrors().As<BackupMetadata>().Single().Copies);

        Assert.Single(workspace.Run("Get-SHBackup -Remote").WithoutErrors().Output);
        Assert.Single(workspace.Run("Get-SHBackup -Remote -Provider Directory").WithoutErrors().Output);
        Assert.Empty(workspace.Run("Get-SHBackup -Remote -Prefix m2").WithoutErrors().Output);
        Assert.Equal(2, workspace.Run("Get-SHBackup | Send-SHBackup").WithoutErrors().Output.Count);
        Assert.Equal(2, workspace.Run("Test-SHBackup backup_* -Remote -Level Quick").WithoutErrors().Output.Count);
        Assert.Single(workspace.Run("Get-SHBackup -Remote -Newest 1 | Remove-SHBackup -Remote -Force").WithoutErrors().Output);
        Assert.Single(workspace.Run("Invoke-SHBackupRetention -Remote -WhatIf").WithoutErrors().Output);

        Directory.Delete(workspace.Backups, recursive: true);
        Assert.Equal(workspace.Backups, workspace.Run($"Receive-SHBackup {sent.Id}").WithoutErrors().As<BackupMetadata>().Single().BackupDirectory);
        workspace.Change();
        workspace.Run($"Restore-SHBackup {sent.Id} -Remote -Force").WithoutErrors();
        Assert.False(IsChanged(workspace));
    }

    [Fact]
    public void A_place_that_is_given_in_full_owes_nothing_to_the_configuration()
    {
        using var workspace = new Workspace();
        Configure(workspace, Offsite);
        var sent = workspace.Run("New-SHBackup -Upload -Provider Directory -Container ./mine -CreateContainer").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal((workspace["mine"], string.Empty), (Assert.Single(sent.Copies).Container, sent.Copies[0].Prefix));
        Assert.False(Directory.Exists(workspace["offsite"]));
        Assert.StartsWith(
            "CloudContainerNotFound,", workspace.Run("New-SHBackup -Upload -CreateContainer:$false").Errors.Single().FullyQualifiedErrorId,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Which_of_several_stores_is_meant_must_be_said_and_one_that_is_off_only_counts_by_name()
    {
        using var workspace = new Workspace();
        Configure(
            workspace, Offsite + "\n    s3: {enabled: true, bucket: b, endpoint: 'http://127.0.0.1:1', upload_after_backup: false}\n    gcs: {bucket: off}");
        Assert.Single(workspace.Run("New-SHBackup").WithoutErrors().As<BackupMetadata>().Single().Copies);
        var error = Assert.Single(workspace.Run("Get-SHBackup -Remote").Errors);
        Assert.Contains("-From s3, -From directory", error.Exception.Message, StringComparison.Ordinal);
        Assert.Single(workspace.Run("Get-SHBackup -Remote -Provider Directory").WithoutErrors().Output);
        Assert.Single(workspace.Run("Test-SHBackup backup_* -Remote -Level Quick").WithoutErrors().Output);
        Assert.Contains(
            "none for Azure", Assert.Single(workspace.Run("Get-SHBackup -Remote -Provider Azure").Errors).Exception.Message, StringComparison.Ordinal);

        Configure(workspace, "directory: {enabled: false, path: offsite, prefix: m1}");
        Assert.Empty(workspace.Run("New-SHBackup").WithoutErrors().As<BackupMetadata>().Single().Copies);
        Assert.Single(workspace.Run("Get-SHBackup -Remote -Provider Directory").WithoutErrors().Output);
        Assert.NotEmpty(workspace.Run("Get-SHBackup -Remote").Errors);
    }

    /// <summary>Whether app.db has the changes of <see cref="Workspace.Change"/>.</summary>
    private static bool IsChanged(Workspace workspace)
    {
        using var connection = Databases.Open(workspace.Database);
        return Databases.Scalar(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'bulk'") != "0";
    }

    private static string Shown(Workspace workspace, string script)
    {
        workspace.Session.Host.Forget();
        workspace.Run(script).WithoutErrors();
        return workspace.Session.Host.Shown;
    }

    private static void Configure(Workspace workspace, string backup) =>
        workspace.Configure($"app:\n  database_path: app.db\n  backup:\n    {backup}\n");
}
