using System.Management.Automation;
using System.Text.Json.Nodes;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>
/// Send-, Receive-SHBackup and -Remote of the other cmdlets, with a folder as the object store. The tests of the providers test each
/// provider.
/// </summary>
public class OffsiteTests
{
    private const string There = "-Provider Directory -Container ./offsite -Prefix m1/";

    [Fact]
    public void A_chain_comes_back_from_the_store_alone_on_a_machine_that_has_nothing()
    {
        using var workspace = new Workspace();
        workspace.Change();
        workspace.MakeBackup();
        workspace.Change();
        workspace.MakeBackup("-Type Incremental");
        workspace.Change();
        var newest = workspace.MakeBackup("-Type Incremental");
        var image = ImageHash.Of(workspace.Database);
        var sent = Send(workspace, "Get-SHBackup -Newest 1");
        Assert.Equal(newest.Id, sent.Id);

        LoseEverything(workspace);
        Assert.Equal(3, workspace.Run($"Get-SHBackup -Remote {There}").WithoutErrors().Output.Count);
        var restored = workspace.Run($"Get-SHBackup -Remote {There} -Newest 1 | Restore-SHBackup -Destination ./back.db -Force")
            .WithoutErrors().As<BackupMetadata>().Single();

        Assert.Equal(newest.Id, restored.Id);
        Assert.Equal(image, ImageHash.Of(workspace["back.db"]));
        Assert.DoesNotContain(workspace.BackupFiles, file => file.Contains("staging", StringComparison.Ordinal));
        Assert.Empty(workspace.Listed());
    }

    [Fact]
    public void What_comes_back_from_the_store_is_for_whom_it_was_and_so_is_a_database_that_was_drilled()
    {
        Assert.SkipUnless(!OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess, "only root can give files to others");
        using var workspace = new Workspace();
        void Run(string tool, params string[] arguments) => Tool.Require(tool).Run(arguments).EnsureSuccess();
        Run("chown", "4001:4001", workspace.Folder, workspace.Database);
        Run("chmod", "660", workspace.Database);
        workspace.MakeBackup();
        Send(workspace, "Get-SHBackup");
        LoseEverything(workspace);

        Assert.Empty(workspace.Run($"Get-SHBackup -Remote {There} | Invoke-SHRestoreDrill").WithoutErrors().Warnings);
        var restored = workspace.Run($"Get-SHBackup -Remote {There} | Restore-SHBackup -Destination ./app.db -Force").WithoutErrors();

        Assert.Empty(restored.Warnings);
        Assert.Equal("4001:4001 660", Tool.Require("stat").Run("-c", "%u:%g %a", workspace.Database).EnsureSuccess().Output.Trim());
    }

    [Fact]
    public void A_backup_that_was_sent_knows_its_copy_here_and_there()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        var sent = Send(workspace, "Get-SHBackup");

        Assert.Equal(CloudProvider.Directory, sent.CloudProvider);
        Assert.StartsWith("file:///", sent.CloudUrl, StringComparison.Ordinal);
        var copy = Assert.Single(sent.Copies);
        Assert.Equal(sent.CloudUrl, copy.Url);
        var listed = workspace.Run("Get-SHBackup").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal(sent.Copies, listed.Copies);
        Assert.Equal(sent.CloudUrl, listed.CloudUrl);
        Assert.Null(listed.Location);

        var there = workspace.Run($"Get-SHBackup -Remote {There}").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal(made.Id, there.Id);
        Assert.Equal(made.Checksum, there.Checksum);
        Assert.Equal(CloudProvider.Directory, there.Location!.Provider);
        Assert.Equal(sent.CloudUrl, there.BackupPath);
    }

    [Fact]
    public void Two_places_are_both_recorded_and_the_first_stays_the_first()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        var first = Send(workspace, "Get-SHBackup");
        var second = workspace.Run("Get-SHBackup | Send-SHBackup -Provider Directory -Container ./second -CreateContainer")
            .WithoutErrors().As<BackupMetadata>().Single();

        Assert.Equal(first.CloudUrl, second.CloudUrl);
        Assert.Equal([first.CloudUrl, second.Copies[1].Url], second.Copies.Select(copy => copy.Url));
        Assert.Equal(2, second.Copies.Select(copy => copy.Url).Distinct().Count());
    }

    [Fact]
    public void What_is_there_is_not_sent_again_and_another_backup_of_the_same_id_is_never_overwritten()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        Send(workspace, "Get-SHBackup");
        var file = Directory.GetFiles(workspace["offsite", "m1"], made.Id + "_*").Single();
        var before = File.GetLastWriteTimeUtc(file);
        Send(workspace, "Get-SHBackup");
        Assert.Equal(before, File.GetLastWriteTimeUtc(file));

        workspace.EditSidecar(made.Id, sidecar =>
        {
            sidecar["stored_checksum"] = new string('1', 64);
            sidecar["checksum"] = new string('2', 64);
            sidecar["pages_checksum"] = new string('3', 64);
        });
        var error = Assert.Single(workspace.Run($"Get-SHBackup | Send-SHBackup {There}").Errors);
        Assert.StartsWith("CloudObjectExists,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(ErrorCategory.ResourceExists, error.CategoryInfo.Category);
        Assert.Equal(before, File.GetLastWriteTimeUtc(file));
    }

    [Fact]
    public void A_damaged_file_is_not_sent()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        Workspace.FlipByte(made.BackupPath);

        var error = Assert.Single(workspace.Run($"Get-SHBackup | Send-SHBackup {There} -CreateContainer").Errors);
        Assert.StartsWith("BackupChecksumMismatch,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Empty(workspace.Run($"Get-SHBackup -Remote {There}").WithoutErrors().Output);
    }

    [Theory]
    [InlineData("Get-SHBackup | Send-SHBackup " + There)]
    [InlineData("Get-SHBackup -Remote " + There)]
    [InlineData("Receive-SHBackup backup_20261122_020000_123456 " + There)]
    public void A_missing_container_is_an_error_and_never_made_unasked(string command)
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        var error = Assert.Single(workspace.Run(command).Errors);
        Assert.StartsWith("CloudContainerNotFound,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(ErrorCategory.ObjectNotFound, error.CategoryInfo.Category);
        Assert.False(Directory.Exists(workspace["offsite"]));
    }

    [Theory]
    [InlineData("Get-SHBackup -Provider Directory -Container ./offsite")]
    [InlineData("Get-SHBackup | Test-SHBackup -Provider Directory -Container ./offsite")]
    [InlineData("New-SHBackup ./app.db -Provider Directory -Container ./offsite")]
    [InlineData("Get-SHBackup | Restore-SHBackup -Destination x.db -Force -Bucket offsite")]
    [InlineData("Get-SHBackup | Remove-SHBackup -Force -Provider Directory -Container ./offsite")]
    [InlineData("Invoke-SHBackupRetention -Provider Directory -Container ./offsite")]
    [InlineData("Get-SHBackup -Remote")]
    [InlineData("Get-SHBackup -Remote -Provider S3")]
    [InlineData("Get-SHBackup -Remote -Container ./offsite")]
    [InlineData("Get-SHBackup | Send-SHBackup")]
    [InlineData("Get-SHBackup -Remote -Provider S3 -Bucket b -Endpoint 'https://user:secret@s3.example.org'")]
    [InlineData("Get-SHBackup -Remote -Provider Azure -Container b -Endpoint 'https://a.example.org/?sig=secret'")]
    [InlineData("Get-SHBackup | Send-SHBackup -Provider Azure -Container b -AccountName a -Prefix 'a/./b/'")]
    [InlineData("Get-SHBackup | Send-SHBackup -Provider S3 -Bucket b -Prefix '../b/'")]
    public void A_place_that_is_not_named_in_full_or_not_needed_is_refused(string command)
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        var error = workspace.Run(command).Errors[^1];
        Assert.StartsWith("InvalidArgument,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
        Assert.Single(workspace.Listed());
        Assert.False(File.Exists(workspace["x.db"]));
    }

    [Theory]
    [InlineData("Send-SHBackup -Provider Directory -Container ./second -CreateContainer")]
    [InlineData("Merge-SHBackup")]
    [InlineData("New-SHBackup")]
    [InlineData("Get-SHBackup")]
    public void What_needs_a_backup_here_says_so_of_one_in_a_store(string command)
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        Send(workspace, "Get-SHBackup");

        var result = workspace.Run($"Get-SHBackup -Remote {There} | {command}");

        Assert.Empty(result.Output);
        var error = Assert.Single(result.Errors);
        Assert.StartsWith("InvalidArgument,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains("Receive-SHBackup", error.ToString(), StringComparison.Ordinal);
        Assert.Single(workspace.Listed());
    }

    [Theory]
    [InlineData("http://127.0.0.1:9/account")]
    [InlineData("no address")]
    public void A_server_that_only_the_stores_sidecar_names_is_never_sent_credentials(string endpoint)
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        Send(workspace, "Get-SHBackup");
        var path = workspace["offsite", "m1", made.Id + ".json"];
        var sidecar = JsonNode.Parse(File.ReadAllText(path))!;
        var copy = sidecar["copies"]![0]!;
        (copy["provider"], copy["container"], copy["endpoint"], copy["account_name"]) = ("azure", "c", endpoint, "account");
        File.WriteAllText(path, sidecar.ToJsonString());

        var received = workspace.Run($"Receive-SHBackup {made.Id} {There} -BackupDirectory ./got").WithoutErrors().As<BackupMetadata>().Single();
        var tested = workspace.Run("Get-SHBackup -BackupDirectory ./got | Test-SHBackup -Remote -Level Quick");

        Assert.Empty(received.Copies);
        Assert.Null(received.CloudUrl);
        Assert.StartsWith("InvalidArgument,", Assert.Single(tested.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_in_a_sidecar_that_is_none_is_an_error_of_ours()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        Send(workspace, "Get-SHBackup");
        workspace.EditSidecar(made.Id, sidecar => sidecar["copies"]![0]!["endpoint"] = "no address");

        Assert.StartsWith(
            "InvalidArgument,", Assert.Single(workspace.Run("Get-SHBackup | Test-SHBackup -Remote").Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void Receive_brings_the_chain_back_as_it_was()
    {
        using var workspace = new Workspace();
        workspace.Change();
        var full = workspace.MakeBackup("-Description 'the first'");
        workspace.Change();
        var newest = workspace.MakeBackup("-Type Incremental");
        Send(workspace, "Get-SHBackup -Newest 1");
        LoseEverything(workspace);

        var received = workspace.Run($"Receive-SHBackup {newest.Id} {There}").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal(workspace.Backups, received.BackupDirectory);
        Assert.Null(received.Location);
        Assert.Equal(1, received.Depth);
        Assert.Equal([newest.Id, full.Id], workspace.Listed());
        Assert.Equal("the first", workspace.Run("Get-SHBackup -Type Full").As<BackupMetadata>().Single().Description);
        Assert.True(workspace.Run("Get-SHBackup -Newest 1 | Test-SHBackup").WithoutErrors().As<BackupMetadata>().Single().Verified);
        Assert.Empty(Directory.GetFiles(Path.Combine(workspace.Backups, ".shbackup", "downloads")));

        // Again: nothing to do, and no error.
        Assert.Single(workspace.Run($"Receive-SHBackup {newest.Id} {There}").WithoutErrors().Output);
    }

    [Fact]
    public void Receive_does_not_overwrite_another_backup_of_the_same_id()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        Send(workspace, "Get-SHBackup");
        workspace.EditSidecar(made.Id, sidecar => sidecar["db_path"] = "/elsewhere/app.db");
        var before = File.ReadAllText(workspace.SidecarOf(made.Id));

        var error = Assert.Single(workspace.Run($"Receive-SHBackup {made.Id} {There}").Errors);
        Assert.StartsWith("BackupIdTaken,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(made.Id, error.TargetObject);
        Assert.Equal(before, File.ReadAllText(workspace.SidecarOf(made.Id)));
    }

    [Theory]
    [InlineData("Quick")]
    [InlineData("Full")]
    public void The_copy_is_tested_there_and_damage_is_found(string level)
    {
        using var workspace = new Workspace();
        workspace.Change();
        workspace.MakeBackup();
        workspace.Change();
        var newest = workspace.MakeBackup("-Type Incremental");
        Send(workspace, "Get-SHBackup -Newest 1");
        var tested = workspace.Run($"Get-SHBackup -Newest 1 | Test-SHBackup -Remote -Level {level}").WithoutErrors().As<BackupMetadata>().Single();
        Assert.True(tested.Verified);
        Assert.Equal(newest.Id, tested.Id);
        Assert.Equal(level, tested.VerificationLevel.ToString());

        var file = Directory.GetFiles(workspace["offsite", "m1"], "*_full.db.zst").Single();
        if (level == "Full")
        {
            Workspace.FlipByte(file);
        }
        else
        {
            File.AppendAllText(file, "x");
        }

        var result = workspace.Run($"Test-SHBackup {newest.Id} -Remote {There} -Level {level}");
        Assert.False(Assert.Single(result.As<BackupMetadata>()).Verified);
        Assert.Contains("Backup", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.True(workspace.Run("Get-SHBackup -Newest 1 | Test-SHBackup -Quiet").WithoutErrors().As<bool>().Single());
    }

    [Fact]
    public void Remove_Remote_takes_the_copy_and_leaves_the_backup()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        Send(workspace, "Get-SHBackup");
        var removed = workspace.Run("Get-SHBackup | Remove-SHBackup -Remote -Force").WithoutErrors().As<BackupMetadata>().Single();

        Assert.Equal(made.Id, removed.Id);
        Assert.Empty(Directory.GetFiles(workspace["offsite", "m1"]));
        var left = workspace.Run("Get-SHBackup").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Empty(left.Copies);
        Assert.Null(left.CloudUrl);
        Assert.Null(left.CloudProvider);
    }

    [Fact]
    public void An_object_from_the_store_stands_for_the_copy()
    {
        using var workspace = new Workspace("No", "Yes");
        workspace.MakeBackup();
        Send(workspace, "Get-SHBackup");
        Assert.Empty(workspace.Run($"Get-SHBackup -Remote {There} | Remove-SHBackup").WithoutErrors().Output);
        Assert.Single(workspace.Run($"Get-SHBackup -Remote {There} | Remove-SHBackup").WithoutErrors().Output);
        Assert.Equal(2, workspace.Session.Host.Questions.Count);
        Assert.All(workspace.Session.Host.Questions, question => Assert.Contains("copy in file:///", question, StringComparison.Ordinal));
        Assert.Single(workspace.Listed());
        Assert.Empty(workspace.Run($"Get-SHBackup -Remote {There}").WithoutErrors().Output);
    }

    [Fact]
    public void What_others_build_on_there_goes_only_with_them()
    {
        using var workspace = new Workspace();
        workspace.Change();
        var full = workspace.MakeBackup();
        workspace.Change();
        workspace.MakeBackup("-Type Incremental");
        Send(workspace, "Get-SHBackup -Newest 1");

        var error = Assert.Single(workspace.Run($"Remove-SHBackup {full.Id} -Remote {There} -Force").Errors);
        Assert.StartsWith("BackupHasDependants,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(4, Directory.GetFiles(workspace["offsite", "m1"]).Length);
        Assert.Equal(2, workspace.Run($"Remove-SHBackup {full.Id} -Remote {There} -Force -Cascade").WithoutErrors().Output.Count);
        Assert.Empty(Directory.GetFiles(workspace["offsite", "m1"]));
    }

    [Fact]
    public void New_Upload_makes_and_sends_and_a_failed_upload_leaves_the_backup()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup($"-Upload {There} -CreateContainer");
        Assert.Single(made.Copies);
        Assert.Single(workspace.Run($"Get-SHBackup -Remote {There}").WithoutErrors().Output);

        var result = workspace.Run("New-SHBackup ./app.db -Upload -Provider Directory -Container ./nowhere");
        Assert.StartsWith("CloudContainerNotFound,", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Empty(Assert.Single(result.As<BackupMetadata>()).Copies);
        Assert.Equal(2, workspace.Listed().Count);
    }

    [Fact]
    public void Retention_there_keeps_what_kept_copies_build_on_and_never_touches_the_directory()
    {
        using var workspace = new Workspace();
        workspace.Change();
        var full = workspace.MakeBackup("-RetentionPolicy Daily");
        workspace.Change();
        var newest = workspace.MakeBackup("-Type Incremental -RetentionPolicy Daily");
        var old = workspace.AddBackup(TimeSpan.FromDays(40), sidecar => sidecar["retention_policy"] = "daily");
        workspace.SetAge(full.Id, TimeSpan.FromDays(3));
        Send(workspace, "Get-SHBackup");

        var decisions = workspace.Run($"Invoke-SHBackupRetention -Remote {There} -KeepDaily 1 -KeepWeekly 0 -KeepMonthly 0")
            .WithoutErrors().As<RetentionDecision>();
        Assert.Equal([newest.Id, full.Id], decisions.Where(decision => decision.Action == RetentionAction.Keep).Select(decision => decision.Backup.Id));
        Assert.Contains($"needed by {newest.Id}: nothing is folded in an object store", decisions.Single(decision => decision.Backup.Id == full.Id).Reasons);
        Assert.Equal([newest.Id, full.Id], Workspace.Ids(workspace.Run($"Get-SHBackup -Remote {There}").WithoutErrors()));
        Assert.Equal([newest.Id, full.Id, old], workspace.Listed());
    }

    [Fact]
    public void A_hostile_sidecar_there_is_an_error_and_the_others_are_listed()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        var other = workspace.AddBackup(TimeSpan.FromDays(1));
        Send(workspace, "Get-SHBackup");
        var path = workspace["offsite", "m1", other + ".json"];
        var sidecar = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        sidecar["backup_path"] = "/etc/passwd";
        File.WriteAllText(path, sidecar.ToJsonString());

        var result = workspace.Run($"Get-SHBackup -Remote {There}");
        Assert.Equal([made.Id], Workspace.Ids(result));
        Assert.StartsWith("SidecarHostile,", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.StartsWith(
            "SidecarHostile,", Assert.Single(workspace.Run($"Receive-SHBackup {other} {There} -BackupDirectory ./new").Errors).FullyQualifiedErrorId,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_sidecar_whose_file_is_not_there_is_an_error_and_no_backup()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        Send(workspace, "Get-SHBackup");
        File.Delete(Directory.GetFiles(workspace["offsite", "m1"], made.Id + "_*").Single());
        var result = workspace.Run($"Get-SHBackup -Remote {There}");
        Assert.Empty(result.Output);
        Assert.StartsWith("BackupFileMissing,", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);

        // Sending it again repairs it.
        Send(workspace, "Get-SHBackup");
        Assert.Single(workspace.Run($"Get-SHBackup -Remote {There}").WithoutErrors().Output);
    }

    [Fact]
    public void A_folder_that_is_missing_is_told_with_the_parameter_that_makes_it()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        var record = Assert.Single(workspace.Run($"Get-SHBackup | Send-SHBackup {There}").Errors);
        Assert.Contains("or create it with -CreateContainer", record.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIf_changes_nothing_anywhere()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        Assert.Empty(workspace.Run($"Get-SHBackup | Send-SHBackup {There} -CreateContainer -WhatIf").WithoutErrors().Output);
        Assert.False(Directory.Exists(workspace["offsite"]));
        Send(workspace, "Get-SHBackup");
        Assert.Empty(workspace.Run($"Get-SHBackup -Remote {There} | Receive-SHBackup -BackupDirectory ./new -WhatIf").WithoutErrors().Output);
        Assert.Empty(workspace.Run($"Get-SHBackup -Remote {There} | Restore-SHBackup -Destination ./new.db -WhatIf").WithoutErrors().Output);
        Assert.Empty(workspace.Run($"Get-SHBackup -Remote {There} | Remove-SHBackup -WhatIf").WithoutErrors().Output);
        Assert.Contains("read 1 file, ", workspace.Session.Host.Shown, StringComparison.Ordinal);
        Assert.False(Directory.Exists(workspace["new"]));
        Assert.False(File.Exists(workspace["new.db"]));
        Assert.Single(workspace.Run($"Get-SHBackup -Remote {There}").WithoutErrors().Output);
    }

    [Fact]
    public void A_point_in_time_is_found_in_the_store()
    {
        using var workspace = new Workspace();
        var old = workspace.AddBackup(TimeSpan.FromDays(2));
        workspace.AddBackup(TimeSpan.FromDays(1));
        Send(workspace, "Get-SHBackup");
        LoseEverything(workspace);
        var restored = workspace.Run($"Restore-SHBackup -PointInTime ([DateTimeOffset]::UtcNow.AddHours(-30)) -FromCloud {There} -Destination ./back.db -Force")
            .WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal(old, restored.Id);
        Assert.True(File.Exists(workspace["back.db"]));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(-400)]
    public void What_was_fetched_in_part_and_dated_by_a_wrong_clock_goes_but_not_from_under_the_process_that_fetches_it(int days)
    {
        using var workspace = new Workspace();
        var sent = workspace.MakeBackup();
        Send(workspace, "Get-SHBackup");
        var downloads = Directory.CreateDirectory(workspace["fetched", ".shbackup", "downloads"]).FullName;
        var staging = Directory.CreateDirectory(workspace["fetched", ".shbackup", "staging"]).FullName;
        foreach (var name in new[] { "abandoned", "held" })
        {
            File.WriteAllText(Path.Combine(downloads, name), name);
            File.SetLastWriteTimeUtc(Path.Combine(downloads, name), DateTime.UtcNow.AddDays(days));
            Directory.CreateDirectory(Path.Combine(staging, name));
            Directory.SetLastWriteTimeUtc(Path.Combine(staging, name), DateTime.UtcNow.AddDays(days));
        }

        using (File.Open(Path.Combine(downloads, "held"), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        using (File.Open(Path.Combine(staging, "held.lock"), FileMode.Create, FileAccess.Write, FileShare.None))
        {
            workspace.Run(
                $"Restore-SHBackup {sent.Id} -FromCloud {There} -BackupDirectory ./fetched -Destination ./back.db -Force; Receive-SHBackup {sent.Id} {There} -BackupDirectory ./fetched")
                .WithoutErrors();
            Assert.Equal(["held"], Directory.EnumerateFiles(downloads).Select(Path.GetFileName));
            Assert.Equal(["held"], Directory.EnumerateDirectories(staging).Select(Path.GetFileName));
        }
    }

    [Fact]
    public void A_folded_backup_is_still_the_one_that_was_sent()
    {
        using var workspace = new Workspace();
        workspace.Change();
        workspace.MakeBackup();
        workspace.Change();
        var newest = workspace.MakeBackup("-Type Incremental");
        Send(workspace, "Get-SHBackup -Newest 1");
        workspace.Run("Get-SHBackup -Type Full | Remove-SHBackup -Force").WithoutErrors();

        var again = Send(workspace, "Get-SHBackup");
        Assert.Equal(newest.Id, again.Id);
        Assert.Equal(2, workspace.Run($"Get-SHBackup -Remote {There}").WithoutErrors().Output.Count);
        Assert.True(workspace.Run("Get-SHBackup | Test-SHBackup -Remote -Quiet").WithoutErrors().As<bool>().Single());
    }

    private static BackupMetadata Send(Workspace workspace, string backups) =>
        workspace.Run($"{backups} | Send-SHBackup {There} -CreateContainer").WithoutErrors().As<BackupMetadata>()[^1];

    private static void LoseEverything(Workspace workspace)
    {
        Directory.Delete(workspace.Backups, recursive: true);
        Directory.CreateDirectory(workspace.Backups);
        File.Delete(workspace.Database);
        File.Delete(workspace.Database + "-wal");
        File.Delete(workspace.Database + "-shm");
    }
}
