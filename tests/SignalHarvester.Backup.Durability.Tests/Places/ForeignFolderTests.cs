namespace SignalHarvester.Backup.Durability.Tests.Places;

/// <summary>
/// Root works in folders to which another account may write. That account can replace every name there by anything, at any moment.
/// That must cost root nothing but this one operation.
/// </summary>
public sealed class ForeignFolderTests
{
    private const int MostRaces = 10;

    [Fact]
    public async Task A_work_folder_that_is_swapped_for_links_under_a_restore_gives_nothing_of_roots_away()
    {
        using var folder = new TempFolder();
        RequireRoot();
        var service = folder.Folder("service");
        var target = Path.Combine(service, "app.db");
        var secret = Secret(folder["secret"]);
        var directory = folder.Folder("backups");
        var source = Databases.Create(folder["app.db"]);
        using var host = Shbackup.Start();
        var to = $"-BackupDirectory {Shbackup.Quote(directory)}";
        var id = (await host.AskAsync($"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to} | ForEach-Object Id")).Single();

        var swapped = false;
        for (var race = 0; race < MostRaces && !swapped; race++)
        {
            Directory.Delete(service, recursive: true);
            Directory.CreateDirectory(service);
            // Copying the dead database's files takes a moment, in which the swap happens.
            File.WriteAllBytes(target, new byte[64 << 20]);
            Own(service, target);
            var restored = host.SendAsync(
                $"Restore-SHBackup {id} {to} -Destination {Shbackup.Quote(target)} -Force -WarningAction SilentlyContinue | ForEach-Object Id");
            swapped = Swap(service, secret, restored);
            var answer = await restored;

            Assert.Equal(["0 600", "root's secret"], [Owner(secret), File.ReadAllText(secret)]);
            Assert.Equal([id], answer);
            Assert.Equal(Sample.Content(source), Sample.Content(target));
        }

        Assert.True(swapped, "the folder was never swapped in time");
    }

    [Theory]
    [InlineData("app.db", "")]
    [InlineData("data/app.db", "data")]
    public async Task A_link_that_another_account_made_to_what_is_not_its_own_is_not_followed_for_writing(string name, string link)
    {
        using var folder = new TempFolder();
        RequireRoot();
        var service = folder.Folder("service");
        var roots = folder.Folder("root");
        var precious = Databases.Create(Path.Combine(roots, "app.db"), new DatabaseShape { Rows = 7 });
        var before = Sample.Content(precious);
        var linked = Path.Combine(service, link.Length == 0 ? name : link);
        File.CreateSymbolicLink(linked, link.Length == 0 ? precious : roots);
        Own(linked);
        var source = Databases.Create(folder["source.db"], new DatabaseShape { Rows = 9 });
        var to = $"-BackupDirectory {Shbackup.Quote(folder["backups"])}";
        using var host = Shbackup.Start();
        var id = (await host.AskAsync($"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to} | ForEach-Object Id")).Single();
        var destination = Shbackup.Quote(Path.Combine(service, name));

        var error = await host.AskForErrorAsync("DestinationInvalid", $"Restore-SHBackup {id} {to} -Destination {destination} -Force");
        await host.AskForErrorAsync("DestinationInvalid", $"Restore-SHBackup {id} {to} -Table customer -Into {destination} -Force");

        Assert.Contains(linked, error, StringComparison.Ordinal);
        Assert.Equal(before, Sample.Content(precious));
        Tool.Require("chown").Run("-h", "root", linked).EnsureSuccess();
        Assert.Equal(
            [id], await host.AskAsync($"Restore-SHBackup {id} {to} -Destination {destination} -Force -WarningAction SilentlyContinue | ForEach-Object Id"));
        Assert.Equal(Sample.Content(source), Sample.Content(precious));
    }

    [Fact]
    public async Task A_mode_that_another_account_gave_a_file_of_ours_makes_no_set_user_id_file_of_roots()
    {
        using var folder = new TempFolder();
        RequireRoot();
        var directory = folder["backups"];
        var source = Databases.Create(folder["app.db"]);
        var to = $"-BackupDirectory {Shbackup.Quote(directory)}";
        using var host = Shbackup.Start();
        var id = (await host.AskAsync($"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to} -NoVerify | ForEach-Object Id")).Single();
        var sidecar = Path.Combine(directory, id + ".json");
        Own(directory);
        Tool.Require("chmod").Run("6777", sidecar).EnsureSuccess();

        await host.AskAsync($"Test-SHBackup {id} {to} | Out-Null");

        Assert.Equal("0 664", Owner(sidecar));
    }

    [Theory]
    [InlineData("-wal")]
    [InlineData("-journal")]
    [InlineData("-shm")]
    public async Task A_file_of_roots_under_the_name_of_a_log_is_not_given_to_the_owner_of_the_database(string suffix)
    {
        using var folder = new TempFolder();
        RequireRoot();
        var service = folder.Folder("service");
        var database = Databases.Create(
            Path.Combine(service, "app.db"), new DatabaseShape { JournalMode = suffix == "-journal" ? JournalMode.Delete : JournalMode.Wal });
        Own(service);
        var secret = Secret(database + suffix);
        using var host = Shbackup.Start();

        await host.SendAsync($"New-SHBackup -LiteralPath {Shbackup.Quote(database)} -BackupDirectory {Shbackup.Quote(folder["backups"])} | Out-Null");

        Assert.True(!File.Exists(secret) || Owner(secret) == "0 600");
    }

    [Fact]
    public async Task A_journal_that_names_a_file_of_roots_as_its_super_journal_does_not_have_it_deleted()
    {
        using var folder = new TempFolder(plain: true);
        RequireRoot();
        var secret = Secret(folder["secret"]);
        var service = folder.Folder("service");
        var database = Databases.Create(Path.Combine(service, "app.db"), new DatabaseShape { JournalMode = JournalMode.Delete });
        File.WriteAllBytes(database + "-journal", HotJournal(secret));
        Own(service);
        using var host = Shbackup.Start();

        await host.SendAsync($"New-SHBackup -LiteralPath {Shbackup.Quote(database)} -BackupDirectory {Shbackup.Quote(folder["backups"])} | Out-Null");

        Assert.Equal("root's secret", File.ReadAllText(secret));
    }

    [Theory]
    [InlineData("Export-SHBackupMetric {0} -Path {1}/place", "DestinationInvalid")]
    [InlineData("Get-SHBackup {0} | Send-SHBackup -Provider Directory -Container {1} -Prefix place", "CloudRefused")]
    public async Task What_leaves_the_backup_directory_goes_through_no_link_of_another_account(string command, string errorId)
    {
        using var folder = new TempFolder(plain: true);
        RequireRoot();
        var service = folder.Folder("service");
        var secrets = folder.Folder("secrets");
        var secret = Secret(Path.Combine(secrets, "secret"));
        File.CreateSymbolicLink(Path.Combine(service, "place"), errorId == "CloudRefused" ? secrets : secret);
        Own(service);
        var source = Databases.Create(folder["app.db"]);
        var to = "-BackupDirectory " + folder["backups"];
        using var host = Shbackup.Start();
        await host.AskAsync($"New-SHBackup {source} {to} | Out-Null");

        await host.AskForErrorAsync(errorId, string.Format(System.Globalization.CultureInfo.InvariantCulture, command, to, service));

        Assert.Equal([secret], Directory.GetFileSystemEntries(secrets));
        Assert.Equal("root's secret", File.ReadAllText(secret));
    }

    [Fact]
    public async Task A_folder_of_roots_that_others_may_write_to_is_no_left_over_whatever_it_is_called()
    {
        using var folder = new TempFolder(plain: true);
        RequireRoot();
        var temporary = folder.Folder("tmp");
        var archive = Directory.CreateDirectory(Path.Combine(temporary, "shbackup-0123456789abcdef0123456789abcdef")).FullName;
        File.WriteAllText(Path.Combine(archive, ".lock"), "");
        File.WriteAllText(Path.Combine(archive, "precious"), "precious");
        Tool.Require("chmod").Run("1770", archive).EnsureSuccess();
        var source = Databases.Create(folder["app.db"]);

        (await Shbackup.RunByAsync(["env", "TMPDIR=" + temporary], $"New-SHBackup {source} -BackupDirectory {folder["backups"]}")).EnsureSuccess();

        Assert.True(File.Exists(Path.Combine(archive, "precious")));
    }

    [Fact]
    public async Task What_another_account_left_under_our_names_in_the_temporary_folder_is_neither_cleared_nor_waited_for()
    {
        using var folder = new TempFolder(plain: true);
        RequireRoot();
        var temporary = folder.Folder("tmp");
        var victim = folder.Folder("victim");
        File.WriteAllText(Path.Combine(victim, "precious"), "precious");
        var planted = Directory.CreateDirectory(Path.Combine(temporary, "shbackup-0123456789abcdef0123456789abcdef")).FullName;
        File.CreateSymbolicLink(Path.Combine(planted, "inner"), victim);
        File.WriteAllText(Path.Combine(planted, "kept"), "theirs");
        Tool.Require("mkfifo").Run("-m", "666", Path.Combine(planted, ".lock")).EnsureSuccess();
        Own(planted);
        var source = Databases.Create(folder["app.db"]);

        var made = await Shbackup.RunByAsync(
            ["env", "TMPDIR=" + temporary], $"New-SHBackup {source} -BackupDirectory {folder["backups"]} -ErrorAction Stop | ForEach-Object Verified");

        Assert.Equal("True", made.EnsureSuccess().Output.Trim());
        Assert.Equal("precious", File.ReadAllText(Path.Combine(victim, "precious")));
        Assert.Equal("theirs", File.ReadAllText(Path.Combine(planted, "kept")));
    }

    [Fact]
    public async Task What_a_killed_run_of_the_same_account_left_is_cleared_and_links_in_it_are_not_followed()
    {
        using var folder = new TempFolder(plain: true);
        var temporary = folder.Folder("tmp");
        var victim = folder.Folder("victim");
        File.WriteAllText(Path.Combine(victim, "precious"), "precious");
        var left = Directory.CreateDirectory(Path.Combine(temporary, "shbackup-0123456789abcdef0123456789abcdef")).FullName;
        Directory.CreateDirectory(Path.Combine(left, "inner", "deeper"));
        File.WriteAllText(Path.Combine(left, "inner", "deeper", "image.db"), "plain content");
        Assert.SkipWhen(OperatingSystem.IsWindows(), "making links takes rights there");
        File.CreateSymbolicLink(Path.Combine(left, "inner", "link"), victim);
        File.CreateSymbolicLink(Path.Combine(left, "link"), victim);
        File.WriteAllText(Path.Combine(left, ".lock"), "");
        Tool.Require("chmod").Run("700", left).EnsureSuccess();
        var source = Databases.Create(folder["app.db"]);

        (await Shbackup.RunByAsync(["env", "TMPDIR=" + temporary], $"New-SHBackup {source} -BackupDirectory {folder["backups"]}")).EnsureSuccess();

        Assert.Empty(Directory.EnumerateFileSystemEntries(temporary));
        Assert.Equal("precious", File.ReadAllText(Path.Combine(victim, "precious")));
    }

    private static void RequireRoot() => Assert.SkipUnless(
        OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "needs root, who works in another account's folder");

    private static string Secret(string path)
    {
        File.WriteAllText(path, "root's secret");
        Tool.Require("chmod").Run("600", path).EnsureSuccess();
        return path;
    }

    /// <summary>
    /// Makes a rollback journal of one page that names a super-journal (https://sqlite.org/fileformat.html, 3; pager.c,
    /// readSuperJournal).
    /// </summary>
    private static byte[] HotJournal(string superJournal)
    {
        var magic = Convert.FromHexString("D9D505F920A163D7");
        var name = System.Text.Encoding.UTF8.GetBytes(superJournal);
        var journal = new List<byte>();
        void Add(params uint[] numbers) =>
            journal.AddRange(numbers.SelectMany(number => BitConverter.GetBytes(System.Net.IPAddress.HostToNetworkOrder((int)number))));
        journal.AddRange(magic);
        Add(0, 1, 2, 512, 4096);
        journal.AddRange(new byte[512 - journal.Count]);
        Add((0x40000000 / 4096) + 1);
        journal.AddRange(name);
        Add((uint)name.Length, (uint)name.Sum(letter => letter));
        journal.AddRange(magic);
        return [.. journal];
    }

    private static string Owner(string path) => Tool.Require("stat").Run("-c", "%u %a", path).EnsureSuccess().Output.Trim();

    private static void Own(params string[] paths) => Tool.Require("chown").Run(["-R", "-h", "nobody", .. paths]).EnsureSuccess();

    /// <summary>Replaces root's work folder, as soon as it is filled, by another one, full of links.</summary>
    /// <returns>Whether that was in time, before the dead file got its other name.</returns>
    private static bool Swap(string service, string secret, Task restored)
    {
        while (!restored.IsCompleted)
        {
            if (Directory.EnumerateDirectories(service, "shbackup-*").FirstOrDefault() is { } work && File.Exists(Path.Combine(work, "damaged")))
            {
                Directory.Move(work, Path.Combine(service, "moved"));
                Directory.CreateDirectory(work);
                File.CreateSymbolicLink(Path.Combine(work, "image.db"), secret);
                File.CreateSymbolicLink(Path.Combine(work, "damaged"), secret);
                var inTime = !Directory.EnumerateFiles(service, "app.db.damaged-*").Any();
                Own(work);
                return inTime;
            }
        }

        return false;
    }
}
