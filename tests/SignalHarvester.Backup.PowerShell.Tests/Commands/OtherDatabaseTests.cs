using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>No backup overwrites a different database from its own, unless -AllowOtherDatabase is given.</summary>
public class OtherDatabaseTests
{
    private const string Zoo = "CREATE TABLE zoo(animal); INSERT INTO zoo VALUES('zebra'); CREATE TABLE cage(zoo)";
    private const string There = "-Provider Directory -Container ./offsite";

    [Theory]
    [InlineData("-Newest 1", 2)]
    [InlineData("-Newest 1 -Tree", 2)]
    [InlineData("-Newest 2", 4)]
    [InlineData("-Newest 1 -Database crm.db", 1)]
    [InlineData("-Newest 1 -Verified", 2)]
    public void Newest_counts_for_each_database(string parameters, int count)
    {
        using var workspace = new Workspace();
        Tenants(workspace);
        workspace.Run("New-SHBackup ./crm.db, ./app.db; New-SHBackup ./app.db").WithoutErrors();
        workspace.Run($"Get-SHBackup | Send-SHBackup {There} -CreateContainer").WithoutErrors();
        foreach (var place in (string[])["", "-Remote " + There])
        {
            var found = workspace.Run($"Get-SHBackup {parameters} {place}").WithoutErrors().As<BackupMetadata>();
            Assert.Equal(count, found.Count);
            var all = workspace.Run($"Get-SHBackup {place}").WithoutErrors().As<BackupMetadata>();
            foreach (var each in found.GroupBy(backup => backup.DatabasePath))
            {
                Assert.Equal(
                    all.Where(backup => backup.DatabasePath == each.Key).Take(each.Count()).Select(backup => backup.Id),
                    each.Select(backup => backup.Id));
            }

            Assert.Equal(found.OrderByDescending(backup => backup.Timestamp).Select(backup => backup.Id), found.Select(backup => backup.Id));
        }
    }

    [Theory]
    [InlineData("-Force")]
    [InlineData("-Force -Delta")]
    [InlineData("-Force -NoVerify -NoSafetyBackup")]
    [InlineData("-Confirm:$false")]
    [InlineData("-WhatIf")]
    public void The_place_of_another_database_is_refused_though_it_looks_the_same(string parameters)
    {
        using var workspace = new Workspace();
        Tenants(workspace);
        var before = ImageHash.Of(workspace["crm.db"]);
        foreach (var destination in (string[])["./crm.db", "./linked/crm.db", "./link.db"])
        {
            Refused(workspace, $"Get-SHBackup -Database app.db -Newest 1 | Restore-SHBackup -Destination {destination} {parameters}");
        }

        Assert.Equal(before, ImageHash.Of(workspace["crm.db"]));
        Assert.Equal(2, workspace.Listed().Count);
    }

    [Fact]
    public void The_place_of_another_database_is_overruled_by_its_own_switch_alone()
    {
        using var workspace = new Workspace();
        var (app, _) = Tenants(workspace);
        foreach (var destination in (string[])["./crm.db", "./link.db"])
        {
            workspace.Run($"Restore-SHBackup {app.Id} {destination} -Force -AllowOtherDatabase").WithoutErrors();
            Assert.Equal(20, Rows(workspace["crm.db"]));
        }

        // The overwritten database is kept, and can go back there without the switch, because that backup belongs to it.
        workspace.Run("Get-SHBackup | Where-Object IsSafety | ForEach-Object { Restore-SHBackup -InputObject $_ -Destination ./crm.db -Force }")
            .WithoutErrors();
        Assert.Equal(40, Rows(workspace["crm.db"]));
    }

    [Fact]
    public void The_place_of_another_database_is_refused_to_its_rows()
    {
        using var workspace = new Workspace();
        var (app, crm) = Tenants(workspace);
        using (var connection = Databases.Open(workspace["crm.db"]))
        {
            Databases.Execute(connection, "PRAGMA foreign_keys = OFF; DELETE FROM customer WHERE id = 3");
        }

        foreach (var parameters in (string[])["-Force", "-Force -RowAction SideTable", "-WhatIf"])
        {
            Refused(workspace, $"Restore-SHBackup {app.Id} -Table customer -Where 'id = 3' -Into ./crm.db {parameters}");
        }

        workspace.Run($"Restore-SHBackup {app.Id} -Table customer -Where 'id = 3' -Into ./crm.db -Force -AllowOtherDatabase").WithoutErrors();
        Assert.Equal(40, Rows(workspace["crm.db"]));
        workspace.Run($"Restore-SHBackup {crm.Id} -Table customer -Into ./crm.db -Force").WithoutErrors();
    }

    [Fact]
    public void The_place_of_another_database_is_refused_from_the_store_before_anything_is_fetched()
    {
        using var workspace = new Workspace();
        var (app, _) = Tenants(workspace);
        workspace.Run($"Get-SHBackup | Send-SHBackup {There} -CreateContainer; Get-SHBackup | Remove-SHBackup -Force").WithoutErrors();
        var before = ImageHash.Of(workspace["crm.db"]);
        foreach (var parameters in (string[])["-Destination ./crm.db -Force", "-Destination ./crm.db -WhatIf", "-Table customer -Into ./crm.db -Force"])
        {
            Refused(workspace, $"Get-SHBackup {app.Id} -Remote {There} | Restore-SHBackup {parameters}");
            Refused(workspace, $"Restore-SHBackup {app.Id} -Remote {There} {parameters}");
        }

        Assert.Equal(before, ImageHash.Of(workspace["crm.db"]));
        Assert.DoesNotContain(workspace.BackupFiles, file => file.EndsWith(".zst", StringComparison.Ordinal));
        workspace.Run($"Restore-SHBackup {app.Id} -Remote {There} -Destination ./crm.db -Force -AllowOtherDatabase").WithoutErrors();
        Assert.Equal(20, Rows(workspace["crm.db"]));
    }

    [Theory]
    [InlineData("-Destination ./new.db -Force")]
    [InlineData("-Destination ./new.db -Confirm:$false")]
    [InlineData("-Destination ./new.db -WhatIf")]
    [InlineData("-Destination ./crm.db -Force -AllowOtherDatabase")]
    [InlineData("-Table customer -Into ./crm.db -Force")]
    public void Backups_of_several_databases_do_not_go_to_one_destination(string parameters)
    {
        using var workspace = new Workspace();
        Tenants(workspace);
        var before = ImageHash.Of(workspace["crm.db"]);
        var result = workspace.Run($"Get-SHBackup -Newest 1 | Restore-SHBackup {parameters}");
        Assert.Empty(result.Output);
        Assert.StartsWith("DatabaseAmbiguous,", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.False(File.Exists(workspace["new.db"]));
        Assert.Equal(before, ImageHash.Of(workspace["crm.db"]));
        Assert.Equal(2, workspace.Listed().Count);
    }

    [Fact]
    public void Backups_of_several_databases_do_not_go_to_the_one_that_is_configured()
    {
        using var workspace = new Workspace();
        Tenants(workspace);
        var configured = workspace["configured.db"];
        workspace.Configure($"app:\n  database_path: '{configured.Replace("'", "''", StringComparison.Ordinal)}'\n");
        var result = workspace.Run("Get-SHBackup -BackupDirectory ./backups -Newest 1 | Restore-SHBackup -Confirm:$false");
        Assert.StartsWith("DatabaseAmbiguous,", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.False(File.Exists(configured));

        // The backup of the configured database goes there, and the other one does not.
        workspace.Configure($"app:\n  database_path: '{workspace["crm.db"].Replace("'", "''", StringComparison.Ordinal)}'\n");
        result = workspace.Run("Get-SHBackup -BackupDirectory ./backups -Newest 1 | Restore-SHBackup -Confirm:$false");
        Assert.Equal(workspace["crm.db"], result.As<BackupMetadata>().Single().DatabasePath);
        Assert.Single(result.Errors);
        Assert.Equal(40, Rows(workspace["crm.db"]));
    }

    [Fact]
    public void Each_backup_may_have_a_destination_of_its_own()
    {
        using var workspace = new Workspace();
        Tenants(workspace);
        var result = workspace.Run("Get-SHBackup -Newest 1 | Restore-SHBackup -Destination { './back-{0}' -f [IO.Path]::GetFileName($_.DatabasePath) } -Force");
        Assert.Equal(2, result.WithoutErrors().Output.Count);
        Assert.Equal([20, 40], [Rows(workspace["back-app.db"]), Rows(workspace["back-crm.db"])]);
    }

    [Fact]
    public void A_copy_that_was_restored_before_is_no_place_of_a_database()
    {
        using var workspace = new Workspace();
        Tenants(workspace);
        for (var i = 0; i < 3; i++)
        {
            workspace.Run("Get-SHBackup -Database app.db -Newest 1 | Restore-SHBackup -Destination ./copy.db -Force").WithoutErrors();
        }
    }

    [Theory]
    [InlineData("Wal")]
    [InlineData("Delete")]
    public void A_database_without_a_table_of_the_backup_is_refused(string mode)
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        using (new DatabaseHolder(
            workspace["alien.db"], $"PRAGMA journal_mode = {mode}; PRAGMA wal_autocheckpoint = 0; {Zoo}; {(mode == "Wal" ? "BEGIN; " : "")}SELECT * FROM zoo;"))
        {
            foreach (var parameters in (string[])["-Force", "-Force -Delta", "-Force -NoVerify", "-Confirm:$false -NoSafetyBackup"])
            {
                Refused(workspace, $"Restore-SHBackup {made.Id} ./alien.db {parameters}");
            }
        }

        using (var connection = Databases.Open(workspace["alien.db"]))
        {
            Assert.Equal("1", Databases.Scalar(connection, "SELECT count(*) FROM zoo"));
        }

        Assert.Single(workspace.Listed());
        workspace.Run($"Restore-SHBackup {made.Id} ./alien.db -Force -AllowOtherDatabase").WithoutErrors();
        Assert.Equal(20, Rows(workspace["alien.db"]));
    }

    [Fact]
    public void A_database_without_a_table_of_the_backup_is_refused_at_the_same_path_too()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        foreach (var file in Directory.EnumerateFiles(workspace.Folder, "app.db*"))
        {
            File.Delete(file);
        }

        Alien(workspace.Database);
        Refused(workspace, $"Restore-SHBackup {made.Id} ./app.db -Force");
        workspace.Run($"Restore-SHBackup {made.Id} ./app.db -Force -AllowOtherDatabase").WithoutErrors();
        Assert.Equal(20, Rows(workspace.Database));
    }

    [Fact]
    public void A_database_without_a_table_of_an_encrypted_backup_is_refused_though_its_tables_are_not_recorded()
    {
        using var workspace = new Workspace();
        workspace.Run("New-SHBackup ./app.db -Recipient (New-SHBackupKey ./a.key) -IdentityFile ./a.key").WithoutErrors();
        var made = workspace.Run("Get-SHBackup").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Null(made.RowCounts);
        Alien(workspace["alien.db"]);
        foreach (var parameters in (string[])["-Force", "-Force -Delta"])
        {
            Refused(workspace, $"Restore-SHBackup {made.Id} ./alien.db {parameters} -IdentityFile ./a.key");
        }

        // In its original place only the differing pages are written, as before.
        var restored = workspace.Run($"Restore-SHBackup {made.Id} ./app.db -Force -Delta -IdentityFile ./a.key").WithoutErrors();
        Assert.Empty(restored.Warnings);
    }

    [Theory]
    [InlineData("blank")]
    [InlineData("no tables")]
    [InlineData("garbage")]
    [InlineData("cut short")]
    [InlineData("most tables in common")]
    [InlineData("names that are no text")]
    [InlineData("schema that does not parse")]
    public void What_has_no_tables_or_cannot_be_read_is_replaced_as_ever(string target)
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        var path = workspace["target.db"];
        switch (target)
        {
            case "blank":
                File.WriteAllBytes(path, []);
                break;
            case "no tables":
                Databases.CreateEmpty(path);
                break;
            case "garbage":
                File.WriteAllText(path, "this was a database once, and a long one at that");
                break;
            case "cut short":
                Databases.Create(path, new DatabaseShape { Rows = 20, JournalMode = JournalMode.Delete });
                File.WriteAllBytes(path, File.ReadAllBytes(path)[..4096]);
                break;
            default:
                Alien(path, target switch
                {
                    "most tables in common" => "CREATE TABLE CUSTOMER(x); CREATE TABLE Reading(x); CREATE TABLE attachment(x); CREATE TABLE audit(x)",
                    "names that are no text" => "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET name = x'00ff'",
                    _ =>
                        "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'cage'; UPDATE sqlite_schema SET sql = 'CREATE TABLE (((', name = 'customer'",
                });
                break;
        }

        workspace.Run($"Restore-SHBackup {made.Id} ./target.db -Force").WithoutErrors();
        Assert.Equal(20, Rows(path));
    }

    [Theory]
    [InlineData("people", "invoices", true)]
    [InlineData("schema_migrations people", "schema_migrations invoices", true)]
    [InlineData("Schema_Migrations ar_internal_metadata users people", "schema_migrations ar_internal_metadata users invoices", true)]
    [InlineData("users settings people", "users settings invoices", true)]
    [InlineData("customers deals", "customers invoices", true)]
    [InlineData("customers deals calls", "customers invoices payments items", true)]
    [InlineData(
        "django_migrations django_session django_content_type auth_user auth_group people",
        "django_migrations django_session django_content_type auth_user auth_group invoices", true)]
    [InlineData("__EFMigrationsHistory AspNetUsers AspNetRoles people", "__EFMigrationsHistory AspNetUsers AspNetRoles invoices", true)]
    [InlineData("people", "schema_migrations", true)]
    [InlineData("people deals calls", "people deals calls", false)]
    [InlineData("people deals calls notes", "people", false)]
    [InlineData("people deals calls_v2 notes", "people deals calls", false)]
    [InlineData("schema_migrations users people deals calls notes", "schema_migrations users people deals", false)]
    [InlineData("users settings posts", "users settings", false)]
    [InlineData("schema_migrations", "schema_migrations invoices", false)]
    public void Tables_that_many_applications_have_do_not_make_two_databases_one(string there, string inBackup, bool isRefused)
    {
        using var workspace = new Workspace();
        WithTables(workspace["crm.db"], there);
        WithTables(workspace["billing.db"], inBackup);
        var made = workspace.Run("New-SHBackup ./billing.db").WithoutErrors().As<BackupMetadata>().Single();
        foreach (var parameters in (string[])["-Force", "-Force -Delta"])
        {
            var script = $"Restore-SHBackup {made.Id} ./crm.db {parameters}";
            if (isRefused)
            {
                Refused(workspace, script);
            }
            else
            {
                workspace.Run(script).WithoutErrors();
            }
        }

        workspace.Run($"Restore-SHBackup {made.Id} ./crm.db -Force -AllowOtherDatabase").WithoutErrors();
    }

    [Theory]
    [InlineData("people deals_v2 calls_v2 notes_v2", "people deals calls notes", false)]
    [InlineData("schema_migrations users people", "schema_migrations users invoices", true)]
    public void At_the_path_of_the_backup_one_table_of_the_application_is_enough(string there, string inBackup, bool isRefused)
    {
        using var workspace = new Workspace();
        WithTables(workspace["data.db"], inBackup);
        var made = workspace.Run("New-SHBackup ./data.db").WithoutErrors().As<BackupMetadata>().Single();
        foreach (var file in Directory.EnumerateFiles(workspace.Folder, "data.db*"))
        {
            File.Delete(file);
        }

        WithTables(workspace["data.db"], there);
        var script = $"Restore-SHBackup {made.Id} ./data.db -Force";
        if (isRefused)
        {
            Refused(workspace, script);
        }
        else
        {
            workspace.Run(script).WithoutErrors();
        }
    }

    [Fact]
    public void Questions_plans_and_progress_name_the_database_that_the_backup_is_of()
    {
        using var workspace = new Workspace("No", "No", "Yes");
        var made = workspace.MakeBackup();
        workspace.Run($"Restore-SHBackup {made.Id} ./new.db -Confirm; Restore-SHBackup {made.Id} -Table customer -Into ./app.db").WithoutErrors();
        Assert.Equal(2, workspace.Session.Host.Questions.Count);
        Assert.All(workspace.Session.Host.Questions, question => Assert.Contains($"{made.Id} of {workspace.Database}", question, StringComparison.Ordinal));

        workspace.Run($"Restore-SHBackup {made.Id} ./new.db -WhatIf; Merge-SHBackup {made.Id} -WhatIf; Invoke-SHBackupScrub -WhatIf").WithoutErrors();
        Assert.Equal(4, workspace.Session.Host.Shown.Split($"{made.Id} of {workspace.Database}").Length);

        Databases.Create(workspace["copy.db"], new DatabaseShape { Rows = 20 });
        var progress = workspace.Run($"Restore-SHBackup {made.Id} ./copy.db -Force").WithoutErrors().Progress;
        Assert.Contains(progress, record => record.Activity == $"Restoring {made.Id} of app.db");
        Assert.Contains(progress, record => record.Activity == $"Restoring into copy.db, from {made.Id} of app.db");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("var/app.db")]
    public void A_backup_that_does_not_say_which_database_it_is_of_is_held_against_the_tables_alone(string? path)
    {
        using var workspace = new Workspace();
        var (app, _) = Tenants(workspace);
        workspace.EditSidecar(app.Id, sidecar => sidecar["db_path"] = path);
        workspace.Run($"Restore-SHBackup {app.Id} ./crm.db -Force").WithoutErrors();
        Alien(workspace["alien.db"]);
        Refused(workspace, $"Restore-SHBackup {app.Id} ./alien.db -Force");
    }

    [Fact]
    public void A_restore_that_failed_leaves_its_destination_to_the_next_backup()
    {
        using var workspace = new Workspace();
        var good = workspace.MakeBackup();
        var bad = workspace.MakeBackup();
        Workspace.FlipByte(bad.BackupPath);
        var result = workspace.Run("Get-SHBackup | Restore-SHBackup -Destination ./new.db -Force");
        Assert.Equal([good.Id], Workspace.Ids(result));
        Assert.StartsWith("Backup", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    /// <summary>Makes backups of two databases with one schema, app.db with 20 rows and crm.db with 40, and links to the second.</summary>
    private static (BackupMetadata App, BackupMetadata Crm) Tenants(Workspace workspace)
    {
        Databases.Create(workspace["crm.db"], new DatabaseShape { Rows = 40 });
        Assert.SkipUnless(CanLink(workspace), "this account may not make links");
        var app = workspace.MakeBackup();
        return (app, workspace.Run("New-SHBackup ./crm.db").WithoutErrors().As<BackupMetadata>().Single());
    }

    private static bool CanLink(Workspace workspace)
    {
        try
        {
            File.CreateSymbolicLink(workspace["link.db"], workspace["crm.db"]);
            Directory.CreateSymbolicLink(workspace["linked"], workspace.Folder);
            return true;
        }
        catch (IOException) when (OperatingSystem.IsWindows())
        {
            return false;
        }
    }

    private static void Alien(string path, string more = "")
    {
        using var connection = Databases.Open(path);
        Databases.Execute(connection, $"{Zoo}; {more}");
    }

    private static void WithTables(string path, string names)
    {
        using var connection = Databases.Open(path);
        Databases.Execute(connection, string.Join(' ', names.Split(' ').Select(name => $"CREATE TABLE {name}(x);")));
    }

    private static void Refused(Workspace workspace, string script)
    {
        var result = workspace.Run(script);
        Assert.Empty(result.Output);
        var error = Assert.Single(result.Errors);
        Assert.StartsWith("DestinationIsOtherDatabase,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(ErrorCategory.InvalidOperation, error.CategoryInfo.Category);
        Assert.Contains("-AllowOtherDatabase", error.Exception.Message, StringComparison.Ordinal);
    }

    private static int Rows(string database)
    {
        using var connection = Databases.Open(database);
        return int.Parse(Databases.Scalar(connection, "SELECT count(*) FROM customer"), System.Globalization.CultureInfo.InvariantCulture);
    }
}
