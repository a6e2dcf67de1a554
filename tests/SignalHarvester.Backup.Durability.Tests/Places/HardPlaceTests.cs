namespace SignalHarvester.Backup.Durability.Tests.Places;

/// <summary>Places and states in which an operation cannot do everything: it does what it can, or reports the obstacle and the way around it.</summary>
public sealed class HardPlaceTests
{
    [Fact]
    public async Task A_closed_WAL_database_on_a_full_disk_is_backed_up_elsewhere()
    {
        using var folder = new TempFolder();
        var disk = folder.Folder("disk");
        using var mounted = new Mount(disk, mebibytes: 1);
        var source = Databases.Create(Path.Combine(disk, "app.db"), new DatabaseShape { JournalMode = JournalMode.Wal, Rows = 20 });
        Fill(disk);
        using var host = Shbackup.Start();

        Assert.Equal(["Full"], await host.AskAsync(
            $"New-SHBackup -LiteralPath {Shbackup.Quote(source)} -BackupDirectory {Shbackup.Quote(folder["backups"])} | ForEach-Object VerificationLevel"));
    }

    [Fact]
    public async Task A_full_disk_that_keeps_SQLite_from_reading_a_left_log_is_named()
    {
        using var folder = new TempFolder();
        var disk = folder.Folder("disk");
        using var mounted = new Mount(disk, mebibytes: 2);
        var source = Path.Combine(disk, "app.db");
        var made = Databases.CreateWithLeftWal(folder["app.db"], new DatabaseShape { Rows = 20 });
        File.Copy(made, source);
        File.Copy(made + "-wal", source + "-wal");
        Fill(disk);
        using var host = Shbackup.Start();

        var error = await host.AskForErrorAsync(
            "InsufficientSpace", $"New-SHBackup -LiteralPath {Shbackup.Quote(source)} -BackupDirectory {Shbackup.Quote(folder["backups"])}");

        Assert.Contains("is full", error, StringComparison.Ordinal);
        Assert.Contains(source, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Temporary_folders_without_room_are_all_named()
    {
        using var folder = new TempFolder(plain: true);
        var disk = folder.Folder("disk");
        var temporary = folder.Folder("tmp");
        var source = Sample.Create(folder["app.db"], JournalMode.Wal, mebibytes: 8);
        var backups = folder["backups"];
        (await Shbackup.RunAsync($"New-SHBackup {source} -BackupDirectory {backups}")).EnsureSuccess();
        using var mounted = new Mount(disk, mebibytes: 9);
        using var small = new Mount(temporary, mebibytes: 1);
        Tool.Require("cp").Run("-a", backups, Path.Combine(disk, "backups")).EnsureSuccess();

        var tested = await Shbackup.RunByAsync(["env", "TMPDIR=" + temporary], $"Get-SHBackup -BackupDirectory {disk}/backups | Test-SHBackup -Level Full");

        Assert.NotEqual(0, tested.ExitCode);
        Assert.Contains($"'{disk}/backups/.shbackup/tmp'", tested.Error, StringComparison.Ordinal);
        Assert.Contains(temporary, tested.Error, StringComparison.Ordinal);
        Assert.Contains("TMPDIR", tested.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(JournalMode.Wal)]
    [InlineData(JournalMode.Delete)]
    public async Task An_application_that_never_lets_go_is_told_of(JournalMode mode)
    {
        using var folder = new TempFolder();
        var source = Databases.Create(folder["app.db"], new DatabaseShape { JournalMode = mode, Rows = 20 });
        using var application = Databases.Open(source);
        Databases.Execute(application, "PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE held(a)");
        using var host = Shbackup.Start();

        var error = await host.AskForErrorAsync(
            "SourceLocked", $"New-SHBackup -LiteralPath {Shbackup.Quote(source)} -BackupDirectory {Shbackup.Quote(folder["backups"])} -LockTimeout 0");

        Assert.Contains("locking_mode = EXCLUSIVE", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_with_a_backslash_in_its_name_is_backed_up_although_PowerShell_reads_a_slash()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "a backslash is the separator there");
        using var folder = new TempFolder();
        var source = Databases.Create(folder[@"a\b.db"]);
        using var host = Shbackup.Start();

        Assert.Equal([source], await host.AskAsync(
            $"New-SHBackup -LiteralPath {Shbackup.Quote(source)} -BackupDirectory {Shbackup.Quote(folder["backups"])} | ForEach-Object DatabasePath"));
    }

    [Fact]
    public async Task A_script_block_as_destination_gives_each_backup_its_own_file()
    {
        using var folder = new TempFolder();
        var source = Databases.Create(folder["app.db"]);
        var to = $"-BackupDirectory {Shbackup.Quote(folder["backups"])}";
        using var host = Shbackup.Start();
        var ids = await host.AskAsync($"1..2 | ForEach-Object {{ New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to} }} | ForEach-Object Id");

        await host.AskAsync($"Get-SHBackup {to} | Restore-SHBackup -Destination {{ \"{folder.Path}/$($_.Id).db\" }} -Force | Out-Null");

        Assert.All(ids, id => Assert.Equal(Sample.Content(source), Sample.Content(folder[id + ".db"])));
    }

    [Theory]
    [InlineData("-u", "HOME")]
    [InlineData("HOME=/nonexistent", "LANG=C")]
    public async Task An_account_without_a_home_backs_up_and_restores_and_is_told_why_encrypted_increments_are_full(params string[] environment)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "needs root, to be an account that nobody made");
        using var folder = new TempFolder(plain: true);
        var source = Databases.Create(folder["app.db"]);
        var recipient = Assert.Single(
            (await Shbackup.RunAsync($"(New-SHBackupKey {folder["restore.key"]}).Recipient")).EnsureSuccess().Output.Trim().Split('\n'));
        var service = folder.Folder("service");
        Tool.Require("chown").Run("-R", "54321:54321", folder.Path).EnsureSuccess();
        using var host = Shbackup.StartBy(["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups", "env", "-u", "XDG_DATA_HOME", "-u",
            "XDG_CONFIG_HOME", "-u", "XDG_STATE_HOME", .. environment]);
        var backup = $"New-SHBackup {source} -Type Incremental -WarningVariable said -BackupDirectory {service}/";

        Assert.Equal(
            ["Full", "Incremental"], await host.AskAsync($"1..2 | ForEach-Object {{ {backup}plain -WarningAction SilentlyContinue }} | ForEach-Object Type"));
        await host.AskAsync(
            $"Get-SHBackup -BackupDirectory {service}/plain | Select-Object -First 1 | Restore-SHBackup -Destination {service}/out.db -Force | Out-Null");
        await host.AskAsync($"{backup}encrypted -Recipient {recipient} | Out-Null");
        var said = string.Join(' ', await host.AskAsync($"{backup}encrypted -Recipient {recipient} | Out-Null; $said | ForEach-Object {{ \"$_\" }}"));

        Assert.Equal(Sample.Content(source), Sample.Content(Path.Combine(service, "out.db")));
        Assert.Contains("cannot be kept in", said, StringComparison.Ordinal);
        Assert.Contains("HOME", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_home_in_which_no_folder_can_be_made_is_one_sentence_and_no_stack_trace()
    {
        using var folder = new TempFolder(plain: true);
        var home = folder.Folder("home");
        using var mounted = new Mount(home, mebibytes: 1);
        Tool.Require("mount").Run("-o", "remount,nr_inodes=1", home).EnsureSuccess();

        var started = await Shbackup.RunByAsync(["env", "-u", "XDG_CACHE_HOME", "HOME=" + home], "1");

        Assert.Equal(1, started.ExitCode);
        Assert.Contains(home, Assert.Single(started.Error.Trim().Split('\n')), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", started.Error, StringComparison.Ordinal);
    }

    private static void Fill(string disk)
    {
        using FileStream fill = new(Path.Combine(disk, "fill"), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[1024];
        try
        {
            while (true)
            {
                fill.Write(block);
            }
        }
        catch (IOException)
        {
            // The disk is full, as intended.
        }
    }
}
