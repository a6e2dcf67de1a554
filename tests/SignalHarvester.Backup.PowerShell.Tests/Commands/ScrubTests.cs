using System.Globalization;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Invoke-SHBackupScrub finds bit rot, keeps the file, repairs it if there is a copy, and nothing restores from it.</summary>
public class ScrubTests
{
    private const string There = "-Provider Directory -Container ./offsite";

    [Fact]
    public void The_file_that_was_read_longest_ago_comes_first_and_a_share_of_the_bytes_is_read_in_turn()
    {
        using var workspace = new Workspace();
        var ids = new[] { 3, 2, 1 }.Select(days => workspace.AddBackup(TimeSpan.FromDays(days))).ToArray();
        workspace.EditSidecar(ids[0], sidecar => sidecar["verification_timestamp"] = Iso(1));
        workspace.EditSidecar(ids[1], sidecar => sidecar["verification_timestamp"] = Iso(2));
        workspace.EditSidecar(ids[2], sidecar => (sidecar["verified"], sidecar["verification_timestamp"]) = (false, null));

        Assert.Equal([ids[2]], Scrubbed(workspace.Run("Invoke-SHBackupScrub -Percent 10").WithoutErrors()));
        Assert.Equal([ids[1], ids[0]], Scrubbed(workspace.Run("Invoke-SHBackupScrub -Percent 60").WithoutErrors()));
        Assert.Equal([ids[2], ids[1], ids[0]], Scrubbed(workspace.Run("Invoke-SHBackupScrub -Budget 5m").WithoutErrors()));
        Assert.All(
            workspace.Run("Get-SHBackup").As<BackupMetadata>(),
            backup => Assert.InRange(backup.ScrubTimestamp!.Value, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow));
    }

    [Fact]
    public void A_damaged_file_is_kept_in_the_quarantine_and_what_builds_on_it_is_broken_and_said_to_be()
    {
        using var workspace = new Workspace();
        workspace.Change();
        var full = workspace.MakeBackup();
        workspace.Change();
        var increment = workspace.MakeBackup("-Type Incremental");
        Workspace.FlipByte(full.BackupPath);
        var damaged = File.ReadAllBytes(full.BackupPath);

        var result = workspace.Run("Invoke-SHBackupScrub");

        var error = Assert.Single(result.Errors);
        Assert.StartsWith("BackupChecksumMismatch,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(full.Id, error.TargetObject);
        Assert.Contains(increment.Id, error.Exception.Message, StringComparison.Ordinal);
        var found = result.As<BackupScrubResult>()[0];
        Assert.Equal((ScrubOutcome.Damaged, full.Id), (found.Outcome, found.BackupId));
        Assert.Equal([increment.Id], found.BrokenDependants);
        Assert.Equal(damaged, File.ReadAllBytes(found.QuarantinePath!));
        Assert.Equal(ScrubOutcome.Good, result.As<BackupScrubResult>()[1].Outcome);

        var listed = workspace.Run("Get-SHBackup").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal((increment.Id, null), (listed.Id, listed.Depth));
        var kept = workspace.Run("Get-SHBackup -BackupDirectory $args[0]", Path.GetDirectoryName(found.QuarantinePath)!)
            .WithoutErrors().As<BackupMetadata>().Single();
        Assert.False(kept.Verified);
        Assert.Contains("was recorded", Assert.Single(kept.Verification).Detail, StringComparison.Ordinal);
        var told = workspace.Run("Get-SHBackupHistory -Operation Scrub -Failed").WithoutErrors().As<BackupEvent>().Single();
        Assert.Equal((full.Id, BackupErrorId.BackupChecksumMismatch), (told.BackupId, told.ErrorId));
        Assert.Contains(
            "shbackup_scrubs_total{status=\"failed\"} 1", string.Join('\n', workspace.Run("Export-SHBackupMetric").As<string>()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Incremental")]
    [InlineData("Auto")]
    public void After_a_chain_was_hurt_the_next_backup_is_a_full_one(string type)
    {
        using var workspace = new Workspace();
        workspace.Change();
        var full = workspace.MakeBackup();
        workspace.Change();
        workspace.MakeBackup("-Type Incremental");
        Workspace.FlipByte(full.BackupPath);
        workspace.Run("Invoke-SHBackupScrub");
        workspace.Change();

        Assert.Equal(BackupType.Full, workspace.MakeBackup("-Type " + type).Type);
    }

    [Fact]
    public void A_damaged_file_is_fetched_again_from_its_copy_and_the_damaged_one_is_kept()
    {
        using var workspace = new Workspace();
        workspace.Change();
        var full = workspace.MakeBackup();
        workspace.Change();
        var increment = workspace.MakeBackup("-Type Incremental");
        workspace.Run($"Get-SHBackup -Newest 1 | Send-SHBackup {There} -CreateContainer").WithoutErrors();
        var good = File.ReadAllBytes(full.BackupPath);
        Workspace.FlipByte(full.BackupPath);

        var result = workspace.Run("Invoke-SHBackupScrub").WithoutErrors();

        var mended = result.As<BackupScrubResult>()[0];
        Assert.Equal(ScrubOutcome.Repaired, mended.Outcome);
        Assert.StartsWith("file:///", mended.RepairedFrom, StringComparison.Ordinal);
        Assert.Contains("Check the disk", Assert.Single(result.Warnings), StringComparison.Ordinal);
        Assert.Equal(good, File.ReadAllBytes(full.BackupPath));
        Assert.NotEqual(good, File.ReadAllBytes(mended.QuarantinePath!));
        Assert.Equal([increment.Id, full.Id], workspace.Listed());
        Assert.All(workspace.Run("Get-SHBackup | Test-SHBackup").WithoutErrors().As<BackupMetadata>(), backup => Assert.True(backup.Verified));
        Assert.DoesNotContain(workspace.BackupFiles, file => file.Contains("downloads", StringComparison.Ordinal));
    }

    [Fact]
    public void A_copy_that_is_damaged_too_mends_nothing()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        workspace.Run($"Get-SHBackup | Send-SHBackup {There} -CreateContainer").WithoutErrors();
        Workspace.FlipByte(made.BackupPath);
        Workspace.FlipByte(workspace["offsite", Path.GetFileName(made.BackupPath)]);

        var result = workspace.Run("Invoke-SHBackupScrub");

        Assert.Equal(ScrubOutcome.Damaged, result.As<BackupScrubResult>().Single().Outcome);
        Assert.Contains("not repaired: ", result.Errors.Single().Exception.Message, StringComparison.Ordinal);
        Assert.Empty(workspace.Listed());
        Assert.True(File.Exists(result.As<BackupScrubResult>().Single().QuarantinePath));
    }

    [Fact]
    public void A_missing_file_stays_listed_and_comes_back_from_a_copy()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        var good = File.ReadAllBytes(made.BackupPath);
        File.Delete(made.BackupPath);

        var missing = workspace.Run("Invoke-SHBackupScrub");
        Assert.StartsWith("BackupFileMissing,", missing.Errors.Single().FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(ScrubOutcome.Missing, missing.As<BackupScrubResult>().Single().Outcome);
        Assert.Equal([made.Id], workspace.Listed());

        File.WriteAllBytes(made.BackupPath, good);
        workspace.Run($"Get-SHBackup | Send-SHBackup {There} -CreateContainer").WithoutErrors();
        File.Delete(made.BackupPath);
        var back = workspace.Run("Invoke-SHBackupScrub").WithoutErrors().As<BackupScrubResult>().Single();
        Assert.Equal((ScrubOutcome.Repaired, null), (back.Outcome, back.QuarantinePath));
        Assert.Equal(good, File.ReadAllBytes(made.BackupPath));
    }

    [Fact]
    public void A_file_that_is_cut_short_is_damaged_without_being_read()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        File.WriteAllBytes(made.BackupPath, File.ReadAllBytes(made.BackupPath)[..100]);

        var result = workspace.Run("Invoke-SHBackupScrub");
        Assert.StartsWith("BackupSizeMismatch,", result.Errors.Single().FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(0, result.As<BackupScrubResult>().Single().Bytes);
    }

    [Fact]
    public void What_cannot_be_read_is_no_proof_of_damage()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege there");
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        File.Move(made.BackupPath, workspace["elsewhere"]);
        File.CreateSymbolicLink(made.BackupPath, workspace["elsewhere"]);

        var result = workspace.Run("Invoke-SHBackupScrub");
        Assert.Equal(ScrubOutcome.Unreadable, result.As<BackupScrubResult>().Single().Outcome);
        Assert.Single(result.Errors);
        Assert.Equal([made.Id], workspace.Listed());
        Assert.False(Directory.Exists(Path.Combine(workspace.Backups, "quarantine")));
    }

    [Fact]
    public void An_encrypted_backup_needs_no_key()
    {
        using var workspace = new Workspace();
        workspace.Run("New-SHBackup ./app.db -Recipient (New-SHBackupKey ./key.txt).Recipient | Out-Null").WithoutErrors();
        File.Delete(workspace["key.txt"]);
        Assert.Equal(ScrubOutcome.Good, workspace.Run("Invoke-SHBackupScrub").WithoutErrors().As<BackupScrubResult>().Single().Outcome);

        Workspace.FlipByte(workspace.FileOf(workspace.Listed().Single()));
        Assert.Equal(ScrubOutcome.Damaged, workspace.Run("Invoke-SHBackupScrub").As<BackupScrubResult>().Single().Outcome);
    }

    [Fact]
    public void Backups_of_the_predecessor_are_unpacked_once_and_then_read_like_others()
    {
        using var workspace = new Workspace();
        var backups = new PredecessorBackups(workspace.Backups);
        backups.Add(workspace.Database, PredecessorBackups.Forms["full gzip"]);

        var first = workspace.Run("Invoke-SHBackupScrub").WithoutErrors().As<BackupScrubResult>().Single();
        var second = workspace.Run("Invoke-SHBackupScrub").WithoutErrors().As<BackupScrubResult>().Single();
        Assert.Contains("its unpacked content matches", first.Reason, StringComparison.Ordinal);
        Assert.Equal("its SHA-256 matches its record", second.Reason);

        Workspace.FlipByte(first.BackupPath);
        var damaged = workspace.Run("Invoke-SHBackupScrub").As<BackupScrubResult>().Single();
        Assert.Equal(ScrubOutcome.Damaged, damaged.Outcome);
        Assert.Empty(workspace.Listed());
    }

    [Fact]
    public void WhatIf_names_the_backups_and_reads_none()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        Workspace.FlipByte(made.BackupPath);
        Assert.Empty(workspace.Run("Invoke-SHBackupScrub -WhatIf").WithoutErrors().Output);
        Assert.Contains(made.Id, workspace.Session.Host.Shown, StringComparison.Ordinal);
        Assert.True(File.Exists(made.BackupPath));
    }

    [Fact]
    public void A_result_comes_out_of_a_job_as_it_went_in()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        var result = workspace.Run(
            "$r = Invoke-SHBackupScrub; $r; [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($r))")
            .WithoutErrors().As<BackupScrubResult>();
        Assert.Equal(
            (result[0].ToString(), result[0].Timestamp, result[0].Duration, result[0].LastCheck),
            (result[1].ToString(), result[1].Timestamp, result[1].Duration, result[1].LastCheck));
    }

    private static string Iso(int days) =>
        (DateTime.UtcNow - TimeSpan.FromDays(days)).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'+00:00'", CultureInfo.InvariantCulture);

    private static IEnumerable<string> Scrubbed(SessionResult result) => result.As<BackupScrubResult>().Select(found => found.BackupId);
}
