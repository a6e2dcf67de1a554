using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>-To and -From take the name of a store, an address or a path, and mean the same place as the single parameters.</summary>
public class NamedStoreTests(ScheduleSandbox sandbox)
{
    private const string Two = """
        app:
          backup:
            stores:
              nas: { path: "./nas", create_container: true }
              second: { path: "./second disk", create_container: true, prefix: web1 }
        """;

    [Fact]
    public void A_backup_goes_to_the_named_stores_and_comes_back_from_each()
    {
        using var workspace = new Workspace();
        workspace.Configure(Two);
        workspace.Change();
        var made = workspace.Run("New-SHBackup ./app.db -To nas, SECOND").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal(
            [workspace["nas"], workspace["second disk"]], made.Copies.Select(copy => copy.Container));
        foreach (var store in new[] { "nas", "./nas", "second" })
        {
            Assert.Equal([made.Id], Workspace.Ids(workspace.Run($"Get-SHBackup -From {store}").WithoutErrors()));
            Assert.True(workspace.Run($"Test-SHBackup {made.Id} -From {store} -Quiet").WithoutErrors().As<bool>().Single());
            workspace.Run($"Restore-SHBackup {made.Id} -From {store} -Destination ./back.db -Force -NoSafetyBackup").WithoutErrors();
            Assert.Equal(Rows(workspace.Database), Rows(workspace["back.db"]));
            Assert.True(workspace.Run($"(Invoke-SHRestoreDrill -Newest -From {store}).Passed").WithoutErrors().As<bool>().Single());
            Assert.Equal([made.Id], Workspace.Ids(workspace.Run($"Receive-SHBackup {made.Id} -From {store} -BackupDirectory ./fetched").WithoutErrors()));
            Directory.Delete(workspace["fetched"], recursive: true);
        }
    }

    private static string Rows(string database)
    {
        using var connection = Databases.Open(database);
        return Databases.Scalar(connection, "SELECT count(*) || ' ' || max(rowid) FROM bulk");
    }

    [Fact]
    public void Whatever_is_shown_of_copies_says_where_they_are()
    {
        using var workspace = new Workspace();
        workspace.Configure(Two);
        workspace.MakeBackup("-To nas");
        var place = new Uri(workspace["nas"]).AbsoluteUri;
        Assert.Contains("Store: " + place, workspace.Session.Render("Get-SHBackup -From nas"), StringComparison.Ordinal);
        foreach (var script in new[]
        {
            "Get-SHBackup -From nas -Tree", "Get-SHBackup -From nas | Test-SHBackup", "Invoke-SHRestoreDrill -Newest -From nas",
            "Invoke-SHBackupRetention -From nas -WhatIf", "Get-SHBackup | Send-SHBackup -To nas",
            "Get-SHBackup -From nas | Receive-SHBackup -BackupDirectory ./b",
        })
        {
            // Whatever the table cuts or wraps at the edge of the screen.
            var shown = string.Concat(workspace.Session.Render(script).Where(letter => !char.IsWhiteSpace(letter)));
            Assert.True(shown.Contains(place[..20], StringComparison.Ordinal), script + ": " + shown);
        }

        Assert.DoesNotContain("Store:", workspace.Session.Render("Get-SHBackup"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_backup_for_one_destination_is_refused_without_a_question()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        workspace.MakeBackup();
        var result = workspace.Run("Get-SHBackup | Restore-SHBackup -Destination ./once.db");
        Assert.Contains("was already restored by this command", Assert.Single(result.Errors).ToString(), StringComparison.Ordinal);
        Assert.Single(result.Output);
    }

    [Fact]
    public void Where_a_store_is_named_the_others_get_nothing()
    {
        using var workspace = new Workspace();
        workspace.Configure(Two.Replace("prefix: web1", "upload_after_backup: true", StringComparison.Ordinal));
        var named = workspace.Run("New-SHBackup ./app.db -To nas").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal([workspace["nas"]], named.Copies.Select(copy => copy.Container));
        var plain = workspace.MakeBackup();
        Assert.Equal([workspace["second disk"]], plain.Copies.Select(copy => copy.Container));
    }

    [Fact]
    public void A_backup_is_sent_to_several_and_removed_from_one()
    {
        using var workspace = new Workspace();
        workspace.Configure(Two);
        var made = workspace.MakeBackup();
        workspace.Run("Get-SHBackup | Send-SHBackup -To nas, second").WithoutErrors();
        workspace.Run("Get-SHBackup | Remove-SHBackup -From nas -Force").WithoutErrors();
        Assert.Empty(workspace.Run("Get-SHBackup -From nas").WithoutErrors().Output);
        Assert.Equal([made.Id], Workspace.Ids(workspace.Run("Get-SHBackup -From second").WithoutErrors()));
        Assert.Equal([made.Id], workspace.Listed());
        workspace.Run("Invoke-SHBackupRetention -From second -IncludeManual -RetentionDays 0").WithoutErrors();
        Assert.Equal([made.Id], Workspace.Ids(workspace.Run("Get-SHBackup -From second").WithoutErrors()));
    }

    [Fact]
    public void Copies_are_compared_without_a_backup_on_this_machine()
    {
        using var workspace = new Workspace();
        workspace.Configure(Two);
        var first = workspace.MakeBackup("-To second");
        workspace.Change();
        var second = workspace.MakeBackup("-To second -Type Incremental");
        Directory.Delete(workspace.Backups, recursive: true);
        foreach (var script in new[]
        {
            $"Compare-SHBackup {first.Id} -From second -Difference {second.Id}",
            $"Get-SHBackup {first.Id} -From second | Compare-SHBackup -Difference {second.Id}",
            $"Compare-SHBackup {first.Id} -Provider Directory -Container './second disk' -Prefix web1 -Difference {second.Id}",
            $"Compare-SHBackup {first.Id} -From second -Difference (Get-SHBackup {second.Id} -From second)",
            $"Receive-SHBackup {first.Id} -From second -BackupDirectory ./here | Compare-SHBackup -Difference (Get-SHBackup {second.Id} -From second)",
            $"Get-SHBackup {first.Id} -From second | Compare-SHBackup -Difference (Receive-SHBackup {second.Id} -From second -BackupDirectory ./there)",
        })
        {
            var found = workspace.Run(script).WithoutErrors().As<BackupDifference>();
            Assert.Equal([("bulk", DifferenceKind.Added)], found.Select(difference => (difference.Name, difference.Change)));
        }
    }

    [Theory]
    [InlineData("Get-SHBackup -From naz", "Did you mean 'nas'?")]
    [InlineData("New-SHBackup ./app.db -To naz", "Did you mean 'nas'?")]
    [InlineData("Get-SHBackup -From nas -Provider S3 -Bucket b", "A store is named twice")]
    [InlineData("Get-SHBackup -From s3://key:hidden@bucket/", "This is not the address of a store.")]
    [InlineData("Get-SHBackup -Remote", "-From nas, -From second")]
    [InlineData("Get-SHBackup -Remote -Provider Directory", "-From nas, -From second")]
    [InlineData("New-SHBackup ./app.db -Upload -Provider Directory", "-To nas, -To second")]
    public void A_store_that_is_not_clear_is_an_error_before_anything_happens(string script, string advice)
    {
        using var workspace = new Workspace();
        workspace.Configure(Two);
        var error = Assert.Single(workspace.Run(script).Errors);
        Assert.StartsWith("InvalidArgument,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains(advice, error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", error + error.TargetObject?.ToString(), StringComparison.Ordinal);
        Assert.Empty(workspace.BackupFiles);
    }

    [Fact]
    public void The_former_name_of_the_restores_switch_still_works_beside_From()
    {
        using var workspace = new Workspace();
        workspace.Change();
        var made = workspace.MakeBackup("-Upload -Provider Directory -Container ./nas -CreateContainer");
        Directory.Delete(workspace.Backups, recursive: true);
        workspace.Run($"Restore-SHBackup {made.Id} -FromCloud -Provider Directory -Container ./nas -Destination ./back.db -Force").WithoutErrors();
        Assert.Equal(Rows(workspace.Database), Rows(workspace["back.db"]));
    }

    [Fact]
    public void A_schedule_sends_to_the_store_of_that_name()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        workspace.Configure(Two);
        workspace.Run("Register-SHBackupSchedule named-store -Daily -DatabasePath ./app.db -To second, ./third -Backend Cron").WithoutErrors();
        Assert.Contains("named-store", sandbox.Crontab, StringComparison.Ordinal);
        Directory.CreateDirectory(workspace["third"]);
        workspace.Run("Invoke-SHBackupSchedule named-store").WithoutErrors();
        Assert.Single(workspace.Run("Get-SHBackup -From second").WithoutErrors().Output);
        Assert.Single(workspace.Run("Get-SHBackup -From ./third").WithoutErrors().Output);
        Assert.False(Directory.Exists(workspace["nas"]));
        var error = Assert.Single(workspace.Run("Register-SHBackupSchedule other -Daily -DatabasePath ./app.db -To naz -Backend Cron").Errors);
        Assert.Contains("Did you mean 'nas'?", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("New-SHBackup ./app.db -To ")]
    [InlineData("Get-SHBackup -From ")]
    [InlineData("Register-SHBackupSchedule x -Daily -To ")]
    [InlineData("Test-SHBackupStore ")]
    public void Tab_offers_the_names_and_shows_the_addresses(string line)
    {
        using var workspace = new Workspace();
        workspace.Configure(Two);
        var offered = workspace.Session.Complete(line);
        Assert.Equal(["nas", "second"], offered.Select(item => item.CompletionText));
        Assert.Equal(new Uri(workspace["second disk"]).AbsoluteUri + "/web1/", offered[1].ToolTip);
    }

    [Fact]
    public void Tab_leaves_the_single_parameters_to_the_two_cmdlets_that_they_are_for()
    {
        using var workspace = new Workspace();
        string[] with = ["New-SHBackupStore", "Send-SHBackup"];
        string[] all =
        [
            "Compare-SHBackup", "Find-SHBackup", "Get-SHBackup", "Get-SHBackupTransaction", "Invoke-SHBackupQuery",
            "Invoke-SHBackupRetention", "Invoke-SHBackupScrub",
            "Invoke-SHRestoreDrill", "New-SHBackup", "New-SHBackupStore", "Receive-SHBackup", "Register-SHBackupSchedule", "Remove-SHBackup",
            "Restore-SHBackup", "Send-SHBackup", "Test-SHBackup",
        ];
        foreach (var cmdlet in all)
        {
            var offered = workspace.Session.Complete(cmdlet + " -").Select(item => item.CompletionText).ToHashSet();
            Assert.Equal((cmdlet, with.Contains(cmdlet)), (cmdlet, offered.Contains("-Provider") && offered.Contains("-PathStyle")));
            Assert.True(workspace.Run($"(Get-Command {cmdlet}).Parameters.ContainsKey('Provider')").As<bool>().Single());
        }
    }

    [Fact]
    public void Keys_are_declared_once_for_all_cmdlets_that_take_them()
    {
        const string declarations = """
            (Get-Command Test-SHBackup).ImplementingType.Assembly.GetTypes() |
                ForEach-Object { $_.GetProperties('DeclaredOnly, Public, Instance') } |
                Where-Object { $_.IsDefined([System.Management.Automation.ParameterAttribute], $false) } |
                Where-Object Name -in IdentityFile, Passphrase |
                ForEach-Object { "$($_.DeclaringType.Name).$($_.Name)" }
            """;
        using var workspace = new Workspace();

        // The passphrase of New-SHBackup is the one to encrypt with.
        Assert.Equal(
            ["IdentityParameters.IdentityFile", "KeyParameters.Passphrase", "NewSHBackupCommand.Passphrase"],
            workspace.Run(declarations).WithoutErrors().As<string>().Order(StringComparer.Ordinal));
        Assert.Equal(
            [
                "Compare-SHBackup", "Find-SHBackup", "Get-SHBackupTransaction", "Invoke-SHBackupQuery",
                "Invoke-SHBackupRetention", "Invoke-SHRestoreDrill", "Merge-SHBackup",
                "New-SHBackup", "Protect-SHBackup", "Remove-SHBackup", "Restore-SHBackup", "Start-SHBackupProtection", "Test-SHBackup",
            ],
            workspace.Run("(Get-Command -Module SignalHarvester.Backup -ParameterName IdentityFile).Name").WithoutErrors().As<string>()
                .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_store_is_tried_and_then_written_down()
    {
        using var workspace = new Workspace();
        var made = workspace.Run("New-SHBackupStore nas ./nas -CreateContainer").WithoutErrors().As<BackupStore>().Single();
        Assert.Equal(("nas", "everything", workspace["config", "settings.yaml"]), (made.Name, made.Works, made.ConfigurationPath));
        Assert.Equal(["lock"], Directory.EnumerateFiles(workspace["nas"], "*", SearchOption.AllDirectories).Select(Path.GetFileName));
        workspace.Run("New-SHBackupStore bucket s3://b/web1/ -Region eu-west-1 -WhatIf").WithoutErrors();
        Assert.Equal(["nas"], workspace.Run("Get-SHBackupStore").WithoutErrors().As<BackupStore>().Select(store => store.Name));
        Assert.True(workspace.Run("Get-SHBackupStore na* | Test-SHBackupStore -Quiet").WithoutErrors().As<bool>().Single());

        var again = Assert.Single(workspace.Run("New-SHBackupStore NAS ./other").Errors);
        Assert.StartsWith("ConfigurationExists,", again.FullyQualifiedErrorId, StringComparison.Ordinal);
        var unknown = Assert.Single(workspace.Run("Test-SHBackupStore nos").Errors);
        Assert.Contains("Did you mean 'nas'?", unknown.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_that_does_not_work_is_not_added_without_Force()
    {
        using var workspace = new Workspace();
        var error = Assert.Single(workspace.Run("New-SHBackupStore nas ./nas").Errors);
        Assert.StartsWith("CloudContainerNotFound,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.False(File.Exists(workspace["config", "settings.yaml"]));
        var forced = workspace.Run("New-SHBackupStore nas ./nas -Force");
        Assert.Empty(forced.Errors);
        Assert.Equal("not reach", forced.As<BackupStore>().Single().Works);
        Assert.Contains(forced.Warnings, warning => warning.ToString().Contains("does not work", StringComparison.Ordinal));
        Assert.False(workspace.Run("Test-SHBackupStore nas -Quiet").WithoutErrors().As<bool>().Single());
        var tested = Assert.Single(workspace.Run("Test-SHBackupStore nas").Errors);
        Assert.StartsWith("CloudContainerNotFound,", tested.FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_in_which_nothing_can_be_deleted_works_with_a_warning()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.UserName != "root", "needs chattr, and root");
        using var workspace = new Workspace();
        Directory.CreateDirectory(workspace["nas"]);
        Assert.SkipUnless(Append(true), "this file system has no append-only folders");
        try
        {
            var made = workspace.Run("New-SHBackupStore nas ./nas");
            Assert.Empty(made.Errors);
            Assert.Equal("reach, write, read, list; not delete", made.As<BackupStore>().Single().Works);
            Assert.Contains(made.Warnings, warning => warning.ToString().Contains("Nothing can be deleted in the store 'nas'", StringComparison.Ordinal));
        }
        finally
        {
            Append(false);
        }

        bool Append(bool on)
        {
            using var chattr = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("chattr", [on ? "+a" : "-a", workspace["nas"]]));
            chattr!.WaitForExit();
            return chattr.ExitCode == 0;
        }
    }

    [Fact]
    public void What_a_parameter_overrides_of_a_store_leaves_it_its_own_options()
    {
        using var workspace = new Workspace();
        workspace.Configure("""
            app:
              backup:
                stores:
                  first: { path: "./disk", prefix: first, create_container: true }
                  plain: { path: "./disk", prefix: plain }
            """);

        // The first one would create the folder; the one that is meant does not.
        var error = Assert.Single(workspace.Run("New-SHBackup ./app.db -To plain -Prefix other").Errors);
        Assert.StartsWith("CloudContainerNotFound,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        workspace.Run("New-SHBackup ./app.db -To first -Prefix other").WithoutErrors();
        Assert.Single(workspace.Run("Get-SHBackup -From plain -Prefix other").WithoutErrors().Output);
    }

    [Theory]
    [InlineData("New-SHBackup ./app.db -To ./backups")]
    [InlineData("New-SHBackup ./app.db -To ./x/../backups/")]
    [InlineData("New-SHBackup ./app.db -To ./link")]
    [InlineData("Get-SHBackup -Newest 1 | Send-SHBackup -To ./backups")]
    [InlineData("Get-SHBackup | Remove-SHBackup -From ./backups -Force")]
    [InlineData("Get-SHBackup | Remove-SHBackup -From ./link -Force")]
    [InlineData("Invoke-SHBackupRetention -From ./backups -IncludeManual -RetentionDays 0 -KeepDaily 0 -KeepWeekly 0 -KeepMonthly 0 -KeepLast 1")]
    public void The_backup_directory_itself_is_no_place_for_copies(string script)
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        var last = workspace.MakeBackup();
        workspace.SetAge(last.Id, TimeSpan.FromHours(1));
        File.CreateSymbolicLink(workspace["link"], workspace.Backups);
        var error = Assert.Single(workspace.Run(script).Errors);
        Assert.Contains("is the backup directory itself", error.ToString(), StringComparison.Ordinal);
        Assert.All(workspace.Run("Get-SHBackup").WithoutErrors().As<BackupMetadata>(), backup => Assert.Empty(backup.Copies));
        Assert.True(workspace.Listed().Count >= 2);
    }

    [Fact]
    public void A_store_that_is_gone_from_the_configuration_fails_the_upload_and_not_the_backup()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        workspace.Configure(Two);
        workspace.Run("Register-SHBackupSchedule gone-store -Daily -DatabasePath ./app.db -To nas, second -Backend Cron").WithoutErrors();
        workspace.Configure(Two.Replace("nas:", "renamed:", StringComparison.Ordinal));
        var run = workspace.Run("Invoke-SHBackupSchedule gone-store");
        Assert.Contains("has no store 'nas' any more", Assert.Single(run.Errors).ToString(), StringComparison.Ordinal);
        Assert.Equal(ScheduleResult.Partial, run.As<ScheduleRun>().Single().Result);
        Assert.Single(workspace.Listed());
        Assert.Single(workspace.Run("Get-SHBackup -From second").WithoutErrors().Output);
    }

    [Theory]
    [InlineData("New-SHBackupStore 's3://key:hidden@b/' offsite")]
    [InlineData("New-SHBackupStore x s3://b/ -Endpoint 'https://key:hidden@h/'")]
    [InlineData("New-SHBackupStore x s3://b/ -Endpoint 'https://h/?sig=hidden'")]
    [InlineData("Test-SHBackupStore 's3://key:hidden@b/'")]
    [InlineData("Get-SHBackupStore 's3://key:hidden@b/'")]
    [InlineData("Get-SHBackup -From 's3://key:hidden@b' -Provider S3 -Container b")]
    [InlineData("Get-SHBackup -From 'AccountName=a;AccountKey=hidden'")]
    public void A_secret_in_the_wrong_place_is_not_repeated(string script)
    {
        using var workspace = new Workspace();
        var error = Assert.Single(workspace.Run(script).Errors);
        Assert.StartsWith("InvalidArgument,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", $"{error} {error.TargetObject} {error.Exception}", StringComparison.Ordinal);
    }

    [Fact]
    public void To_and_a_forbidden_upload_contradict_each_other()
    {
        using var workspace = new Workspace();
        workspace.Configure(Two);
        var error = Assert.Single(workspace.Run("New-SHBackup ./app.db -To nas -Upload:$false").Errors);
        Assert.Contains("Give one of them.", error.ToString(), StringComparison.Ordinal);
        Assert.Empty(workspace.BackupFiles);
    }

    [Fact]
    public void A_configuration_that_would_not_stay_what_it_is_is_not_replaced()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links and owners of Unix");
        using var workspace = new Workspace();
        File.WriteAllText(workspace["real.yaml"], "app:\n");
        File.CreateSymbolicLink(workspace["link.yaml"], workspace["real.yaml"]);
        Assert.Equal(0, Tool.Require("mkfifo").Run(workspace["pipe.yaml"]).ExitCode);
        File.WriteAllText(workspace["two.yaml"], "app:\n");
        Assert.Equal(0, Tool.Require("ln").Run(workspace["two.yaml"], workspace["names.yaml"]).ExitCode);
        foreach (var name in new[] { "link.yaml", "pipe.yaml", "two.yaml" })
        {
            var error = Assert.Single(workspace.Run($"New-SHBackupStore nas ./nas -CreateContainer -ConfigurationPath ./{name}").Errors);
            Assert.StartsWith("ConfigurationInvalid,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
            Assert.Contains("by hand: stores: { nas: { path: ", error.ToString(), StringComparison.Ordinal);
        }

        Assert.Equal("app:\n", File.ReadAllText(workspace["real.yaml"]));
        Assert.NotNull(new FileInfo(workspace["link.yaml"]).LinkTarget);
    }
}
