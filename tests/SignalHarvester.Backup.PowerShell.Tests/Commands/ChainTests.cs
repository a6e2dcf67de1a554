using System.Security.Cryptography;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Incremental backups and their chains, as a user meets them.</summary>
public class ChainTests
{
    [Fact]
    public void Auto_begins_with_a_full_backup_says_why_and_goes_on_with_increments()
    {
        using var workspace = new Workspace();
        workspace.Change();

        var first = workspace.Run("New-SHBackup ./app.db -Type Auto -Verbose").WithoutErrors();
        var full = first.As<BackupMetadata>().Single();
        workspace.Change();
        var second = workspace.Run("New-SHBackup ./app.db -Type Auto -Verbose").WithoutErrors();
        var increment = second.As<BackupMetadata>().Single();

        Assert.Contains(second.Verbose, text => text.Contains($"changed since the parent '{full.Id}'", StringComparison.Ordinal));
        Assert.Equal(BackupType.Full, full.Type);
        Assert.Contains(first.Verbose, text => text.Contains("there is no backup of this database", StringComparison.Ordinal));
        Assert.Contains("there is no backup of this database", Assert.IsType<string>(full.Metadata["full_reason"]), StringComparison.Ordinal);
        Assert.Equal((BackupType.Incremental, full.Id, 1, 2), (increment.Type, increment.ParentId, increment.Depth, increment.ChainLength));
        Assert.Equal((true, VerificationLevel.Full), (increment.Verified, increment.VerificationLevel));
        Assert.True(increment.Size < full.Size / 4, $"{increment.Size} of {full.Size}");
    }

    [Fact]
    public void Auto_makes_a_full_backup_once_the_chain_is_long()
    {
        using var workspace = new Workspace();
        workspace.Change();

        BackupType[] made = [.. Enumerable.Range(0, 5).Select(_ => workspace.MakeBackup("-Type Auto -MaxIncrements 3").Type)];

        Assert.Equal([BackupType.Full, BackupType.Incremental, BackupType.Incremental, BackupType.Incremental, BackupType.Full], made);
    }

    [Fact]
    public void Auto_makes_a_full_backup_once_the_increments_are_large()
    {
        using var workspace = new Workspace();
        workspace.Change();
        workspace.MakeBackup();
        workspace.Change();
        workspace.MakeBackup("-Type Auto -MaxIncrementShare 1");

        var next = workspace.MakeBackup("-Type Auto -MaxIncrementShare 1");

        Assert.Equal(BackupType.Full, next.Type);
        Assert.Contains("more than 1 %", Assert.IsType<string>(next.Metadata["full_reason"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Differentials_build_on_the_full_backup_that_is_named()
    {
        using var workspace = new Workspace();
        workspace.Change();
        var full = workspace.MakeBackup();
        workspace.Change();
        workspace.MakeBackup("-Type Incremental");
        workspace.Change();

        var differential = workspace.MakeBackup("-Type Incremental -Parent (Get-SHBackup -Type Full -Newest 1)");

        Assert.Equal((full.Id, 1), (differential.ParentId, differential.Depth));
        Assert.Equal(Hash(workspace.Database), RestoredHash(workspace, differential.Id));
    }

    [Fact]
    public void More_than_half_changed_makes_a_full_backup_that_says_so()
    {
        using var workspace = new Workspace();
        workspace.Change();
        workspace.MakeBackup();
        using (var connection = Databases.Open(workspace.Database))
        {
            Databases.Execute(connection, "UPDATE bulk SET content = randomblob(900)");
        }

        var made = workspace.MakeBackup("-Type Incremental");

        Assert.Equal((BackupType.Full, null), (made.Type, made.ParentId));
        Assert.Contains("pages changed since", Assert.IsType<string>(made.Metadata["full_reason"]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_wal_backup_takes_the_log_and_waits_for_a_full_test()
    {
        using var workspace = new Workspace();
        workspace.Change();
        using var writer = new DatabaseHolder(
            workspace.Database, "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; UPDATE bulk SET content = randomblob(900) WHERE id = 7;");
        workspace.MakeBackup();
        writer.Execute("UPDATE bulk SET content = randomblob(900) WHERE id = 9;");

        var first = workspace.Run("New-SHBackup ./app.db -Type Wal -Verbose").WithoutErrors();
        var wal = first.As<BackupMetadata>().Single();
        writer.Execute(
            "UPDATE bulk SET content = randomblob(900) WHERE id = 11; PRAGMA wal_checkpoint(TRUNCATE); UPDATE bulk SET content = randomblob(900) WHERE id = 13;");
        var second = workspace.Run("New-SHBackup ./app.db -Type Wal -Verbose").WithoutErrors();
        var fallback = second.As<BackupMetadata>().Single();
        Assert.Contains(first.Verbose, text => text.Contains("pages committed since", StringComparison.Ordinal));
        Assert.Contains(second.Verbose, text => text.Contains("restarted", StringComparison.Ordinal));

        Assert.Equal((BackupType.Wal, null, VerificationLevel.Quick), (wal.Type, wal.Checksum, wal.VerificationLevel));
        Assert.NotNull(wal.PagesChecksum);
        Assert.NotNull(wal.WalChecksum);
        var tested = workspace.Run($"Test-SHBackup {wal.Id}").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal((true, VerificationLevel.Full), (tested.Verified, tested.VerificationLevel));
        Assert.Equal(RestoredHash(workspace, wal.Id), tested.Checksum);
        Assert.Equal(BackupType.Incremental, fallback.Type);
        Assert.Contains("restarted", Assert.IsType<string>(fallback.Metadata["wal_fallback"]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_chain_that_straddles_the_age_survives_the_pipeline_that_removes_what_is_older()
    {
        using var workspace = new Workspace();
        workspace.Change();
        Dictionary<string, string> images = [];
        string[] ids = [.. Enumerable.Range(0, 6).Select(_ =>
        {
            workspace.Change();
            var made = workspace.MakeBackup("-Type Auto");
            images[made.Id] = Hash(workspace.Database);
            return made.Id;
        })];
        foreach (var (id, days) in ids.Zip([60, 50, 40, 20, 10, 0]))
        {
            workspace.SetAge(id, TimeSpan.FromDays(days));
        }

        var removed = Workspace.Ids(workspace.Run("Get-SHBackup | Where-Object Age -gt 30d | Remove-SHBackup -Force").WithoutErrors());

        Assert.Equal(ids[..3].Order(), removed.Order());
        Assert.Equal(ids[3..].Reverse(), workspace.Listed());
        var left = workspace.Run("Get-SHBackup").As<BackupMetadata>();
        Assert.Equal([BackupType.Incremental, BackupType.Incremental, BackupType.Full], left.Select(backup => backup.Type));
        foreach (var backup in left)
        {
            Assert.Equal(images[backup.Id], RestoredHash(workspace, backup.Id));
            Assert.True(Assert.IsType<bool>(workspace.Run($"Test-SHBackup {backup.Id} -Quiet").WithoutErrors().Output.Single().BaseObject));
        }

        Assert.Equal(6, Directory.EnumerateFiles(workspace.Backups).Count());
    }

    [Fact]
    public void Cascade_asks_for_what_builds_on_it_too()
    {
        using var workspace = new Workspace("Yes", "Yes");
        workspace.Change();
        var full = workspace.MakeBackup();
        var increment = workspace.MakeBackup("-Type Incremental");

        var removed = workspace.Run($"Remove-SHBackup {full.Id} -Cascade").WithoutErrors();

        Assert.Equal([increment.Id, full.Id], Workspace.Ids(removed));
        Assert.Equal(2, workspace.Session.Host.Questions.Count);
        Assert.Contains($"which builds on {full.Id}", workspace.Session.Host.Questions[1], StringComparison.Ordinal);
        Assert.Empty(workspace.Listed());
    }

    [Fact]
    public void A_damaged_parent_is_not_folded_and_stays_with_what_builds_on_it()
    {
        using var workspace = new Workspace();
        workspace.Change();
        var full = workspace.MakeBackup();
        var increment = workspace.MakeBackup("-Type Incremental");
        Workspace.FlipByte(full.BackupPath);

        var result = workspace.Run($"Remove-SHBackup {full.Id} -Force");

        var error = Assert.Single(result.Errors);
        Assert.StartsWith(BackupErrorId.BackupHasDependants, error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains(increment.Id, error.Exception.Message, StringComparison.Ordinal);
        Assert.Equal([increment.Id, full.Id], workspace.Listed());
        Assert.Equal(4, Directory.EnumerateFiles(workspace.Backups).Count());
    }

    [Fact]
    public void Merge_makes_a_full_backup_of_an_increment_and_what_builds_on_it_goes_on()
    {
        using var workspace = new Workspace();
        workspace.Change();
        var full = workspace.MakeBackup();
        workspace.Change();
        var middle = workspace.MakeBackup("-Type Incremental");
        workspace.Change();
        var last = workspace.MakeBackup("-Type Incremental");
        var hash = Hash(workspace.Database);
        File.Delete(workspace.Database);

        var merged = workspace.Run($"Merge-SHBackup {middle.Id}").WithoutErrors().As<BackupMetadata>().Single();
        workspace.Run($"Remove-SHBackup {full.Id} -Force").WithoutErrors();

        Assert.Equal((middle.Id, BackupType.Full, null, middle.Checksum, 0), (merged.Id, merged.Type, merged.ParentId, merged.Checksum, merged.Depth));
        Assert.Equal(hash, RestoredHash(workspace, last.Id));
    }

    [Fact]
    public void The_plan_of_a_restore_names_the_files_and_the_bytes()
    {
        using var workspace = new Workspace();
        workspace.Change();
        var full = workspace.MakeBackup();
        workspace.Change();
        var increment = workspace.MakeBackup("-Type Incremental");

        workspace.Run($"Restore-SHBackup {increment.Id} ./new.db -WhatIf").WithoutErrors();

        var shown = workspace.Session.Host.Shown;
        Assert.Contains(full.BackupPath, shown, StringComparison.Ordinal);
        Assert.Contains(increment.BackupPath, shown, StringComparison.Ordinal);
        Assert.Contains($"read 2 files, {full.Size + increment.Size} bytes, and write {increment.DatabaseSize} bytes", shown, StringComparison.Ordinal);
        Assert.False(File.Exists(workspace["new.db"]));
    }

    [Fact]
    public void A_point_in_time_is_the_newest_backup_before_it()
    {
        using var workspace = new Workspace();
        workspace.Change();
        var early = workspace.MakeBackup();
        var hash = Hash(workspace.Database);
        workspace.Change();
        var late = workspace.MakeBackup("-Type Incremental");
        workspace.SetAge(early.Id, TimeSpan.FromHours(5));
        workspace.SetAge(late.Id, TimeSpan.FromHours(1));

        var result = workspace.Run("Restore-SHBackup -PointInTime ([DateTimeOffset]::UtcNow.AddHours(-2)) -Database app.db -Destination ./then.db -Force")
            .WithoutErrors();

        Assert.Equal(early.Id, result.As<BackupMetadata>().Single().Id);
        Assert.Equal(hash, Hash(workspace["then.db"]));
        var said = Assert.Single(result.Information);
        Assert.Contains($"'{early.Id}'", said, StringComparison.Ordinal);
        Assert.Contains("3h", said, StringComparison.Ordinal);
    }

    [Fact]
    public void A_nearer_backup_that_failed_is_passed_over_with_a_warning()
    {
        using var workspace = new Workspace();
        var good = workspace.AddBackup(TimeSpan.FromHours(5));
        var bad = workspace.AddBackup(TimeSpan.FromHours(3), sidecar => sidecar["verified"] = false);

        var result = workspace.Run("Restore-SHBackup -PointInTime ([DateTimeOffset]::UtcNow) -Destination ./then.db -Force").WithoutErrors();

        Assert.Equal(good, result.As<BackupMetadata>().Single().Id);
        Assert.Contains(result.Warnings, text => text.Contains(bad, StringComparison.Ordinal));
    }

    [Fact]
    public void A_delta_restore_writes_the_pages_that_differ_and_keeps_the_former_state()
    {
        using var workspace = new Workspace();
        workspace.Change();
        var backup = workspace.MakeBackup();
        var before = Hash(workspace.Database);
        workspace.Change();
        var changed = Content(workspace.Database);

        var restored = workspace.Run($"Restore-SHBackup {backup.Id} ./app.db -Delta -Force").WithoutErrors().As<BackupMetadata>().Single();

        Assert.Equal(before, Hash(workspace.Database));
        Assert.False(File.Exists(workspace.Database + "-wal"));
        var pages = restored.Verification.Single(check => check.Check == "RestoredPages").Detail;
        Assert.InRange(int.Parse(pages[..pages.IndexOf(' ', StringComparison.Ordinal)], System.Globalization.CultureInfo.InvariantCulture), 1, 5);
        var safety = workspace.Run("Get-SHBackup").As<BackupMetadata>().Single(listed => listed.IsSafety);
        _ = RestoredHash(workspace, safety.Id);
        Assert.Equal(changed, Content(workspace[safety.Id + ".restored.db"]));
    }

    [Fact]
    public void What_is_tested_or_restored_says_how_deep_in_its_chain_it_stands()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        var id = workspace.MakeBackup("-Type Incremental").Id;

        foreach (var script in new[] { $"Test-SHBackup {id}", $"Get-SHBackup {id} | Test-SHBackup -Level Quick", $"Restore-SHBackup {id} ./new.db -Force" })
        {
            var emitted = workspace.Run(script).WithoutErrors().As<BackupMetadata>().Single();
            Assert.Equal((1, 2), (emitted.Depth, emitted.ChainLength));
        }
    }

    [Fact]
    public void A_backup_that_builds_on_what_is_not_there_is_listed_as_broken_and_not_as_verified()
    {
        using var workspace = new Workspace();
        var full = workspace.MakeBackup();
        var middle = workspace.MakeBackup("-Type Incremental");
        var last = workspace.MakeBackup("-Type Incremental");
        File.Delete(workspace.SidecarOf(middle.Id));

        Assert.Equal([full.Id], Workspace.Ids(workspace.Run("Get-SHBackup -Verified").WithoutErrors()));
        Assert.Equal([last.Id], Workspace.Ids(workspace.Run("Get-SHBackup -Verified:$false").WithoutErrors()));
        foreach (var script in new[] { "Get-SHBackup", "Get-SHBackup -Tree" })
        {
            var lines = workspace.Session.Render(script).Split('\n');
            Assert.Contains(" BROKEN ", lines.Single(line => line.Contains(last.Id, StringComparison.Ordinal)), StringComparison.Ordinal);
            Assert.DoesNotContain("BROKEN", lines.Single(line => line.Contains(full.Id, StringComparison.Ordinal)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_tree_draws_what_builds_on_what()
    {
        using var workspace = new Workspace();
        workspace.Change();
        var full = workspace.MakeBackup();
        var first = workspace.MakeBackup("-Type Incremental");
        var second = workspace.MakeBackup("-Type Incremental");
        var branch = workspace.MakeBackup($"-Type Incremental -Parent {full.Id}");

        var lines = workspace.Session.Render("Get-SHBackup -Tree").Split('\n').Select(line => line.TrimEnd()).ToList();

        Assert.Equal(
            [full.Id, "├─ " + first.Id, "│  " + second.Id, "└─ " + branch.Id],
            lines.Where(line => line.Contains("backup_", StringComparison.Ordinal))
                .Select(line => line[..(line.IndexOf("backup_", StringComparison.Ordinal) + full.Id.Length)]));
        Assert.Equal([full.Id, first.Id, second.Id, branch.Id], Workspace.Ids(workspace.Run("Get-SHBackup -Tree").WithoutErrors()));
    }

    private static string Hash(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));

    private static string Content(string path)
    {
        using var connection = Databases.Open(path);
        return Databases.Scalar(connection, "SELECT hex(group_concat(id || ':' || hex(content))) FROM bulk");
    }

    private static string RestoredHash(Workspace workspace, string id)
    {
        var path = workspace[id + ".restored.db"];
        workspace.Run($"Restore-SHBackup {id} '{path.Replace("'", "''", StringComparison.Ordinal)}' -Force").WithoutErrors();
        return Hash(path);
    }
}
