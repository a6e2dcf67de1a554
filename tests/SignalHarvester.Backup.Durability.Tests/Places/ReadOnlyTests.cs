namespace SignalHarvester.Backup.Durability.Tests.Places;

public sealed class ReadOnlyTests
{
    private static readonly string[] Nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

    [Fact]
    public async Task A_directory_that_may_not_be_written_to_takes_no_backup_and_gives_all_it_has()
    {
        await RequireNobodyAsync();
        using var folder = new TempFolder();
        var source = Databases.Create(folder["app.db"], new DatabaseShape { JournalMode = JournalMode.Delete });
        var directory = folder.Folder("backups");
        var to = $"-BackupDirectory {Shbackup.Quote(directory)}";
        (await Shbackup.RunAsync($"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to} -NoVerify")).EnsureSuccess();
        foreach (var file in Directory.GetFiles(directory))
        {
            Permit("0444", file);
        }

        var open = folder.Folder("open");
        Permit("0777", open);
        var restored = Path.Combine(open, "restored.db");

        var run = await Shbackup.RunByAsync(Nobody, string.Join("; ",
            Shbackup.WithErrors($"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to}"),
            Shbackup.WithErrors(
                $"Get-SHBackup {to} | Test-SHBackup -WarningVariable said -WarningAction SilentlyContinue | ForEach-Object {{ \"tested $($_.Verified)\" }}; \"warned $($said.Count)\""),
            Shbackup.WithErrors(
                $"Get-SHBackup {to} | Restore-SHBackup -Destination {Shbackup.Quote(restored)} -Force -WarningAction SilentlyContinue | Out-Null"),
            Shbackup.WithErrors($"Get-SHBackup {to} | Remove-SHBackup -Force"),
            Shbackup.WithErrors($"Get-SHBackup {to} | ForEach-Object {{ \"listed $($_.Verified)\" }}")));

        var lines = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Collection(
            lines,
            line => Assert.StartsWith("ERROR DirectoryNotWritable,", line, StringComparison.Ordinal),
            line => Assert.Equal("tested True", line),
            line => Assert.Equal("warned 1", line),
            line => Assert.StartsWith("ERROR DirectoryNotWritable,", line, StringComparison.Ordinal),
            line => Assert.Equal("listed False", line));
        Assert.Equal(Sample.Content(source), Sample.Content(restored));
    }

    [Fact]
    public async Task A_database_that_may_not_be_read_is_refused_by_name()
    {
        await RequireNobodyAsync();
        using var folder = new TempFolder();
        var source = Databases.Create(folder["app.db"]);
        Permit("0600", source);
        var directory = folder.Folder("backups");
        Permit("0777", directory);

        var run = await Shbackup.RunByAsync(
            Nobody, Shbackup.WithErrors($"New-SHBackup -LiteralPath {Shbackup.Quote(source)} -BackupDirectory {Shbackup.Quote(directory)}"));

        Assert.StartsWith("ERROR SourceUnreadable,", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wal", null)]
    [InlineData("delete", null)]
    [InlineData("left wal", "SourceNeedsRecovery")]
    [InlineData("hot journal", "SourceNeedsRecovery")]
    public async Task A_database_on_read_only_media_is_backed_up_where_nothing_waits_in_its_log(string state, string? errorId)
    {
        using var folder = new TempFolder();
        var media = folder.Folder("media");
        using var mounted = new Mount(media, mebibytes: 16);
        var source = Path.Combine(media, "app.db");
        switch (state)
        {
            case "left wal":
                Databases.CreateWithLeftWal(source);
                break;
            case "hot journal":
                CreateWithHotJournal(source, folder["made.db"]);
                break;
            default:
                Databases.Create(source, new DatabaseShape { JournalMode = state == "wal" ? JournalMode.Wal : JournalMode.Delete });
                break;
        }

        mounted.MakeReadOnly();
        var to = $"-BackupDirectory {Shbackup.Quote(folder.Folder("backups"))}";
        using var host = Shbackup.Start();
        var backUp = $"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to} | ForEach-Object Checksum";
        if (errorId is null)
        {
            Assert.Equal(ImageHash.Of(source), Assert.Single(await host.AskAsync(backUp)));
        }
        else
        {
            await host.AskForErrorAsync(errorId, backUp);
            Assert.Empty(Directory.GetFiles(folder["backups"]));
        }
    }

    private static void Permit(string mode, string path) => Tool.Require("chmod").Run(mode, path).EnsureSuccess();

    private static void CreateWithHotJournal(string path, string made)
    {
        Databases.Create(made, new DatabaseShape { JournalMode = JournalMode.Delete });
        using var connection = Databases.Open(made);
        Databases.Execute(connection, "PRAGMA cache_size = 2; BEGIN; UPDATE customer SET name = name || '!'");
        File.Copy(made, path);
        File.Copy(made + "-journal", path + "-journal");
    }

    private static async Task RequireNobodyAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "needs root, to become somebody else");
        Assert.SkipWhen(Tool.SkipReason("setpriv") is not null, Tool.SkipReason("setpriv") ?? "");
        var able = await Shbackup.RunByAsync(Nobody, "'able'");
        Assert.SkipUnless(able.Output.Trim() == "able", "another account cannot run the host here: " + able.Error);
    }
}
