using System.Collections;
using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>New-SHBackup, as a user calls it.</summary>
public class NewBackupTests
{
    private static readonly DatabaseShape Small = new() { Rows = 20 };

    [Fact]
    public void What_others_would_type_works_too()
    {
        using var workspace = new Workspace();
        var made = workspace.Run("New-SHBackup ./app.db -Destination ./there").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal(workspace["there"], made.BackupDirectory);
        Assert.Equal([made.Id], Workspace.Ids(workspace.Run("Get-SHBackup -BackupDirectory ./there -Last 1").WithoutErrors()));
        Assert.Single(workspace.Run("Get-SHBackupHistory -BackupDirectory ./there -Last 1").WithoutErrors().Output);
        Assert.True(workspace.Run("Invoke-SHBackupDrill -BackupDirectory ./there -Last").WithoutErrors().As<RestoreDrill>().Single().Passed);

        // What a restore says of its file is no place for backups.
        var again = workspace.Run("Get-SHBackup -BackupDirectory ./there | Restore-SHBackup -Destination ./new.db | New-SHBackup").WithoutErrors();
        Assert.Equal(workspace["there"], again.As<BackupMetadata>().Single().BackupDirectory);
    }

    [Fact]
    public void A_backup_is_verified_compressed_with_zstd_and_goes_to_the_folder_backups_of_the_current_location()
    {
        using var workspace = new Workspace();
        var backup = workspace.MakeBackup();

        Assert.Equal(workspace.Backups, backup.BackupDirectory);
        Assert.Equal(workspace.Database, backup.DatabasePath);
        Assert.Equal(BackupType.Full, backup.Type);
        Assert.Equal(CompressionType.Zstd, backup.Compression);
        Assert.EndsWith("_full.db.zst", backup.BackupPath, StringComparison.Ordinal);
        Assert.Equal(new FileInfo(backup.BackupPath).Length, backup.Size);
        Assert.Equal(ImageHash.Of(workspace.Database), backup.Checksum);
        Assert.True(backup.Verified);
        Assert.Equal(VerificationLevel.Full, backup.VerificationLevel);
        Assert.NotNull(backup.VerificationTimestamp);
        Assert.NotEmpty(backup.Verification);
        Assert.All(backup.Verification, check => Assert.True(check.Passed, check.Check));
        Assert.Null(backup.RetentionPolicy);
        Assert.Equal([backup.Id], workspace.Listed());
    }

    [Fact]
    public void NoVerify_publishes_a_backup_that_is_not_called_verified()
    {
        using var workspace = new Workspace();
        var backup = workspace.MakeBackup("-NoVerify");
        Assert.False(backup.Verified);
        Assert.Null(backup.VerificationTimestamp);
        Assert.Empty(workspace.Run("Get-SHBackup -Verified").WithoutErrors().Output);
        Assert.True(workspace.Run("Get-SHBackup | Test-SHBackup").WithoutErrors().As<BackupMetadata>().Single().Verified);
    }

    [Fact]
    public void What_is_recorded_is_listed()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup("-RetentionPolicy Weekly -Description 'before the migration: 漢 ü \"x\"' -Type Full");
        var backup = workspace.Run("Get-SHBackup").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal(RetentionPolicy.Weekly, backup.RetentionPolicy);
        Assert.Equal("before the migration: 漢 ü \"x\"", backup.Description);
    }

    [Fact]
    public void Metadata_of_every_simple_kind_comes_back()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup(
            """
            -NoVerify -Metadata @{
                text = 'OPS-7 "quoted" 漢'; number = 42; big = 9007199254740993; fraction = 1.5; money = 2.5d; yes = $true; no = $false
                nothing = $null; when = [datetime]::new(2026, 11, 22, 1, 2, 3, [DateTimeKind]::Utc); list = 1, 'two', @(3, 4); map = @{ inner = @{ deep = 'x' } }
                day = [DayOfWeek]::Friday; 5 = 'a number as key'
            }
            """);
        var metadata = workspace.Run("Get-SHBackup").WithoutErrors().As<BackupMetadata>().Single().Metadata;

        Assert.Equal("OPS-7 \"quoted\" 漢", metadata["text"]);
        Assert.Equal(42L, metadata["number"]);
        Assert.Equal(9007199254740993L, metadata["big"]);
        Assert.Equal(1.5, metadata["fraction"]);
        Assert.Equal(2.5, metadata["money"]);
        Assert.Equal(true, metadata["yes"]);
        Assert.Equal(false, metadata["no"]);
        Assert.Null(metadata["nothing"]);
        Assert.StartsWith("2026-11-22T01:02:03", (string)metadata["when"]!, StringComparison.Ordinal);
        Assert.Equal("Friday", metadata["day"]);
        Assert.Equal("a number as key", metadata["5"]);
        var list = Assert.IsType<IList>(metadata["list"], exactMatch: false);
        Assert.Equal<object?>([1L, "two"], list.Cast<object?>().Take(2));
        Assert.Equal<object?>([3L, 4L], Assert.IsType<IList>(list[2], exactMatch: false).Cast<object?>());
        Assert.Equal("x", workspace.Run("(Get-SHBackup).Metadata.map.inner.deep").WithoutErrors().As<string>().Single());
    }

    [Theory]
    [InlineData("None", "", null)]
    [InlineData("Gzip", ".gz", "gunzip")]
    [InlineData("Zstd", ".zst", "zstd")]
    public void Each_compression_is_read_by_its_own_tool(string compression, string suffix, string? program)
    {
        using var workspace = new Workspace();
        var backup = workspace.MakeBackup($"-Compression {compression}");
        Assert.EndsWith("_full.db" + suffix, backup.BackupPath, StringComparison.Ordinal);
        Assert.Equal(compression, backup.Compression.ToString());

        var plain = workspace["plain.db"];
        if (program is null)
        {
            File.Copy(backup.BackupPath, plain);
        }
        else
        {
            Assert.Equal(0, Tool.Require(program).RunToFile(plain, "-d", "-c", backup.BackupPath).ExitCode);
        }

        Assert.Equal(backup.Checksum, ImageHash.Of(plain));
    }

    [Theory]
    [InlineData("Zstd", 1, true)]
    [InlineData("Zstd", 19, true)]
    [InlineData("Zstd", 0, false)]
    [InlineData("Zstd", 20, false)]
    [InlineData("Gzip", 1, true)]
    [InlineData("Gzip", 9, true)]
    [InlineData("Gzip", 0, false)]
    [InlineData("Gzip", 10, false)]
    [InlineData("None", 1, false)]
    public void A_compression_level_is_in_its_codecs_range_or_an_error(string compression, int level, bool good)
    {
        using var workspace = new Workspace();
        var result = workspace.Run($"New-SHBackup ./app.db -NoVerify -Compression {compression} -CompressionLevel {level}");
        if (good)
        {
            Assert.Single(result.WithoutErrors().Output);
            return;
        }

        Assert.StartsWith("InvalidArgument,", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Empty(workspace.Listed());
    }

    [Theory]
    [InlineData("with space.db")]
    [InlineData("it's \"quoted\".db")]
    [InlineData("[brackets] [a-z].db")]
    [InlineData("$dollar $(1).db")]
    [InlineData("100%41 %.db")]
    [InlineData("漢字 Zoë.db")]
    [InlineData("-leading.db")]
    [InlineData("semi;colon,comma&amp`tick#hash?.db")]
    [InlineData("star*.db")]
    public void An_odd_name_is_taken_as_it_stands(string name)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() && name.AsSpan().ContainsAny("\"*?"), "Windows does not allow this name");
        using var workspace = new Workspace();
        var database = Databases.Create(workspace[name], Small);

        Assert.Equal(database, One(workspace.Run("New-SHBackup -LiteralPath $args[0] -NoVerify", name)).DatabasePath);
        Assert.Equal(database, One(workspace.Run("New-SHBackup -LiteralPath $args[0]", database)).DatabasePath);
        // The path of an existing file is no pattern.
        Assert.Equal(database, One(workspace.Run("New-SHBackup $args[0] -NoVerify", "./" + name)).DatabasePath);
        // As tab completion writes it.
        Assert.Equal(database, One(workspace.Run("New-SHBackup ([WildcardPattern]::Escape($args[0])) -NoVerify", "./" + name)).DatabasePath);
        Assert.Equal(4, workspace.Run("Get-SHBackup -Database ([WildcardPattern]::Escape($args[0]))", name).WithoutErrors().Output.Count);
    }

    [Fact]
    public void Wildcards_name_several_and_LiteralPath_knows_none()
    {
        using var workspace = new Workspace();
        var others = new[] { Databases.Create(workspace["a1.db"], Small), Databases.Create(workspace["a2.db"], Small) };

        var result = workspace.Run("New-SHBackup a?.db -NoVerify").WithoutErrors();
        Assert.Equal(others, result.As<BackupMetadata>().Select(backup => backup.DatabasePath).Order(StringComparer.Ordinal));
        Assert.Equal(3, workspace.Run("New-SHBackup *.db -NoVerify").WithoutErrors().Output.Count);
        Assert.Equal(2, workspace.Run("New-SHBackup ./a[12].db -NoVerify").WithoutErrors().Output.Count);

        Assert.Equal("SourceNotFound", Id(Assert.Single(workspace.Run("New-SHBackup -LiteralPath *.db").Errors)));
        var none = Assert.Single(workspace.Run("New-SHBackup x*.db").Errors);
        Assert.Equal("SourceNotFound", Id(none));
        Assert.Equal("x*.db", none.TargetObject);
        Assert.Equal(ErrorCategory.ObjectNotFound, none.CategoryInfo.Category);
    }

    [Fact]
    public void Files_come_through_the_pipeline()
    {
        using var workspace = new Workspace();
        var odd = Databases.Create(workspace["[odd] $1.db"], Small);
        object[] files = [new FileInfo(workspace.Database), new FileInfo(odd)];
        var result = workspace.Session.Invoke("$input | New-SHBackup -NoVerify", files).WithoutErrors();
        Assert.Equal([workspace.Database, odd], result.As<BackupMetadata>().Select(backup => backup.DatabasePath));
    }

    [Fact]
    public void What_Get_ChildItem_emits_comes_through_the_pipeline()
    {
        using var workspace = new Workspace();
        var odd = Databases.Create(workspace["[odd] $1.db"], Small);
        // This engine has no Get-ChildItem; the following gives its objects their properties.
        var result = workspace.Session.Invoke(
            """
            $items = foreach ($path in $input) { $ExecutionContext.InvokeProvider.Item.Get([WildcardPattern]::Escape($path)) }
            $items | New-SHBackup -NoVerify
            """,
            [workspace.Database, odd]).WithoutErrors();
        Assert.Equal([workspace.Database, odd], result.As<BackupMetadata>().Select(backup => backup.DatabasePath));
    }

    [Fact]
    public void Objects_with_a_PSPath_and_plain_paths_come_through_the_pipeline()
    {
        using var workspace = new Workspace();
        var item = new PSObject();
        item.Properties.Add(new PSNoteProperty("PSPath", "Microsoft.PowerShell.Core\\FileSystem::" + workspace.Database));
        Assert.Equal(workspace.Database, One(workspace.Session.Invoke("$input | New-SHBackup -NoVerify", [item])).DatabasePath);
        Assert.Equal(workspace.Database, One(workspace.Run("'./app.db' | New-SHBackup -NoVerify")).DatabasePath);
    }

    [Theory]
    [InlineData("[pscustomobject]@{ DatabasePath = 'app.db' }")]
    [InlineData("[pscustomobject]@{ Path = '*pp.db' }")]
    [InlineData("[pscustomobject]@{ FullName = 'app.db' }")]
    public void Objects_that_name_a_database_come_through_the_pipeline(string item)
    {
        using var workspace = new Workspace();
        Assert.Equal(workspace.Database, One(workspace.Run($"{item} | New-SHBackup -NoVerify")).DatabasePath);
    }

    [Fact]
    public void A_backup_from_the_pipeline_has_its_database_backed_up_again_beside_it()
    {
        using var workspace = new Workspace();
        var first = One(workspace.Run("New-SHBackup app.db -BackupDirectory ./elsewhere"));

        var second = One(workspace.Run("Get-SHBackup -BackupDirectory ./elsewhere | New-SHBackup -Type Incremental"));

        Assert.Equal((workspace.Database, workspace["elsewhere"], first.Id), (second.DatabasePath, second.BackupDirectory, second.ParentId));
    }

    [Fact]
    public void One_database_that_fails_does_not_stop_the_others()
    {
        using var workspace = new Workspace();
        File.WriteAllText(workspace["b.db"], "this is no database at all, but a text of some length");
        var last = Databases.Create(workspace["z.db"], Small);

        foreach (var script in (string[])["New-SHBackup *.db -NoVerify", "'app.db', 'b.db', 'z.db' | New-SHBackup -NoVerify",
            "New-SHBackup app.db, b.db, z.db -NoVerify"])
        {
            var result = workspace.Run(script);
            Assert.Equal([workspace.Database, last], result.As<BackupMetadata>().Select(backup => backup.DatabasePath).Order(StringComparer.Ordinal));
            Assert.Equal("SourceNotSqlite", Id(Assert.Single(result.Errors)));
            Assert.Null(result.Failure);
        }
    }

    [Fact]
    public void ErrorAction_Stop_ends_at_the_first_that_fails()
    {
        using var workspace = new Workspace();
        var result = workspace.Run("New-SHBackup missing.db, app.db -NoVerify -ErrorAction Stop");
        Assert.NotNull(result.Failure);
        Assert.Empty(workspace.Listed());
    }

    [Fact]
    public void WhatIf_makes_nothing()
    {
        using var workspace = new Workspace();
        Directory.Delete(workspace.Backups);
        var result = workspace.Run("New-SHBackup ./app.db -WhatIf").WithoutErrors();
        Assert.Empty(result.Output);
        Assert.False(Directory.Exists(workspace.Backups));
        Assert.Contains(workspace.Database, workspace.Session.Host.Shown, StringComparison.Ordinal);
        Assert.Contains(workspace.Backups, workspace.Session.Host.Shown, StringComparison.Ordinal);
    }

    [Fact]
    public void Relative_paths_follow_the_session_not_the_process()
    {
        using var workspace = new Workspace();
        var inner = Directory.CreateDirectory(workspace["inner [x]"]).FullName;
        var database = Databases.Create(Path.Combine(inner, "app.db"), Small);
        workspace.MoveTo(inner);

        var backup = One(workspace.Run("New-SHBackup app.db -BackupDirectory ../elsewhere"));
        Assert.Equal(database, backup.DatabasePath);
        Assert.Equal(workspace["elsewhere"], backup.BackupDirectory);
        Assert.Single(workspace.Run("Get-SHBackup -BackupDirectory ../elsewhere").WithoutErrors().Output);
        workspace.Run("Get-SHBackup -BackupDirectory ../elsewhere | Restore-SHBackup -Destination here.db -Force").WithoutErrors();
        Assert.True(File.Exists(Path.Combine(inner, "here.db")));
        Assert.Single(workspace.Run("Test-SHBackup -LiteralPath $args[0]", Path.GetRelativePath(inner, backup.BackupPath)).WithoutErrors().Output);
    }

    [Fact]
    public void The_directory_and_its_parents_are_made()
    {
        using var workspace = new Workspace();
        var backup = One(workspace.Run("New-SHBackup app.db -BackupDirectory new/deep -NoVerify"));
        Assert.Equal(workspace["new", "deep"], backup.BackupDirectory);
    }

    [Fact]
    public void A_link_is_followed_and_that_is_said()
    {
        using var workspace = new Workspace();
        File.CreateSymbolicLink(workspace["link.db"], workspace.Database);
        var result = workspace.Run("New-SHBackup link.db -NoVerify").WithoutErrors();
        Assert.Equal(workspace.Database, One(result).DatabasePath);
        var warning = Assert.Single(result.Warnings);
        Assert.Contains("link.db", warning, StringComparison.Ordinal);
        Assert.Contains(workspace.Database, warning, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_database_is_backed_up_with_Force_only_and_marked()
    {
        using var workspace = new Workspace();
        Workspace.Damage(workspace.Database);
        var refused = workspace.Run("New-SHBackup app.db");
        Assert.Equal("SourceCorrupt", Id(Assert.Single(refused.Errors)));
        Assert.Empty(workspace.Listed());

        var result = workspace.Run("New-SHBackup app.db -Force").WithoutErrors();
        Assert.Single(result.Warnings);
        var backup = One(result);
        Assert.True(backup.IsSourceCorrupt);
        Assert.False(backup.Verified);
        Assert.True(workspace.Run("Get-SHBackup").WithoutErrors().As<BackupMetadata>().Single().IsSourceCorrupt);
    }

    [Fact]
    public void A_rollback_journal_database_says_that_writers_wait()
    {
        using var workspace = new Workspace();
        Databases.Create(workspace["journal.db"], Small with { JournalMode = JournalMode.Delete });
        var result = workspace.Run("New-SHBackup journal.db -NoVerify -Verbose").WithoutErrors();
        Assert.Contains(result.Verbose, text => text.Contains("rollback-journal", StringComparison.Ordinal));
    }

    [Fact]
    public void Commits_that_are_in_the_log_only_are_in_the_backup()
    {
        using var workspace = new Workspace();
        var database = Databases.CreateWithLeftWal(workspace["wal.db"], Small);
        var expected = ImageHash.Of(database);
        Assert.Equal(expected, One(workspace.Run("New-SHBackup wal.db")).Checksum);
    }

    [Fact]
    public void A_backup_of_a_path_of_another_provider_is_refused()
    {
        using var workspace = new Workspace();
        var error = Assert.Single(workspace.Run("New-SHBackup -LiteralPath Env:PATH").Errors);
        Assert.Equal("InvalidArgument", Id(error));
        Assert.Contains("file system", error.Exception.Message, StringComparison.Ordinal);
    }

    private static BackupMetadata One(SessionResult result) => result.WithoutErrors().As<BackupMetadata>().Single();

    private static string Id(ErrorRecord record) => record.FullyQualifiedErrorId.Split(',')[0];
}
