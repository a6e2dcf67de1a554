using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Restore-SHBackup, as a user calls it.</summary>
public class RestoreBackupTests
{
    [Fact]
    public void A_backup_comes_back_byte_for_byte_to_a_new_file()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        var restored = workspace.Run("Get-SHBackup | Restore-SHBackup -Destination ./restored.db -Force").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal(made.Id, restored.Id);
        Assert.Contains(restored.Verification, check => check is { Check: "Integrity", Passed: true });
        Assert.Equal(made.Checksum, ImageHash.Of(workspace["restored.db"]));
        Assert.Equal([made.Id], workspace.Listed());
    }

    [Fact]
    public void Objects_ids_wildcards_and_files_are_taken()
    {
        using var workspace = new Workspace();
        var id = workspace.MakeBackup("-NoVerify").Id;
        var file = workspace.FileOf(id);
        var loose = workspace["loose.db.zst"];
        File.Copy(file, loose);
        var number = 0;
        foreach (var input in (string[])
            [
                "Get-SHBackup | Restore-SHBackup",
                "Restore-SHBackup -InputObject (Get-SHBackup)",
                $"Restore-SHBackup {id}",
                $"Restore-SHBackup -Id {id}",
                $"'{id}' | Restore-SHBackup",
                "Restore-SHBackup *",
                $"Restore-SHBackup -LiteralPath ./backups/{Path.GetFileName(file)}",
                "Restore-SHBackup -Path ./loose.db.zst",
            ])
        {
            var target = $"restored{number++}.db";
            Assert.Single(workspace.Run($"{input} -Destination {target} -Force").WithoutErrors().Output);
            Assert.Equal(ImageHash.Of(workspace.Database), ImageHash.Of(workspace[target]));
        }

        workspace.Session.Invoke("$input | Restore-SHBackup -Destination file.db -Force", [new FileInfo(file)]).WithoutErrors();
        Assert.True(File.Exists(workspace["file.db"]));
        workspace.Run($"Restore-SHBackup {id} second.db -Force").WithoutErrors();
        Assert.True(File.Exists(workspace["second.db"]));
    }

    [Fact]
    public void What_is_overwritten_is_kept_as_a_listed_safety_backup()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        Change(workspace.Database);
        var changed = RowCount(workspace.Database);
        workspace.Run("Get-SHBackup | Restore-SHBackup -Destination ./app.db -Force").WithoutErrors();
        Assert.Equal(20, RowCount(workspace.Database));

        var safety = workspace.Run("Get-SHBackup | Where-Object IsSafety").WithoutErrors().As<BackupMetadata>().Single();
        Assert.True(safety.Verified);
        Assert.Equal(workspace.Database, safety.DatabasePath);
        Assert.Contains(made.Id, safety.Description, StringComparison.Ordinal);
        Assert.Equal([made.Id], Workspace.Ids(workspace.Run("Get-SHBackup -Newest 1")));

        workspace.Run("Get-SHBackup | Where-Object IsSafety | Restore-SHBackup -Destination ./app.db -Force").WithoutErrors();
        Assert.Equal(changed, RowCount(workspace.Database));
    }

    [Fact]
    public void NoSafetyBackup_keeps_nothing()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        workspace.Run("Get-SHBackup | Restore-SHBackup -Destination ./app.db -Force -NoSafetyBackup").WithoutErrors();
        Assert.Single(workspace.Listed());
    }

    [Fact]
    public void The_last_three_safety_backups_are_kept()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        for (var i = 0; i < 5; i++)
        {
            workspace.Run($"Restore-SHBackup {made.Id} ./app.db -Force -NoVerify").WithoutErrors();
        }

        Assert.Equal(3, workspace.Run("Get-SHBackup | Where-Object IsSafety").WithoutErrors().Output.Count);
        Assert.Contains(made.Id, workspace.Listed());
    }

    [Fact]
    public void It_asks_before_it_overwrites_and_takes_No_for_an_answer()
    {
        using var workspace = new Workspace("No", "Yes");
        workspace.MakeBackup("-NoVerify");
        Change(workspace.Database);
        var changed = RowCount(workspace.Database);
        const string script = "Get-SHBackup -Newest 1 | Restore-SHBackup -Destination ./app.db";
        Assert.Empty(workspace.Run(script).WithoutErrors().Output);
        Assert.Equal(changed, RowCount(workspace.Database));
        var question = Assert.Single(workspace.Session.Host.Questions);
        Assert.Contains(workspace.Database, question, StringComparison.Ordinal);
        Assert.Contains("backup_", question, StringComparison.Ordinal);

        Assert.Single(workspace.Run(script).WithoutErrors().Output);
        Assert.Equal(20, RowCount(workspace.Database));
    }

    [Theory]
    [InlineData("-Destination ./app.db")]
    [InlineData("-Destination ./app.db -Confirm")]
    [InlineData("-Destination ./app.db -Force -Confirm")]
    [InlineData("")]
    [InlineData("-Table customer -Into ./app.db")]
    public void Enter_is_No_wherever_something_is_overwritten(string parameters)
    {
        using var workspace = new Workspace("No");
        var id = workspace.MakeBackup("-NoVerify").Id;
        Assert.Empty(workspace.Run($"Restore-SHBackup {id} {parameters}").WithoutErrors().Output);
        Assert.Equal(["No"], workspace.Session.Host.Defaults);
    }

    [Fact]
    public void A_new_file_needs_no_question_but_what_is_left_of_an_old_one_does()
    {
        using var workspace = new Workspace("No");
        var id = workspace.MakeBackup("-NoVerify").Id;
        Assert.Single(workspace.Run($"Restore-SHBackup {id} ./new.db").WithoutErrors().Output);
        Assert.Single(workspace.Run($"$ConfirmPreference = 'High'; Restore-SHBackup {id} ./other.db").WithoutErrors().Output);
        Assert.Empty(workspace.Session.Host.Questions);

        File.WriteAllText(workspace["lost.db-wal"], "the last transactions of a deleted database");
        Assert.Empty(workspace.Run($"Restore-SHBackup {id} ./lost.db").WithoutErrors().Output);
        Assert.Contains("lost.db", Assert.Single(workspace.Session.Host.Questions), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-Force", 0)]
    [InlineData("-Confirm:$false", 0)]
    [InlineData("-Force -Confirm:$false", 0)]
    [InlineData("-Force -Confirm", 1)]
    [InlineData("-Confirm", 1)]
    [InlineData("", 1)]
    public void A_question_is_skipped_when_it_is_answered_beforehand(string parameters, int questions)
    {
        foreach (var destination in (string[])["./app.db", "./new.db"])
        {
            using var workspace = new Workspace("Yes");
            workspace.MakeBackup("-NoVerify");
            Assert.Single(workspace.Run($"Get-SHBackup | Restore-SHBackup -Destination {destination} {parameters}").WithoutErrors().Output);
            Assert.Equal(parameters.Length == 0 && destination == "./new.db" ? 0 : questions, workspace.Session.Host.Questions.Count);
        }
    }

    [Theory]
    [InlineData(ShellProcess.Host)]
    [InlineData(ShellProcess.PowerShell)]
    public void Without_a_terminal_the_question_is_an_error_and_nothing_is_overwritten(string shell)
    {
        using var workspace = new Workspace();
        var id = workspace.MakeBackup("-NoVerify").Id;
        Change(workspace.Database);
        var before = ImageHash.Of(workspace.Database);
        using var run = new ShellProcess(shell, workspace.Folder, $"Restore-SHBackup {id} ./app.db");

        // Its standard input stays open, so that anything that reads it would wait.
        var result = run.Finish();

        Assert.Equal(1, result.ExitCode);
        Assert.NotEmpty(result.Error);
        Assert.Equal(before, ImageHash.Of(workspace.Database));
    }

    [Fact]
    public void A_session_that_prefers_no_questions_is_asked_none()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup("-NoVerify");
        Assert.Single(workspace.Run("$ConfirmPreference = 'None'; Get-SHBackup | Restore-SHBackup -Destination ./app.db").WithoutErrors().Output);
    }

    [Theory]
    [InlineData("-WhatIf")]
    [InlineData("-WhatIf -Force")]
    public void WhatIf_shows_what_would_be_replaced_and_replaces_nothing(string parameters)
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup("-NoVerify");
        Change(workspace.Database);
        var before = ImageHash.Of(workspace.Database);
        Assert.Empty(workspace.Run($"Get-SHBackup | Restore-SHBackup -Destination ./app.db {parameters}").WithoutErrors().Output);
        Assert.Contains(made.Id, workspace.Session.Host.Shown, StringComparison.Ordinal);
        Assert.Contains("which is kept as a safety backup", workspace.Session.Host.Shown, StringComparison.Ordinal);
        Assert.Contains(workspace.Database, workspace.Session.Host.Shown, StringComparison.Ordinal);
        Assert.Equal(before, ImageHash.Of(workspace.Database));
        Assert.Single(workspace.Listed());
    }

    [Fact]
    public void The_question_says_whether_a_file_is_overwritten_and_whether_it_is_kept()
    {
        using var workspace = new Workspace("No", "No", "No", "No", "No");
        var id = workspace.MakeBackup("-NoVerify").Id;
        string Asked(string parameters)
        {
            workspace.Run($"Restore-SHBackup {id} {parameters}").WithoutErrors();
            return workspace.Session.Host.Questions[^1];
        }

        Assert.DoesNotContain("over", Asked("-Destination ./new.db -Confirm"), StringComparison.Ordinal);
        Assert.Contains("over the file there, which is kept as a safety backup", Asked("-Destination ./app.db"), StringComparison.Ordinal);
        Assert.Contains("over the file there, which is not kept", Asked("-Destination ./app.db -NoSafetyBackup"), StringComparison.Ordinal);
        Assert.Contains("over the file there, which is kept as a safety backup", Asked(""), StringComparison.Ordinal);
        File.Delete(workspace.Database);
        Assert.DoesNotContain("over", Asked(""), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Get-SHBackup -Database nonsense | Restore-SHBackup -Destination ./new.db -Force")]
    [InlineData("Get-SHBackup -Database nonsense | Restore-SHBackup -Table customer -Into ./app.db -Force")]
    [InlineData("Get-SHBackup -Database nonsense | Test-SHBackup")]
    public void That_no_backup_came_through_the_pipeline_is_said(string script)
    {
        using var workspace = new Workspace();
        workspace.MakeBackup("-NoVerify");
        var result = workspace.Run(script).WithoutErrors();
        Assert.Empty(result.Output);
        Assert.Contains("No backup came through the pipeline", Assert.Single(result.Warnings), StringComparison.Ordinal);
        Assert.Empty(workspace.Run("Get-SHBackup | Test-SHBackup").WithoutErrors().Warnings);
        Assert.Empty(workspace.Run("Get-SHBackup | Restore-SHBackup -Destination ./other.db -Force").WithoutErrors().Warnings);
    }

    [Fact]
    public void What_is_kept_of_a_damaged_database_is_not_put_down_to_Force()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        Workspace.Damage(workspace.Database);
        var warning = Assert.Single(workspace.Run("Get-SHBackup | Restore-SHBackup -Destination ./app.db -Confirm:$false").WithoutErrors().Warnings);
        var safety = workspace.Run("Get-SHBackup | Where-Object IsSafety").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Contains($"Its present state is kept in the safety backup '{safety.Id}'", warning, StringComparison.Ordinal);
        Assert.DoesNotContain("-Force", warning, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', warning);
    }

    [Fact]
    public void Without_Destination_it_goes_back_where_it_came_from_after_a_question_that_shows_the_path()
    {
        using var workspace = new Workspace("No", "Yes");
        var made = workspace.MakeBackup("-NoVerify");
        Change(workspace.Database);
        var script = $"Restore-SHBackup {made.Id}";
        Assert.Empty(workspace.Run(script).WithoutErrors().Output);
        Assert.NotEqual(20, RowCount(workspace.Database));
        Assert.Contains(workspace.Database, Assert.Single(workspace.Session.Host.Questions), StringComparison.Ordinal);

        Assert.Single(workspace.Run(script).WithoutErrors().Output);
        Assert.Equal(20, RowCount(workspace.Database));
    }

    [Fact]
    public void Without_Destination_Confirm_false_does_not_answer_for_a_path_out_of_a_sidecar()
    {
        using var workspace = new Workspace("No");
        var id = workspace.AddBackup(TimeSpan.FromDays(1), sidecar => sidecar["db_path"] = Path.Combine(Path.GetTempPath(), "not-mine.db"));
        Assert.Empty(workspace.Run($"Restore-SHBackup {id} -Confirm:$false").WithoutErrors().Output);
        Assert.Contains("not-mine.db", Assert.Single(workspace.Session.Host.Questions), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(Path.GetTempPath(), "not-mine.db")));
    }

    [Fact]
    public void Without_Destination_WhatIf_shows_the_path_and_asks_nothing()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup("-NoVerify");
        Assert.Empty(workspace.Run($"Restore-SHBackup {made.Id} -WhatIf").WithoutErrors().Output);
        Assert.Contains(workspace.Database, workspace.Session.Host.Shown, StringComparison.Ordinal);
    }

    [Fact]
    public void With_Force_the_destination_must_be_given()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup("-NoVerify");
        Change(workspace.Database);
        var error = Assert.Single(workspace.Run($"Restore-SHBackup {made.Id} -Force").Errors);
        Assert.StartsWith("DestinationRequired,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains("-Destination", error.Exception.Message, StringComparison.Ordinal);
        Assert.NotEqual(20, RowCount(workspace.Database));
    }

    [Fact]
    public void Two_backups_do_not_go_to_one_destination()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup("-NoVerify");
        workspace.MakeBackup("-NoVerify");
        var newest = workspace.Listed()[0];
        var result = workspace.Run("Get-SHBackup | Restore-SHBackup -Destination ./new.db -Force");
        Assert.Equal([newest], Workspace.Ids(result));
        Assert.StartsWith("InvalidArgument,", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void Yes_to_All_answers_for_the_rest()
    {
        using var workspace = new Workspace("Yes to All");
        var made = workspace.MakeBackup("-NoVerify");
        File.Copy(workspace.Database, workspace["one.db"]);
        File.Copy(workspace.Database, workspace["two.db"]);
        var result = workspace.Run(
            $"'./one.db', './two.db' | ForEach-Object {{ [pscustomobject]@{{ Id = '{made.Id}'; Destination = $_ }} }} | Restore-SHBackup");
        Assert.Equal([workspace["one.db"], workspace["two.db"]], result.WithoutErrors().As<BackupRestoreResult>().Select(restored => restored.RestoredTo));
        Assert.Single(workspace.Session.Host.Questions);
    }

    [Fact]
    public void A_backup_that_fails_its_check_is_not_restored()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        Change(workspace.Database);
        var before = ImageHash.Of(workspace.Database);
        Workspace.FlipByte(made.BackupPath);
        foreach (var parameters in (string[])["", "-NoVerify", "-NoSafetyBackup"])
        {
            var result = workspace.Run($"Restore-SHBackup {made.Id} ./app.db -Force {parameters}");
            Assert.Empty(result.Output);
            Assert.StartsWith("Backup", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
            Assert.Equal(before, ImageHash.Of(workspace.Database));
        }

        Assert.False(Directory.EnumerateFileSystemEntries(workspace.Folder, "*shbackup*").Any());
    }

    [Fact]
    public void A_database_that_SQLite_cannot_open_is_kept_as_it_was_and_replaced()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        foreach (var companion in (string[])["-wal", "-shm"])
        {
            File.Delete(workspace.Database + companion);
        }

        File.WriteAllText(workspace.Database, "this was a database once, and a long one at that");
        var result = workspace.Run($"Restore-SHBackup {made.Id} ./app.db -Force").WithoutErrors();
        Assert.Contains("kept", Assert.Single(result.Warnings), StringComparison.Ordinal);
        Assert.Equal(made.Checksum, ImageHash.Of(workspace.Database));
        Assert.Contains(
            Directory.EnumerateFiles(workspace.Folder, "*", SearchOption.AllDirectories),
            file => file != workspace.Database && new FileInfo(file).Length == 48 && File.ReadAllText(file).StartsWith("this was", StringComparison.Ordinal));
    }

    [Fact]
    public void A_log_beside_the_target_never_meets_the_restored_database()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        var target = Databases.CreateWithLeftWal(workspace["target.db"], new DatabaseShape { Rows = 300 });
        workspace.Run($"Restore-SHBackup {made.Id} ./target.db -Force").WithoutErrors();
        Assert.Equal(20, RowCount(target));
        using var connection = Databases.Open(target);
        Assert.Equal("ok", Databases.Scalar(connection, "PRAGMA integrity_check"));
    }

    [Fact]
    public void Progress_shows_percent_bytes_rate_and_time_left_and_ends_with_a_completed_record()
    {
        using var workspace = new Workspace();
        using (var connection = Databases.Open(workspace.Database))
        {
            Databases.Execute(
                connection,
                "CREATE TABLE big AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 800) SELECT randomblob(100000) AS b FROM n");
        }

        var made = workspace.Run("New-SHBackup app.db -NoVerify").WithoutErrors();
        var tested = workspace.Run("Get-SHBackup | Test-SHBackup").WithoutErrors();
        var restored = workspace.Run("Get-SHBackup | Restore-SHBackup -Destination ./new.db -Force").WithoutErrors();

        foreach (var progress in new[] { made.Progress, tested.Progress, restored.Progress })
        {
            Assert.Equal(ProgressRecordType.Completed, progress[^1].RecordType);
            Assert.All(progress.Where(record => record.RecordType == ProgressRecordType.Processing && record.PercentComplete >= 0), record =>
                Assert.Matches(@"^((structure|index \d+ of \d+): )?\d+ %, [\d.]+ [KM]?i?B of [\d.]+ MiB(, [\d.]+ [KMG]iB/s)?$", record.StatusDescription));
            Assert.Equal(
                progress.Where(record => record.RecordType == ProgressRecordType.Processing).Select(record => record.Activity).Distinct(),
                progress.Where(record => record.RecordType == ProgressRecordType.Completed).Select(record => record.Activity).Distinct());
        }

        Assert.Contains(
            restored.Progress,
            record => record is { PercentComplete: > 0, SecondsRemaining: >= 0 } && record.StatusDescription.EndsWith("/s", StringComparison.Ordinal));
    }

    [Fact]
    public void A_backup_whose_origin_is_not_recorded_needs_a_destination()
    {
        using var workspace = new Workspace();
        var id = workspace.AddBackup(TimeSpan.FromDays(1), sidecar => sidecar["db_path"] = null);
        var error = Assert.Single(workspace.Run($"Restore-SHBackup {id}").Errors);
        Assert.StartsWith("DestinationRequired,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Empty(workspace.Session.Host.Questions);
    }

    [Theory]
    [InlineData("full")]
    [InlineData("full gzip")]
    [InlineData("gzip labelled zstd")]
    [InlineData("backups.json only")]
    public void Backups_of_the_predecessor_come_back(string form)
    {
        using var workspace = new Workspace();
        var backup = new PredecessorBackups(workspace.Backups).Add(workspace.Database, PredecessorBackups.Forms[form]);
        workspace.Run("Get-SHBackup | Restore-SHBackup -Destination ./new.db -Force").WithoutErrors();
        Assert.Equal(backup.Checksum, ImageHash.Of(workspace["new.db"]));
    }

    private static void Change(string database)
    {
        using var connection = Databases.Open(database);
        Databases.AddRows(connection, 7);
    }

    private static int RowCount(string database)
    {
        using var connection = Databases.Open(database);
        return int.Parse(Databases.Scalar(connection, "SELECT count(*) FROM customer"), System.Globalization.CultureInfo.InvariantCulture);
    }
}
