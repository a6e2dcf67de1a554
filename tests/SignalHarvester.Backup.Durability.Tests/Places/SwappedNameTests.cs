namespace SignalHarvester.Backup.Durability.Tests.Places;

/// <summary>
/// Root writes in folders of another account, which replaces names by links between any two of root's calls. A path is resolved only
/// once, and everything afterwards uses what is open.
/// </summary>
public sealed class SwappedNameTests
{
    private const string Looks = "openat,readlink,readlinkat,/^rename";

    [Fact]
    public async Task A_unit_that_is_swapped_for_a_link_as_soon_as_it_has_its_name_opens_no_file_of_roots()
    {
        using var folder = new TempFolder(plain: true);
        var secret = Secret(folder);
        using var host = StartInHome(folder, out var home);
        await WarmUpAsync(host);
        var unit = Path.Combine(home, ".config/systemd/user/shbackup-nightly.service");
        var swapped = false;

        using (await StoppedAfterCalls.AttachAsync(host, "/^rename", _ => swapped |= TrySwap(unit, secret)))
        {
            await host.SendAsync(Register(folder));
        }

        Assert.True(swapped);
        Assert.Equal(["0 600", "root's secret"], [Access(secret), File.ReadAllText(secret)]);
    }

    [Fact]
    public async Task A_history_that_is_swapped_for_a_link_while_it_is_made_changes_no_file_of_roots()
    {
        using var folder = new TempFolder(plain: true);
        var empty = Secret(folder);
        File.WriteAllText(empty, "");
        var state = folder.Folder("backups/.shbackup");
        var source = Databases.Create(folder["app.db"]);
        using var host = Shbackup.Start();
        await WarmUpAsync(host);
        await host.AskAsync($"New-SHBackup {source} -BackupDirectory {folder["warm"]} | Out-Null");
        Own(folder["backups"]);
        var swaps = 0;

        using (await StoppedAfterCalls.AttachAsync(host, "openat", _ => swaps += Directory.GetFiles(state, "history.db*").Count(file => TrySwap(file, empty))))
        {
            await host.SendAsync($"New-SHBackup {source} -BackupDirectory {folder["backups"]} -WarningAction SilentlyContinue | Out-Null");
        }

        Assert.NotEqual(0, swaps);
        Assert.Equal("", File.ReadAllText(empty));
    }

    [Theory]
    [InlineData("Export-SHBackupMetric {0} -Path {1}/place/target")]
    [InlineData("Get-SHBackupHealth {0} -AsHtml -Path {1}/place/target")]
    [InlineData("New-SHBackupConfiguration -Path {1}/place/target -Force")]
    [InlineData("New-SHBackupKey {1}/place/new.key")]
    public async Task A_folder_that_is_swapped_for_a_link_while_it_is_written_to_leads_to_no_folder_of_roots(string command)
    {
        using var folder = new TempFolder(plain: true);
        var secret = Secret(folder);
        var service = folder.Folder("service");
        var place = Path.Combine(service, "place");
        Directory.CreateDirectory(place);
        using var host = await StartWithBackupAsync(folder);
        var text = string.Format(System.Globalization.CultureInfo.InvariantCulture, command, "-BackupDirectory " + folder["backups"], service);
        Own(service);

        await SwapAfterEachLookAsync(host, text, place, secret, Path.GetDirectoryName(secret)!);
    }

    [Theory]
    [InlineData("Get-SHBackupHealth {0} -AsHtml -Path {1}/place/target")]
    [InlineData("New-SHBackupConfiguration -Path {1}/place/target -Force")]
    [InlineData("New-SHBackupKey {1}/place/new.key")]
    public async Task A_folder_that_is_a_link_of_another_account_to_what_is_not_its_own_is_not_written_to(string command)
    {
        using var folder = new TempFolder(plain: true);
        var secret = Secret(folder);
        var service = folder.Folder("service");
        File.CreateSymbolicLink(Path.Combine(service, "place"), Path.GetDirectoryName(secret)!);
        Own(service);
        using var host = await StartWithBackupAsync(folder);

        var error = await host.AskForErrorAsync(
            "DestinationInvalid", string.Format(System.Globalization.CultureInfo.InvariantCulture, command, "-BackupDirectory " + folder["backups"], service));

        Assert.Contains(Path.Combine(service, "place"), error, StringComparison.Ordinal);
        Assert.Equal([secret], Directory.GetFileSystemEntries(Path.GetDirectoryName(secret)!));
        Assert.Equal("root's secret", File.ReadAllText(secret));
    }

    [Theory]
    [InlineData(".config/shbackup/schedules")]
    [InlineData(".config/systemd/user")]
    [InlineData(".local/state/shbackup/schedules")]
    [InlineData(".local/state/shbackup/schedules/lock")]
    [InlineData(".local/state/shbackup/schedules/shbackup-nightly.lock")]
    [InlineData(".local/state/shbackup/schedules/shbackup-nightly.state.json")]
    [InlineData(".config/shbackup/schedules/shbackup-nightly.json")]
    [InlineData(".config/shbackup/schedules/shbackup-nightly.json.partial")]
    public async Task A_link_in_a_home_where_schedules_are_kept_makes_nothing_where_it_leads(string place)
    {
        using var folder = new TempFolder(plain: true);
        var roots = Path.GetDirectoryName(Secret(folder))!;
        File.Delete(Path.Combine(roots, "target"));
        using var host = StartInHome(folder, out var home);
        await host.AskAsync(Register(folder));
        var link = Path.Combine(home, place);
        var isFolder = Directory.Exists(link);
        Tool.Require("rm").Run("-rf", link).EnsureSuccess();
        File.CreateSymbolicLink(link, isFolder ? roots : Path.Combine(roots, "made"));
        Own(home);

        foreach (var command in (string[])[Register(folder) + " -Description Other", "Invoke-SHBackupSchedule -Name nightly", "Get-SHBackupSchedule",
            "Unregister-SHBackupSchedule -Name nightly -Confirm:$false"])
        {
            await host.SendAsync(command + " -WarningAction SilentlyContinue | Out-Null");
        }

        Assert.Empty(Directory.GetFileSystemEntries(roots));
    }

    [Theory]
    [InlineData(".local/state/shbackup/schedules/lock")]
    [InlineData(".local/state/shbackup/schedules/shbackup-nightly.lock")]
    [InlineData(".local/state/shbackup/schedules/shbackup-nightly.state.json")]
    [InlineData(".config/shbackup/schedules/shbackup-nightly.json")]
    [InlineData(".config/shbackup/schedules/shbackup-other.json")]
    [InlineData(".config/systemd/user/shbackup-nightly.service")]
    [InlineData(".config/systemd/user/shbackup-nightly.timer")]
    public async Task A_named_pipe_where_schedules_are_kept_keeps_no_command_waiting(string place)
    {
        using var folder = new TempFolder(plain: true);
        Secret(folder);
        using var host = StartInHome(folder, out var home);
        await host.AskAsync(Register(folder));
        var pipe = Path.Combine(home, place);
        File.Delete(pipe);
        Tool.Require("mkfifo").Run("-m", "666", pipe).EnsureSuccess();

        foreach (var command in (string[])["Get-SHBackupSchedule", "Invoke-SHBackupSchedule -Name nightly", Register(folder) + " -Description Other",
            "Unregister-SHBackupSchedule -Name nightly -Confirm:$false"])
        {
            var answer = await host.SendAsync(command + " -WarningAction SilentlyContinue | Out-Null");

            Assert.All(answer, line => Assert.StartsWith("ERROR", line, StringComparison.Ordinal));
            Assert.DoesNotContain(answer, line => line.Contains("Exception", StringComparison.Ordinal));
        }
    }

    /// <summary>Makes a file of root's in a folder of root's, which nothing here may change.</summary>
    private static string Secret(TempFolder folder)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "needs root, who works in another account's folder");
        var secret = Path.Combine(folder.Folder("root"), "target");
        File.WriteAllText(secret, "root's secret");
        Tool.Require("chmod").Run("600", secret).EnsureSuccess();
        return secret;
    }

    /// <summary>Starts a process of root's with the home of a service account, as after sudo, and a systemd that says yes.</summary>
    private static Shbackup StartInHome(TempFolder folder, out string home)
    {
        home = folder.Folder("home");
        var tools = folder.Folder("tools");
        var systemctl = Path.Combine(tools, "systemctl");
        File.WriteAllText(systemctl, "#!/bin/sh\nexit 0\n");
        Tool.Require("chmod").Run("755", systemctl).EnsureSuccess();
        Databases.Create(folder["app.db"]);
        Directory.CreateDirectory(Path.Combine(home, ".config/systemd/user"));
        Own(home);
        return Shbackup.StartBy(
            ["env", "-u", "XDG_CONFIG_HOME", "-u", "XDG_STATE_HOME", "HOME=" + home, $"PATH={tools}:{Environment.GetEnvironmentVariable("PATH")}"]);
    }

    private static async Task<Shbackup> StartWithBackupAsync(TempFolder folder)
    {
        var source = Databases.Create(folder["app.db"]);
        var host = Shbackup.Start();
        await host.AskAsync($"New-SHBackup {source} -BackupDirectory {folder["backups"]} | Out-Null");
        return host;
    }

    private static Task<IReadOnlyList<string>> WarmUpAsync(Shbackup host) => host.SendAsync("Get-SHBackupSchedule | Out-Null");

    private static string Register(TempFolder folder) =>
        $"Register-SHBackupSchedule -Name nightly -Database {folder["app.db"]} -BackupDirectory {folder["backups"]} -Daily -At 02:00 -Backend Systemd -Confirm:$false -WarningAction SilentlyContinue";

    private static string Access(string path) => Tool.Require("stat").Run("-c", "%u %a", path).EnsureSuccess().Output.Trim();

    private static void Own(string path) => Tool.Require("chown").Run("-R", "-h", "nobody", path).EnsureSuccess();

    /// <summary>Replaces a file by a link.</summary>
    private static bool TrySwap(string file, string target)
    {
        if (!File.Exists(file) || new FileInfo(file).LinkTarget is not null)
        {
            return false;
        }

        File.Delete(file);
        Link(file, target);
        return true;
    }

    /// <summary>
    /// Repeats a command, with a link put in place of a name after the first of root's calls that concern it, then after the second, and
    /// so on until there are no more.
    /// </summary>
    private static async Task SwapAfterEachLookAsync(Shbackup host, string command, string place, string secret, string target)
    {
        var aside = place + ".aside";
        var unseen = 0;
        for (var number = 1; ; number++)
        {
            var calls = 0;
            void Swap(string call)
            {
                if (call.Contains(Path.GetFileName(place), StringComparison.Ordinal) && ++calls == number)
                {
                    Directory.Move(place, aside);
                    Link(place, target);
                }
            }

            using (await StoppedAfterCalls.AttachAsync(host, Looks, Swap))
            {
                await host.SendAsync(command + " | Out-Null");
            }

            Assert.Equal([secret], Directory.GetFileSystemEntries(Path.GetDirectoryName(secret)!));
            Assert.Equal(["0 600", "root's secret"], [Access(secret), File.ReadAllText(secret)]);
            if (Path.Exists(aside))
            {
                Tool.Require("rm").Run("-rf", place).EnsureSuccess();
                Directory.Move(aside, place);
            }
            else if (number > 1)
            {
                return;
            }
            else
            {
                // A process that continues forgets every stop that was reported meanwhile: the one call of a thread can be lost because of a call
                // of another.
                Assert.True(++unseen < 10, "No call concerned the place.");
                number--;
            }

            // A key would not replace an existing file, and not look at it twice.
            Tool.Require("rm").Run("-f", Path.Combine(place, "new.key"));
        }
    }

    private static void Link(string path, string target)
    {
        File.CreateSymbolicLink(path, target);
        Tool.Require("chown").Run("-h", "nobody", path).EnsureSuccess();
    }
}
