namespace SignalHarvester.Backup.Durability.Tests;

/// <summary>
/// Root works in folders that another account may write to. That account can put whatever it likes in the place of every
/// name there, at any moment; none of it may cost root anything but this one operation.
/// </summary>
public sealed class ForeignFolderTests
{
    private const int MostRaces = 10;

    [Fact]
    public async Task A_work_folder_that_is_swapped_for_links_under_a_restore_gives_nothing_of_roots_away()
    {
        using var folder = new TempFolder();
        RequireRoot();
        string service = folder.Folder("service");
        string target = Path.Combine(service, "app.db");
        string secret = Secret(folder["secret"]);
        string directory = folder.Folder("backups");
        string source = Databases.Create(folder["app.db"]);
        using var host = Shbackup.Start();
        string to = $"-BackupDirectory {Shbackup.Quote(directory)}";
        string id = (await host.AskAsync($"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to} | ForEach-Object Id")).Single();

        bool swapped = false;
        for (int race = 0; race < MostRaces && !swapped; race++)
        {
            Directory.Delete(service, recursive: true);
            Directory.CreateDirectory(service);
            // What is kept of a dead database takes a moment to copy, in which the swap happens.
            File.WriteAllBytes(target, new byte[64 << 20]);
            Own(service, target);
            Task<IReadOnlyList<string>> restored = host.SendAsync(
                $"Restore-SHBackup {id} {to} -Destination {Shbackup.Quote(target)} -Force -WarningAction SilentlyContinue | ForEach-Object Id");
            swapped = Swap(service, secret, restored);
            IReadOnlyList<string> answer = await restored;

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
        string service = folder.Folder("service");
        string roots = folder.Folder("root");
        string precious = Databases.Create(Path.Combine(roots, "app.db"), new DatabaseShape { Rows = 7 });
        string before = Sample.Content(precious);
        string linked = Path.Combine(service, link.Length == 0 ? name : link);
        File.CreateSymbolicLink(linked, link.Length == 0 ? precious : roots);
        Own(linked);
        string source = Databases.Create(folder["source.db"], new DatabaseShape { Rows = 9 });
        string to = $"-BackupDirectory {Shbackup.Quote(folder["backups"])}";
        using var host = Shbackup.Start();
        string id = (await host.AskAsync($"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to} | ForEach-Object Id")).Single();
        string destination = Shbackup.Quote(Path.Combine(service, name));

        string error = await host.AskForErrorAsync("DestinationInvalid", $"Restore-SHBackup {id} {to} -Destination {destination} -Force");
        await host.AskForErrorAsync("DestinationInvalid", $"Restore-SHBackup {id} {to} -Table customer -Into {destination} -Force");

        Assert.Contains(linked, error, StringComparison.Ordinal);
        Assert.Equal(before, Sample.Content(precious));
        Tool.Require("chown").Run("-h", "root", linked).EnsureSuccess();
        Assert.Equal([id], await host.AskAsync($"Restore-SHBackup {id} {to} -Destination {destination} -Force -WarningAction SilentlyContinue | ForEach-Object Id"));
        Assert.Equal(Sample.Content(source), Sample.Content(precious));
    }

    [Fact]
    public async Task What_another_account_left_under_our_names_in_the_temporary_folder_is_neither_cleared_nor_waited_for()
    {
        using var folder = new TempFolder(plain: true);
        RequireRoot();
        string temporary = folder.Folder("tmp");
        string victim = folder.Folder("victim");
        File.WriteAllText(Path.Combine(victim, "precious"), "precious");
        string planted = Directory.CreateDirectory(Path.Combine(temporary, "shbackup-0123456789abcdef0123456789abcdef")).FullName;
        File.CreateSymbolicLink(Path.Combine(planted, "inner"), victim);
        File.WriteAllText(Path.Combine(planted, "kept"), "theirs");
        Tool.Require("mkfifo").Run("-m", "666", Path.Combine(planted, ".lock")).EnsureSuccess();
        Own(planted);
        string source = Databases.Create(folder["app.db"]);

        ToolResult made = await Shbackup.RunByAsync(
            ["env", "TMPDIR=" + temporary], $"New-SHBackup {source} -BackupDirectory {folder["backups"]} -ErrorAction Stop | ForEach-Object Verified");

        Assert.Equal("True", made.EnsureSuccess().Output.Trim());
        Assert.Equal("precious", File.ReadAllText(Path.Combine(victim, "precious")));
        Assert.Equal("theirs", File.ReadAllText(Path.Combine(planted, "kept")));
    }

    [Fact]
    public async Task What_a_killed_run_of_the_same_account_left_is_cleared_and_links_in_it_are_not_followed()
    {
        using var folder = new TempFolder(plain: true);
        string temporary = folder.Folder("tmp");
        string victim = folder.Folder("victim");
        File.WriteAllText(Path.Combine(victim, "precious"), "precious");
        string left = Directory.CreateDirectory(Path.Combine(temporary, "shbackup-0123456789abcdef0123456789abcdef")).FullName;
        Directory.CreateDirectory(Path.Combine(left, "inner", "deeper"));
        File.WriteAllText(Path.Combine(left, "inner", "deeper", "image.db"), "plain content");
        Assert.SkipWhen(OperatingSystem.IsWindows(), "making links takes rights there");
        File.CreateSymbolicLink(Path.Combine(left, "inner", "link"), victim);
        File.CreateSymbolicLink(Path.Combine(left, "link"), victim);
        File.WriteAllText(Path.Combine(left, ".lock"), "");
        string source = Databases.Create(folder["app.db"]);

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

    private static string Owner(string path) => Tool.Require("stat").Run("-c", "%u %a", path).EnsureSuccess().Output.Trim();

    private static void Own(params string[] paths) => Tool.Require("chown").Run(["-R", "-h", "nobody", .. paths]).EnsureSuccess();

    /// <summary>What the account does as soon as root's work folder is filled: another one in its place, full of links.</summary>
    /// <returns>Whether that was in time: before the dead file had got its other name.</returns>
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
                bool inTime = !Directory.EnumerateFiles(service, "app.db.damaged-*").Any();
                Own(work);
                return inTime;
            }
        }

        return false;
    }
}
