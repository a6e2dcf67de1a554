using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Test-SHBackup, as a user calls it.</summary>
public class TestBackupTests
{
    [Fact]
    public void A_good_backup_is_emitted_with_its_checks_and_recorded_as_verified()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup("-NoVerify");
        var tested = workspace.Run("Get-SHBackup | Test-SHBackup").WithoutErrors().As<BackupMetadata>().Single();

        Assert.True(tested.Verified);
        Assert.Equal(VerificationLevel.Full, tested.VerificationLevel);
        Assert.NotNull(tested.VerificationTimestamp);
        Assert.Equal(
            ["StoredSize", "StoredChecksum", "Decompression", "ImageChecksum", "Integrity", "Schema", "RowCounts"],
            tested.Verification.Select(check => check.Check));
        Assert.All(tested.Verification, check => Assert.True(check.Passed && check.Detail.Length > 0, check.Check));

        var listed = workspace.Run("Get-SHBackup -Verified").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal(VerificationLevel.Full, listed.VerificationLevel);
        Assert.Equal(tested.Verification, listed.Verification);
    }

    [Fact]
    public void Level_Quick_looks_at_the_stored_file_only()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup("-NoVerify");
        var tested = workspace.Run("Get-SHBackup | Test-SHBackup -Level Quick").WithoutErrors().As<BackupMetadata>().Single();
        Assert.True(tested.Verified);
        Assert.Equal(VerificationLevel.Quick, tested.VerificationLevel);
        Assert.Equal(["StoredSize", "StoredChecksum"], tested.Verification.Select(check => check.Check));
        Assert.Equal(VerificationLevel.Quick, workspace.Run("Get-SHBackup").As<BackupMetadata>().Single().VerificationLevel);
    }

    [Fact]
    public void The_check_of_the_database_says_what_was_done_and_Thorough_runs_SQLites_own()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup("-NoVerify");
        string Integrity(string parameters) => workspace.Run($"Get-SHBackup | Test-SHBackup {parameters}").WithoutErrors().As<BackupMetadata>().Single()
            .Verification.Single(check => check.Check == "Integrity").Detail;

        Assert.Matches(@"^quick_check with the contents of \d+ indexes is ok, in ", Integrity(""));
        Assert.StartsWith("integrity_check is ok, in ", Integrity("-Thorough"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_check_of_the_database_shows_its_parts()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup("-NoVerify");
        var said = workspace.Run("Get-SHBackup | Test-SHBackup").WithoutErrors().Progress
            .Where(record => record.Activity == "Checking integrity").Select(record => record.StatusDescription).ToList();

        // The last report of a step, which there is in any case, is of its last part.
        Assert.Contains(said, status => status.StartsWith("index ", StringComparison.Ordinal) && status.Contains(" %, ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("None")]
    [InlineData("Nonsense")]
    public void There_are_two_levels(string level)
    {
        using var workspace = new Workspace();
        workspace.MakeBackup("-NoVerify");
        Assert.Single(workspace.Run($"Get-SHBackup | Test-SHBackup -Level {level}").Errors);
    }

    [Fact]
    public void Objects_ids_wildcards_and_files_are_taken()
    {
        using var workspace = new Workspace();
        var old = workspace.AddBackup(TimeSpan.FromDays(2));
        var young = workspace.AddBackup(TimeSpan.FromDays(1));
        string[] Tested(string script) => [.. Workspace.Ids(workspace.Run(script).WithoutErrors())];

        Assert.Equal([young, old], Tested("Get-SHBackup | Test-SHBackup -Level Quick"));
        Assert.Equal([young, old], Tested("Test-SHBackup -InputObject (Get-SHBackup) -Level Quick"));
        Assert.Equal([old], Tested($"Test-SHBackup {old} -Level Quick"));
        Assert.Equal([old, young], Tested($"Test-SHBackup -Id {old}, {young} -Level Quick"));
        Assert.Equal([old, young], Tested($"'{old}', '{young}' | Test-SHBackup -Level Quick"));
        Assert.Equal([young, old], Tested("Test-SHBackup * -Level Quick"));
        Assert.Equal([young], Tested($"Test-SHBackup -LiteralPath ./backups/{young}_full.db.zst -Level Quick"));
        Assert.Equal([young], Tested($"Test-SHBackup -Path ./backups/{young}_full.db.zst -Level Quick"));
        Assert.Equal(
            [young], Workspace.Ids(workspace.Session.Invoke("$input | Test-SHBackup -Level Quick", [new FileInfo(workspace.FileOf(young))]).WithoutErrors()));
    }

    [Fact]
    public void A_broken_chain_is_told_with_its_next_step_once()
    {
        using var workspace = new Workspace();
        workspace.Change();
        var full = workspace.MakeBackup();
        workspace.Change();
        var increment = workspace.MakeBackup("-Type Incremental");
        File.Delete(workspace.SidecarOf(full.Id));
        var message = Assert.Single(workspace.Run($"Test-SHBackup {increment.Id}").Errors).Exception.Message;
        Assert.Contains($"'{increment.Id}' builds on '{full.Id}', which is missing.", message, StringComparison.Ordinal);
        Assert.Equal(2, message.Split("Get-SHBackup -Verified").Length);
    }

    [Theory]
    [InlineData("Test-SHBackup './backups/{0}_full.db.zst'")]
    [InlineData("Test-SHBackup '{0}_full.db.zst'")]
    [InlineData("Restore-SHBackup -Destination ./new.db -Force './backups/{0}.json'")]
    [InlineData("Get-SHBackup '{0}.json'")]
    public void A_file_where_an_id_belongs_is_told_with_the_id(string command)
    {
        using var workspace = new Workspace();
        var id = workspace.MakeBackup("-NoVerify").Id;
        var record = Assert.Single(workspace.Run(string.Format(System.Globalization.CultureInfo.InvariantCulture, command, id)).Errors);
        Assert.Equal(BackupErrorId.BackupNotFound, record.FullyQualifiedErrorId.Split(',')[0]);
        Assert.Contains($"Give the id, '{id}', or a backup's file with -LiteralPath", record.Exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Test-SHBackup")]
    [InlineData("Restore-SHBackup -Destination ./new.db -Force")]
    [InlineData("Get-SHBackup")]
    public void An_id_whose_file_lost_its_sidecar_is_told_with_the_file(string command)
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup("-NoVerify");
        File.Delete(workspace.SidecarOf(made.Id));
        var record = Assert.Single(workspace.Run($"{command} -Id {made.Id}").Errors);
        Assert.Equal(BackupErrorId.BackupNotFound, record.FullyQualifiedErrorId.Split(',')[0]);
        var next = record.Exception.Message[record.Exception.Message.IndexOf("Restore-SHBackup -LiteralPath ", StringComparison.Ordinal)..].TrimEnd('.');
        workspace.Run(next + " -Destination ./new.db -Force").WithoutErrors();
        Assert.True(File.Exists(workspace["new.db"]));
    }

    [Fact]
    public void An_object_is_looked_for_where_it_was_found()
    {
        using var workspace = new Workspace();
        workspace.Run("$found = New-SHBackup app.db -NoVerify -BackupDirectory ./other").WithoutErrors();
        workspace.MoveTo(Path.GetTempPath());
        Assert.True(workspace.Run("$found | Test-SHBackup").WithoutErrors().As<BackupMetadata>().Single().Verified);
    }

    [Fact]
    public void A_file_with_a_sidecar_is_held_against_it_and_a_loose_one_against_itself()
    {
        using var workspace = new Workspace();
        var backup = workspace.MakeBackup("-NoVerify");
        var known = workspace.Run("Test-SHBackup -LiteralPath $args[0]", backup.BackupPath).WithoutErrors().As<BackupMetadata>().Single();
        Assert.Contains(known.Verification, check => check.Check == "ImageChecksum");
        Assert.True(workspace.Run("Get-SHBackup").As<BackupMetadata>().Single().Verified);

        var away = workspace["away.db.zst"];
        File.Copy(backup.BackupPath, away);
        var renamed = workspace.Run("Test-SHBackup -LiteralPath $args[0]", away);
        var loose = workspace[Path.GetFileName(backup.BackupPath)];
        File.Copy(backup.BackupPath, loose);
        var tested = workspace.Run("Test-SHBackup -LiteralPath $args[0]", loose).WithoutErrors().As<BackupMetadata>().Single();
        Assert.True(tested.Verified);
        Assert.Contains(tested.Verification, check => check is { Check: "Integrity", Passed: true });
        Assert.False(File.Exists(workspace[backup.Id + ".json"]));
        Assert.True(renamed.WithoutErrors().As<BackupMetadata>().Single().Verified);
    }

    [Theory]
    [InlineData("Full", "BackupCorrupt")]
    [InlineData("Quick", "BackupChecksumMismatch")]
    public void A_flipped_bit_is_an_error_and_marks_the_backup_unverified(string level, string id)
    {
        using var workspace = new Workspace();
        var good = workspace.AddBackup(TimeSpan.FromDays(1));
        var bad = workspace.AddBackup(TimeSpan.FromDays(2));
        Workspace.FlipByte(workspace.FileOf(bad));

        var result = workspace.Run($"Get-SHBackup | Test-SHBackup -Level {level}");
        var error = Assert.Single(result.Errors);
        Assert.StartsWith(id + ",", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(ErrorCategory.InvalidData, error.CategoryInfo.Category);
        Assert.Equal(bad, error.TargetObject);
        Assert.Null(result.Failure);

        Assert.Equal([true, false], result.As<BackupMetadata>().Select(backup => backup.Verified));
        Assert.Contains(result.As<BackupMetadata>()[1].Verification, check => !check.Passed);
        Assert.Equal([good], Workspace.Ids(workspace.Run("Get-SHBackup -Verified").WithoutErrors()));
        var listed = workspace.Run("Get-SHBackup -Verified:$false").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal(VerificationLevel.None, listed.VerificationLevel);
        Assert.NotNull(listed.VerificationTimestamp);
    }

    [Fact]
    public void Quiet_gives_one_truth_value_for_each_backup_and_no_error()
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(1));
        var bad = workspace.AddBackup(TimeSpan.FromDays(2));
        Workspace.FlipByte(workspace.FileOf(bad));
        Assert.Equal([true, false], workspace.Run("Get-SHBackup | Test-SHBackup -Quiet").WithoutErrors().As<bool>());
        Assert.False(workspace.Run($"if (Test-SHBackup {bad} -Quiet -Level Quick) {{ $true }} else {{ $false }}").WithoutErrors().As<bool>().Single());
    }

    [Fact]
    public void Row_counts_and_schema_are_held_against_what_was_recorded()
    {
        using var workspace = new Workspace();
        var backup = workspace.MakeBackup();
        workspace.EditSidecar(backup.Id, sidecar => sidecar["row_counts"]!["customer"] = 4711);
        var rows = workspace.Run("Get-SHBackup | Test-SHBackup");
        Assert.StartsWith("BackupContentMismatch,", Assert.Single(rows.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains("customer has 20 rows, but 4711 were recorded", rows.Errors[0].Exception.Message, StringComparison.Ordinal);
        Assert.Equal("RowCounts", rows.As<BackupMetadata>().Single().Verification.Single(check => !check.Passed).Check);
    }

    [Fact]
    public void A_good_result_later_marks_the_backup_verified_again()
    {
        using var workspace = new Workspace();
        var id = workspace.AddBackup(TimeSpan.FromDays(1));
        var file = workspace.FileOf(id);
        File.Move(file, file + ".aside");
        Assert.Single(workspace.Run("Get-SHBackup | Test-SHBackup").Errors);
        Assert.Empty(workspace.Run("Get-SHBackup -Verified").WithoutErrors().Output);
        File.Move(file + ".aside", file);
        workspace.Run("Get-SHBackup | Test-SHBackup").WithoutErrors();
        Assert.Single(workspace.Run("Get-SHBackup -Verified").WithoutErrors().Output);
    }

    [Fact]
    public void Fields_that_the_module_does_not_know_survive_the_record()
    {
        using var workspace = new Workspace();
        var id = workspace.AddBackup(TimeSpan.FromDays(1), sidecar => sidecar["of_another_tool"] = "keep me");
        workspace.Run("Get-SHBackup | Test-SHBackup").WithoutErrors();
        Assert.Contains("keep me", File.ReadAllText(workspace.SidecarOf(id)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("full")]
    [InlineData("full gzip")]
    [InlineData("full zstd")]
    [InlineData("gzip labelled zstd")]
    [InlineData("backups.json only")]
    [InlineData("id without microseconds")]
    public void Backups_of_the_predecessor_pass(string form)
    {
        using var workspace = new Workspace();
        new PredecessorBackups(workspace.Backups).Add(workspace.Database, PredecessorBackups.Forms[form]);
        Assert.True(workspace.Run("Get-SHBackup | Test-SHBackup").WithoutErrors().As<BackupMetadata>().Single().Verified);
        Assert.True(workspace.Run("Get-SHBackup").WithoutErrors().As<BackupMetadata>().Single().Verified);
    }
}
