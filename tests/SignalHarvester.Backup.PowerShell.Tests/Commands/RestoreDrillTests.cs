using System.Globalization;
using System.Text.Json.Nodes;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>A drill restores as a real restore does, reports its duration, and fails for every kind of damage.</summary>
public class RestoreDrillTests
{
    private const string Orphan =
        "PRAGMA foreign_keys = OFF; CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(id INTEGER, p REFERENCES p(id)); INSERT INTO c VALUES (1, 7), (2, 8)";

    [Fact]
    public void A_good_chain_passes_and_everything_is_said()
    {
        using var workspace = new Workspace();
        workspace.Change();
        workspace.MakeBackup();
        workspace.Change();
        var made = workspace.MakeBackup("-Type Incremental");
        string[] before = [.. workspace.BackupFiles.Where(file => !file.Contains("history.db", StringComparison.Ordinal))];

        var drill = Drill(
            workspace, "-Newest -Assertion @{ Query = 'SELECT count(*) FROM bulk'; Expect = '200' }, @{ Query = \"SELECT 'x'\"; Expect = '!= y' }");

        Assert.Equal((made.Id, workspace.Database, true, true, made.Size), (drill.BackupId, drill.Database, drill.Passed, drill.FileExists, drill.Size));
        Assert.Equal((DrillResult.Passed, DrillResult.Passed, DrillResult.Passed), (drill.RestoreResult, drill.IntegrityResult, drill.ContentResult));
        Assert.Equal(made.DatabaseSize, drill.RestoredBytes);
        Assert.All(drill.Assertions, answer => Assert.True(answer.Passed, answer.ToString()));
        Assert.True(drill.RestoreTime > TimeSpan.Zero && drill.Elapsed >= drill.RestoreTime && drill.Ended >= drill.Started && drill.BytesPerSecond > 0);
        Assert.Equal(before, workspace.BackupFiles.Where(file => !file.Contains("history.db", StringComparison.Ordinal)));
        var told = workspace.Run("Get-SHBackupHistory -Operation Drill").WithoutErrors().As<BackupEvent>().Single();
        Assert.Equal((BackupEventStatus.Success, made.Id), (told.Status, told.BackupId));
        Assert.Contains(
            workspace.Run("Export-SHBackupMetric").WithoutErrors().Output,
            line => line.ToString().Contains("shbackup_last_drill_success_timestamp_seconds{", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("flipped", BackupErrorId.BackupCorrupt)]
    [InlineData("cut", BackupErrorId.BackupSizeMismatch)]
    [InlineData("missing", BackupErrorId.BackupFileMissing)]
    [InlineData("parent missing", BackupErrorId.BackupFileMissing)]
    [InlineData("parent gone", BackupErrorId.ChainBroken)]
    [InlineData("parent flipped", BackupErrorId.ChainBroken)]
    [InlineData("rows", BackupErrorId.BackupContentMismatch)]
    [InlineData("schema", BackupErrorId.BackupContentMismatch)]
    [InlineData("checksum", BackupErrorId.BackupChecksumMismatch)]
    [InlineData("foreign key", BackupErrorId.RestoreDrillFailed)]
    [InlineData("assertion", BackupErrorId.RestoreDrillFailed)]
    [InlineData("no key", BackupErrorId.IdentityMissing)]
    public void Every_kind_of_damage_fails(string damage, string errorId)
    {
        using var workspace = new Workspace();
        workspace.Change();
        if (damage == "foreign key")
        {
            Execute(workspace, Orphan);
        }

        var full = workspace.MakeBackup();
        workspace.Change();
        var made = workspace.MakeBackup(damage == "no key" ? "-Recipient (New-SHBackupKey ./away.key)" : "-Type Incremental");
        var parameters = "";
        switch (damage)
        {
            case "flipped":
                Workspace.FlipByte(made.BackupPath);
                break;
            case "cut":
                File.WriteAllBytes(made.BackupPath, File.ReadAllBytes(made.BackupPath)[..^1]);
                break;
            case "missing":
                File.Delete(made.BackupPath);
                break;
            case "parent missing":
                File.Delete(full.BackupPath);
                break;
            case "parent gone":
                File.Delete(workspace.SidecarOf(full.Id));
                break;
            case "parent flipped":
                Workspace.FlipByte(full.BackupPath);
                break;
            case "rows":
                workspace.EditSidecar(made.Id, sidecar => sidecar["row_counts"]!["bulk"] = 199);
                break;
            case "schema":
                workspace.EditSidecar(made.Id, sidecar => sidecar["schema_checksum"] = new string('0', 64));
                break;
            case "checksum":
                workspace.EditSidecar(made.Id, sidecar => sidecar["checksum"] = new string('0', 64));
                break;
            case "foreign key":
                workspace.EditSidecar(made.Id, sidecar => sidecar["foreign_keys"] = new JsonArray());
                break;
            case "assertion":
                parameters = "-Assertion @{ Query = 'SELECT count(*) FROM bulk'; Expect = '< 200' }";
                break;
        }

        var run = workspace.Run($"Invoke-SHRestoreDrill {made.Id} {parameters}");

        var drill = run.As<RestoreDrill>().Single();
        Assert.Equal((false, errorId), (drill.Passed, drill.ErrorId));
        Assert.NotEmpty(drill.Reason!);
        var error = Assert.Single(run.Errors);
        Assert.Equal(BackupErrorId.RestoreDrillFailed, error.FullyQualifiedErrorId.Split(',')[0]);
        Assert.Equal(made.Id, error.TargetObject);
        Assert.False((bool)workspace.Run($"Invoke-SHRestoreDrill {made.Id} {parameters} -Quiet").WithoutErrors().Output.Single().BaseObject);
        Assert.All(workspace.Run("Get-SHBackupHistory -Operation Drill").As<BackupEvent>(), told => Assert.Equal(BackupEventStatus.Failed, told.Status));
        Assert.DoesNotContain(workspace.BackupFiles, file => file.EndsWith("restored.db", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-NoVerify")]
    [InlineData("-Recipient (New-SHBackupKey ./own.key) -IdentityFile ./own.key")]
    [InlineData("from before they were recorded")]
    public void Rows_that_referred_to_nothing_when_the_backup_was_made_are_a_warning(string backup)
    {
        using var workspace = new Workspace();
        Execute(workspace, Orphan);
        var isOld = backup.StartsWith("from", StringComparison.Ordinal);
        var made = workspace.MakeBackup(isOld ? "" : backup);
        if (isOld)
        {
            workspace.EditSidecar(made.Id, sidecar => sidecar.Remove("foreign_keys"));
        }

        var run = workspace.Run($"Invoke-SHRestoreDrill {made.Id}{(backup.EndsWith("own.key", StringComparison.Ordinal) ? " -IdentityFile ./own.key" : "")}");

        var drill = run.WithoutErrors().As<RestoreDrill>().Single();
        Assert.Equal((true, DrillResult.Passed, null, null), (drill.Passed, drill.IntegrityResult, drill.ErrorId, drill.Reason));
        Assert.Contains("2 rows of c (p) refer to missing rows of p, as when it was backed up", drill.Warning, StringComparison.Ordinal);
        Assert.Contains(drill.Warning!, Assert.Single(run.Warnings), StringComparison.Ordinal);

        Assert.True((bool)workspace.Run("Get-SHBackupHistory -Operation Drill | ForEach-Object { $_.Verified }").WithoutErrors().Output[0].BaseObject);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("none")]
    public void More_rows_that_refer_to_nothing_than_the_backup_had_fail(string recorded)
    {
        using var workspace = new Workspace();
        Execute(workspace, Orphan);
        var made = workspace.MakeBackup();
        workspace.EditSidecar(made.Id, sidecar =>
        {
            if (recorded == "none")
            {
                sidecar["foreign_keys"] = new JsonArray();
            }
            else
            {
                sidecar["foreign_keys"]![0]!["rows"] = 1;
            }
        });
        var drill = workspace.Run($"Invoke-SHRestoreDrill {made.Id}").As<RestoreDrill>().Single();
        Assert.Equal((false, DrillResult.Failed, null), (drill.Passed, drill.IntegrityResult, drill.Warning));
        Assert.Contains("2 rows of c (p) refer to missing rows of p", drill.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_backup_records_which_rows_refer_to_nothing_if_that_is_quickly_found_and_no_secret()
    {
        using var workspace = new Workspace();
        Assert.Empty(workspace.MakeBackup().ForeignKeyViolations!);
        Execute(workspace, Orphan);
        var made = workspace.MakeBackup();
        var found = Assert.Single(made.ForeignKeyViolations!);
        Assert.Equal(("c", "p", "p", 2), (found.Table, found.Columns, found.Parent, found.Rows));
        Assert.Equal(made.ForeignKeyViolations!, workspace.Run($"Get-SHBackup {made.Id}").WithoutErrors().As<BackupMetadata>().Single().ForeignKeyViolations!);

        var untested = workspace.MakeBackup("-NoVerify");
        Assert.Null(untested.ForeignKeyViolations);
        workspace.Run($"Test-SHBackup {untested.Id}").WithoutErrors();
        Assert.Equal(
            made.ForeignKeyViolations!, workspace.Run($"Get-SHBackup {untested.Id}").WithoutErrors().As<BackupMetadata>().Single().ForeignKeyViolations!);

        var secret = workspace.MakeBackup("-Recipient (New-SHBackupKey ./own.key) -IdentityFile ./own.key");
        Assert.DoesNotContain("missing", File.ReadAllText(workspace.SidecarOf(secret.Id)), StringComparison.Ordinal);
        Assert.Null(workspace.Run($"Get-SHBackup {secret.Id}").WithoutErrors().As<BackupMetadata>().Single().ForeignKeyViolations);

        Execute(
            workspace,
            "PRAGMA foreign_keys = OFF; WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 200001) INSERT INTO c SELECT i, 9 FROM n");
        Assert.Null(workspace.MakeBackup().ForeignKeyViolations);
        Assert.True(workspace.Run("Get-SHBackup -Newest 1 | Invoke-SHRestoreDrill").WithoutErrors().As<RestoreDrill>().Single().Passed);
    }

    [Theory]
    [InlineData("-Recipient (New-SHBackupKey ./away.key)", "", "-IdentityFile")]
    [InlineData("", "-Assertion @{ Query = 'SELECT 1'; Expect = '2' }", "Compare-SHBackup")]
    public void What_does_not_speak_against_the_backup_does_not_condemn_it(string parameters, string drilled, string next)
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup(parameters);
        var message = Assert.Single(workspace.Run($"Invoke-SHRestoreDrill {made.Id} {drilled}").Errors).Exception.Message;
        Assert.DoesNotContain("Do not rely on it", message, StringComparison.Ordinal);
        Assert.Contains(next, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SELECT 5", "5", true)]
    [InlineData("SELECT 5.0", "= 5", true)]
    [InlineData("SELECT 10", "> 9", true)]
    [InlineData("SELECT 9", ">= 10", false)]
    [InlineData("SELECT 'b'", "> a", true)]
    [InlineData("SELECT 1e300", "> 5", true)]
    [InlineData("SELECT 1e-30", "> 0", true)]
    [InlineData("SELECT 9e999", ">= 1e300", true)]
    [InlineData("SELECT 9007199254740993", "> 9007199254740992", true)]
    [InlineData("SELECT x'0aff'", "0aff", true)]
    [InlineData("SELECT $missing", "1", false)]
    [InlineData("SELECT NULL", "null", true)]
    [InlineData("SELECT NULL", "!= null", false)]
    [InlineData("SELECT 1 WHERE 0", "1", false)]
    [InlineData("SELECT x'00FF'", "00ff", true)]
    [InlineData("SELECT 1; SELECT 1", "1", false)]
    [InlineData("SELECT 1; -- one\n", "1", true)]
    [InlineData("SELECT nonsense", "1", false)]
    [InlineData("DELETE FROM bulk", "1", false)]
    [InlineData("DROP TABLE bulk; SELECT 1", "1", false)]
    [InlineData("ATTACH 'planted.db' AS x; SELECT 1", "1", false)]
    [InlineData("", "1", false)]
    public void An_answer_is_compared_as_its_owner_means_it_and_a_question_changes_nothing(string query, string expect, bool passes)
    {
        using var workspace = new Workspace();
        workspace.Change();
        workspace.MakeBackup();
        var drill = workspace.Run("Invoke-SHRestoreDrill -Newest -Assertion @{ Query = $args[0]; Expect = $args[1] }", query, expect)
            .As<RestoreDrill>().Single();
        Assert.Equal(passes, Assert.Single(drill.Assertions).Passed);
        Assert.False(File.Exists(workspace["planted.db"]));
    }

    [Fact]
    public void An_answer_without_end_is_compared_whole_and_told_in_short()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        var run = workspace.Run(
            "Invoke-SHRestoreDrill -Newest -Assertion @{ Query = \"SELECT replace(hex(zeroblob(50000)), '00', 'x')\"; Expect = ('x' * 50000) }, @{ Query = \"SELECT replace(hex(zeroblob(50000)), '00', 'x')\"; Expect = 'x' }");
        Assert.Equal([true, false], run.As<RestoreDrill>().Single().Assertions.Select(answer => answer.Passed));
        Assert.All(run.As<RestoreDrill>().Single().Assertions, answer => Assert.InRange(answer.Found!.Length, 500, 550));
        Assert.InRange(Assert.Single(run.Errors).Exception.Message.Length, 500, 1500);
    }

    [Fact]
    public void What_an_encrypted_database_holds_does_not_get_into_the_history_beside_its_backups()
    {
        using var workspace = new Workspace();
        using (var connection = Databases.Open(workspace.Database))
        {
            Databases.Execute(connection, "CREATE TABLE secret_patients(name TEXT); INSERT INTO secret_patients VALUES ('Ada Lovelace'), ('Ada Lovelace')");
        }

        const string Question = "-IdentityFile ./key.txt -Assertion @{ Query = 'SELECT name FROM secret_patients'; Expect = 'Grace' } 2>$null";
        var made = workspace.Run("New-SHBackup ./app.db -Recipient (New-SHBackupKey ./key.txt)").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Contains("Lovelace", workspace.Run($"Invoke-SHRestoreDrill {made.Id} {Question}").As<RestoreDrill>().Single().Reason, StringComparison.Ordinal);
        workspace.Run($"Restore-SHBackup {made.Id} -Table nonsense -Into ./app.db -Force -IdentityFile ./key.txt 2>$null");

        var told = workspace.Run("Get-SHBackupHistory | Where-Object Status -eq Failed").As<BackupEvent>();
        Assert.Equal([BackupErrorId.TableNotFound, BackupErrorId.RestoreDrillFailed], told.Select(entry => entry.ErrorId));
        Assert.All(told, entry => Assert.Contains("not recorded", entry.ErrorMessage, StringComparison.Ordinal));
        Assert.DoesNotContain(
            Directory.EnumerateFiles(workspace.Backups, "*", SearchOption.AllDirectories),
            file => System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(file)) is var content
                && (content.Contains("secret_patients", StringComparison.Ordinal) || content.Contains("Lovelace", StringComparison.Ordinal)));

        // If the sidecar may show it, the history may too.
        var open = workspace.Run("New-SHBackup ./app.db -RevealContent -Recipient (New-SHBackupKey ./other.txt)").WithoutErrors().As<BackupMetadata>().Single();
        workspace.Run($"Invoke-SHRestoreDrill {open.Id} {Question.Replace("key.txt", "other.txt", StringComparison.Ordinal)}");
        Assert.Contains("Lovelace", workspace.Run("Get-SHBackupHistory -Operation Drill").As<BackupEvent>()[0].ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public void Newest_is_of_each_database_and_nothing_to_prove_is_an_error()
    {
        using var workspace = new Workspace();
        Assert.Equal(BackupErrorId.BackupNotFound, Assert.Single(workspace.Run("Invoke-SHRestoreDrill -Newest").Errors).FullyQualifiedErrorId.Split(',')[0]);
        workspace.MakeBackup();
        var newest = workspace.MakeBackup();
        Databases.Create(workspace["other.db"], new DatabaseShape { Rows = 5 });
        var other = workspace.Run("New-SHBackup ./other.db").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal([other.Id, newest.Id], workspace.Run("Invoke-SHRestoreDrill -Newest").WithoutErrors().As<RestoreDrill>().Select(drill => drill.BackupId));
        Assert.Equal(
            [other.Id], workspace.Run("Invoke-SHRestoreDrill -Newest -Database oth*").WithoutErrors().As<RestoreDrill>().Select(drill => drill.BackupId));
    }

    [Fact]
    public void The_copy_in_an_object_store_is_drilled_too_encrypted_or_not()
    {
        using var workspace = new Workspace();
        workspace.Run("New-SHBackup ./app.db -Recipient (New-SHBackupKey ./away.key) -Upload -Provider Directory -Container ./offsite -CreateContainer")
            .WithoutErrors();
        Directory.Delete(workspace.Backups, recursive: true);
        var drill = Drill(workspace, "-Newest -Remote -Provider Directory -Container ./offsite -IdentityFile ./away.key");
        Assert.True(drill.Passed, drill.Reason);
        Assert.Contains("offsite", drill.Source, StringComparison.Ordinal);
    }

    [Fact]
    public void A_drill_comes_back_whole_from_a_job()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        var drill = Drill(workspace, "-Newest -Assertion @{ Query = 'SELECT 1'; Expect = '1' }");
        var again = workspace.Run(
            "$args[0] | ForEach-Object { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($_)) }",
            drill)
            .WithoutErrors().As<RestoreDrill>().Single();
        Assert.Equal(drill.ToString(), again.ToString());
        Assert.Equal(drill.Assertions, again.Assertions);
        Assert.Equal(drill.RestoreTime.ToString("c", CultureInfo.InvariantCulture), again.RestoreTime.ToString("c", CultureInfo.InvariantCulture));
    }

    private static RestoreDrill Drill(Workspace workspace, string parameters) =>
        workspace.Run("Invoke-SHRestoreDrill " + parameters).WithoutErrors().As<RestoreDrill>().Single();

    private static void Execute(Workspace workspace, string sql)
    {
        using var connection = Databases.Open(workspace.Database);
        Databases.Execute(connection, sql);
    }
}
