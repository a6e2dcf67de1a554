using System.Text;
using System.Xml.Linq;
using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>The calls of the cmdlets to systemctl, launchctl and schtasks, which stand-ins write down.</summary>
public sealed class ScheduleToolTests
{
    private const string Script = """
        function Show { "$($args[0].Status) $($args[0].Backend)" }
        Show (Register-SHBackupSchedule -Name "it's nightly" -Daily -At 02:00 -DatabasePath ./app.db -BackupDirectory ./backups -RandomDelay 5m BACKEND)
        Show (Register-SHBackupSchedule -Name "it's nightly" -Daily -At 02:00 -DatabasePath ./app.db -BackupDirectory ./backups -RandomDelay 5m BACKEND)
        Show (Register-SHBackupSchedule -Name "it's nightly" -Daily -At 03:00 -DatabasePath ./app.db -BackupDirectory ./backups -RandomDelay 5m BACKEND)
        """;

    // Only the account's, because CronTests have one of the machine meanwhile.
    private const string Remove = "Unregister-SHBackupSchedule * -Scope User -Force; @(Get-SHBackupSchedule -Scope User).Count";

    [Fact]
    public void Schtasks_is_given_the_task_in_a_file_that_does_not_stay()
    {
        using var host = new ScheduleHost();
        host.Install("schtasks", FakeSchedulers.Schtasks);
        var result = host.Run(Script.Replace("BACKEND", "-Backend TaskScheduler", StringComparison.Ordinal)).EnsureSuccess();
        Assert.Equal(["Registered TaskScheduler", "Registered TaskScheduler", "Registered TaskScheduler"], Lines(result.Output));
        Assert.Equal(2, host.Calls.Count);
        Assert.All(
            host.Calls,
            call => Assert.Matches(@"^schtasks /Create /TN \\SignalHarvester.Backup\\it_27s_20nightly /XML \S.*shbackup-it_27s_20nightly.xml /F$", call));

        var bytes = File.ReadAllBytes(Directory.GetFiles(host["bin"], "task-*.xml").Single());
        Assert.Equal(Encoding.Unicode.GetPreamble(), bytes[..2]);
        var task = XDocument.Parse(Encoding.Unicode.GetString(bytes[2..]));
        Assert.EndsWith("T03:00:00Z", task.Descendants(task.Root!.Name.Namespace + "StartBoundary").Single().Value, StringComparison.Ordinal);
        Assert.Contains("Invoke-SHBackupSchedule -Name", task.Descendants(task.Root.Name.Namespace + "Arguments").Single().Value, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(host["state"], "*.xml", SearchOption.AllDirectories));

        Assert.Equal("0", Lines(host.Run(Remove).EnsureSuccess().Output).Single());
        Assert.Equal(@"schtasks /Delete /TN \SignalHarvester.Backup\it_27s_20nightly /F", host.Calls[^1]);
        Assert.Empty(Directory.GetFiles(host["bin"], "task-*.xml"));
    }

    [Fact]
    public void Systemd_gets_two_units_of_the_account_and_loses_both()
    {
        using var host = new ScheduleHost();
        host.Install("systemctl", FakeSchedulers.Systemctl);
        var result = host.Run(Script.Replace("BACKEND", string.Empty, StringComparison.Ordinal)).EnsureSuccess();
        Assert.Equal(["Registered Systemd", "Registered Systemd", "Registered Systemd"], Lines(result.Output).Where(line => !IsWarning(line)));
        Assert.Contains(Lines(result.Output), line => IsWarning(line) && line.Contains("enable-linger", StringComparison.Ordinal));
        const string timer = "shbackup-it_27s_20nightly.timer";
        string[] once = ["systemctl --user daemon-reload", $"systemctl --user enable {timer}", $"systemctl --user restart {timer}"];
        Assert.Equal([.. once, .. once], host.Calls);
        var units = host["config", "systemd", "user"];
        Assert.Contains("OnCalendar=*-*-* 03:00:00 UTC\nPersistent=true\n", File.ReadAllText(Path.Combine(units, timer)), StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetFiles(units).Length);

        Assert.Equal("0", Lines(host.Run(Remove).EnsureSuccess().Output).Single());
        Assert.Equal([$"systemctl --user disable --now {timer}", "systemctl --user daemon-reload"], host.Calls.Skip(6));
        Assert.Empty(Directory.GetFiles(units));
    }

    [Fact]
    public void Launchd_gets_an_agent_and_loses_it()
    {
        using var host = new ScheduleHost();
        host.Install("launchctl", FakeSchedulers.Launchctl);
        var result = host.Run(Script.Replace("BACKEND", "-Backend Launchd", StringComparison.Ordinal)).EnsureSuccess();
        Assert.Equal(["Registered Launchd", "Registered Launchd", "Registered Launchd"], Lines(result.Output));
        var agent = Directory.GetFiles(host["Library", "LaunchAgents"]).Single();
        Assert.Equal("com.signalharvester.shbackup-it_27s_20nightly.plist", Path.GetFileName(agent));
        Assert.Equal(2, host.Calls.Count(
            call => call.EndsWith(" " + agent, StringComparison.Ordinal) && call.StartsWith("launchctl bootstrap gui/", StringComparison.Ordinal)));

        Assert.Equal("0", Lines(host.Run(Remove).EnsureSuccess().Output).Single());
        Assert.Matches("^launchctl bootout gui/[0-9]+/com.signalharvester.shbackup-it_27s_20nightly$", host.Calls[^1]);
        Assert.Empty(Directory.GetFiles(host["Library", "LaunchAgents"]));
    }

    [Fact]
    public void A_change_of_the_scheduler_takes_the_task_from_the_former_one()
    {
        using var host = new ScheduleHost();
        host.Install("systemctl", FakeSchedulers.Systemctl);
        host.Install("crontab", FakeSchedulers.Crontab);
        const string register = "(Register-SHBackupSchedule mover -Daily -DatabasePath ./app.db -Backend {0}).Status; ";
        var result = host.Run(register.Replace("{0}", "Cron", StringComparison.Ordinal) + register.Replace("{0}", "Systemd", StringComparison.Ordinal))
            .EnsureSuccess();
        Assert.Equal(["Registered", "Registered"], Lines(result.Output).Where(line => !IsWarning(line)));
        Assert.False(File.Exists(host["bin", "crontab.txt"]));
        Assert.True(File.Exists(host["config", "systemd", "user", "shbackup-mover.timer"]));
    }

    [Theory]
    [InlineData("crontab: can't open 'tester': No such file or directory", true)]
    [InlineData("crontab: can't open 'tester': Permission denied", false)]
    public void A_crontab_that_cannot_be_read_is_not_taken_for_none_and_overwritten(string words, bool isNone)
    {
        using var host = new ScheduleHost();
        host.Install("crontab", $"[ \"$1\" != -l ] || {{ echo \"{words}\" >&2; exit 1; }}; cat > \"$here/written.txt\"");
        var result = host.Run(
            "Register-SHBackupSchedule mine -Daily -DatabasePath ./app.db -Backend Cron | Out-Null; $Error | ForEach-Object { $_.FullyQualifiedErrorId -replace ',.*' }");
        Assert.Equal(isNone ? [] : [BackupErrorId.SchedulerFailed], Lines(result.Output).Where(line => !IsWarning(line)));
        Assert.Equal(isNone, File.Exists(host["bin", "written.txt"]));
    }

    [Fact]
    public void A_schedule_that_cannot_be_read_is_named_and_hides_no_other()
    {
        using var host = new ScheduleHost();
        host.Install("crontab", FakeSchedulers.Crontab);
        host.Run("'good', 'broken' | ForEach-Object { Register-SHBackupSchedule $_ -Daily -DatabasePath ./app.db | Out-Null }").EnsureSuccess();
        File.WriteAllText(host["config", "shbackup", "schedules", "shbackup-broken.json"], "{ \"name\": 7");
        var result = host.Run(
            "Get-SHBackupSchedule -Scope User | ForEach-Object { $_.Name }; Invoke-SHBackupSchedule broken; $Error | ForEach-Object { \"$($_.FullyQualifiedErrorId -replace ',.*') $($_.CategoryInfo.Category) $($_.TargetObject)\" }");
        var broken = $"ScheduleInvalid InvalidData {host["config", "shbackup", "schedules", "shbackup-broken.json"]}";
        Assert.Equal(["good", broken, broken], Lines(result.Output));
        Assert.Contains("Register it again", result.Error, StringComparison.Ordinal);

        var again = Lines(host.Run("(Register-SHBackupSchedule broken -Daily -DatabasePath ./app.db).Status").EnsureSuccess().Output);
        Assert.Equal(["Registered"], again.Where(line => !IsWarning(line)));
    }

    // PowerShell writes them to standard output.
    private static bool IsWarning(string line) => line.StartsWith("WARNING: ", StringComparison.Ordinal);

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
