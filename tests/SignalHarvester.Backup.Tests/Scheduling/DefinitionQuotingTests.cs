using System.Globalization;
using System.Text;
using System.Xml.Linq;
using SignalHarvester.Backup.Scheduling;
using SignalHarvester.Backup.Scheduling.Schedulers;
using SignalHarvester.Backup.TestSupport;
using SignalHarvester.Backup.Text;
using Xunit;

namespace SignalHarvester.Backup.Tests.Scheduling;

/// <summary>Each scheduler understands a definition as intended, whatever texts it contains.</summary>
public sealed class DefinitionQuotingTests
{
    /// <summary>The texts.</summary>
    public static TheoryData<string> Texts => [.. Scheduled.HostileTexts];

    /// <summary>The texts without line ends: a crontab allows no others.</summary>
    public static TheoryData<string> Lines => [.. Scheduled.HostileTexts.Where(text => !text.AsSpan().ContainsAny('\n', '\r'))];

    [Theory]
    [MemberData(nameof(Lines))]
    public void A_crontab_runs_one_program_with_the_arguments_meant(string text)
    {
        var sh = Tool.Require("sh");
        using var folder = new TempFolder();
        var definition = Scheduled.Definition(text) with { Command = Echo(folder, text) };
        var block = Assert.Single(new CronBackend(TimeProvider.System).Compose(definition).Files).Content;
        var lines = block.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(7, lines.Length);
        Assert.Equal(5, lines.Count(line => line.StartsWith('#')));
        Assert.Matches(@"^0 \*/6(,\d+)* \* \* \* \S", lines[5]);
        var command = lines[4]["@reboot ".Length..];
        Assert.Equal(command, lines[5].Split(' ', 6)[5]);
        foreach (var takesOneOfTwoBackslashes in new[] { true, false })
        {
            File.Delete(folder["seen"]);
            sh.Run("-c", AsCronReads(command, takesOneOfTwoBackslashes)).EnsureSuccess();
            Assert.Equal([text, .. definition.Command.Arguments], Seen(folder));
        }
    }

    [Theory]
    [InlineData("cat > \"$here/log\"; echo \"$*\" > \"$here/tag\"", true)]
    [InlineData("exit 1", false)]
    [InlineData("read one; exit 1", false)]
    public void A_crontab_gives_the_output_to_the_system_log_and_a_logger_that_fails_breaks_no_run(string logger, bool isLogged)
    {
        var sh = Tool.Require("sh");
        using var folder = new TempFolder(plain: true);
        File.WriteAllText(folder["logger"], $"#!/bin/sh\nhere={folder.Path}\n{logger}\n");
        // More than a pipe holds: it would break if nobody read on.
        File.WriteAllText(
            folder["run"], $"#!/bin/sh\nyes one line 2>/dev/null | head -n 50000 || exit 9\necho to the mail >&2\necho done > {folder["done"]}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder["logger"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
            File.SetUnixFileMode(folder["run"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        var definition = Scheduled.Definition("Über uns") with
        {
            Command = new TaskCommand(folder["run"], [], new Dictionary<string, string> { ["PATH"] = folder.Path + ":/usr/bin:/bin" }),
        };
        var block = Assert.Single(new CronBackend(TimeProvider.System).Compose(definition).Files).Content;
        var command = block.Split('\n').Single(line => line.StartsWith("@reboot ", StringComparison.Ordinal))["@reboot ".Length..];
        var ran = sh.Run("-c", $"PATH={folder.Path}:/usr/bin:/bin; {AsCronReads(command, takesOneOfTwoBackslashes: false)}");
        Assert.Equal((string.Empty, "to the mail\n", "done\n"), (ran.Output, ran.Error, File.ReadAllText(folder["done"])));
        if (isLogged)
        {
            Assert.Equal(50000, File.ReadLines(folder["log"]).Count());
            Assert.Equal("-t shbackup-_c3_bcber_20uns\n", File.ReadAllText(folder["tag"]));
            Assert.Contains("under shbackup-_c3_bcber_20uns; cron mails errors.", block, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void A_title_never_leaves_its_line(string text)
    {
        var definition = Scheduled.Definition() with { Name = text, Description = text };
        foreach (var backend in new IScheduleBackend[] { new CronBackend(TimeProvider.System), new SystemdBackend() })
        {
            foreach (var (file, plain) in backend.Compose(definition).Files.Zip(backend.Compose(Scheduled.Definition()).Files))
            {
                Assert.Equal(plain.Content.Count('\n'), file.Content.Count('\n'));
                Assert.DoesNotContain(file.Content, character => character != '\n' && char.IsControl(character));
            }
        }
    }

    [Fact]
    public void A_command_that_cron_would_cut_off_is_refused()
    {
        var definition = Scheduled.Definition() with { Command = new TaskCommand("/usr/bin/env", [new string('x', 1000)], new Dictionary<string, string>()) };
        var exception = Assert.Throws<BackupException>(() => new CronBackend(TimeProvider.System).Compose(definition));
        Assert.Equal(BackupErrorId.InvalidArgument, exception.ErrorId);
    }

    [Fact]
    public void A_path_with_a_line_end_is_refused()
    {
        foreach (var (program, folder) in new[] { ("/opt/line\nend/pwsh", "/home/me"), ("/usr/bin/pwsh", "/home/\u0001") })
        {
            var command = new TaskCommand(program, [], new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = folder });
            Assert.Equal(BackupErrorId.InvalidArgument, Assert.Throws<BackupException>(() => TaskCommand.Plain(command)).ErrorId);
        }
    }

    [Fact]
    public void Systemd_reads_the_command_lines_meant()
    {
        // All texts at once: the real systemd parses all units and prints what it understood.
        var setpriv = Tool.Require("setpriv");
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && File.Exists("/lib/systemd/systemd") && Environment.IsPrivilegedProcess,
            "takes systemd, and root, who may become nobody");
        using var folder = new TempFolder(plain: true);
        foreach (var (text, index) in Scheduled.HostileTexts.Select((text, index) => (text, index)))
        {
            var command = new TaskCommand("/usr/bin/env", ["-Command", text, "", "last"], new Dictionary<string, string> { ["SHB_ONE"] = text });
            var units = new SystemdBackend().Compose(Scheduled.Definition(text) with { Command = command }).Files;
            File.WriteAllText(folder[$"case{index}.service"], units[0].Content);
            File.WriteAllText(folder[$"case{index}.timer"], units[1].Content);
        }

        File.WriteAllText(
            folder["all.target"], "[Unit]\nWants=" + string.Join(' ', Scheduled.HostileTexts.Select((_, index) => $"case{index}.service")) + "\n");
        Share(folder);
        var dump = setpriv.Run(
            "--reuid", "65534", "--regid", "65534", "--clear-groups", "env", "-i", "PATH=/usr/bin:/bin", "LANG=C.UTF-8", $"HOME={folder.Path}",
            $"XDG_RUNTIME_DIR={folder["run"]}",
            $"SYSTEMD_UNIT_PATH={folder.Path}:/usr/lib/systemd/user", "/lib/systemd/systemd", "--user", "--test", "--unit=all.target").EnsureSuccess().Output;
        foreach (var (text, index) in Scheduled.HostileTexts.Select((text, index) => (text, index)))
        {
            var unit = dump[dump.IndexOf($"-> Unit case{index}.service:", StringComparison.Ordinal)..];
            var line = unit.Split('\n').First(line => line.Contains("Command Line: ", StringComparison.Ordinal));
            var words = SystemdWords(line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..]);

            // Only when it starts a program does systemd turn $$ into $.
            Assert.Equal(["/usr/bin/env", "-Command", text.Replace("$", "$$", StringComparison.Ordinal), "", "last"], words);
        }
    }

    [Fact]
    public void Systemd_verifies_the_units_and_enables_the_timer()
    {
        var analyze = Tool.Require("systemd-analyze");
        var systemctl = Tool.Require("systemctl");
        using var folder = new TempFolder(plain: true);
        var units = folder.Folder("etc", "systemd", "system");
        foreach (var (text, index) in Scheduled.HostileTexts.Select((text, index) => (text, index)))
        {
            var definition = Scheduled.Definition(text) with
            {
                RandomDelay = TimeSpan.FromMinutes(5),
                Scope = ScheduleScope.System,
                OnFailure = "multi-user.target",
            };
            var files = new SystemdBackend().Compose(definition).Files;
            foreach (var file in files)
            {
                File.WriteAllText(Path.Combine(units, Path.GetFileName(file.Path)), file.Content);
            }

            if (index % 4 == 0)
            {
                // A warning would be printed, with exit code 0.
                var verified = analyze.Run(["verify", .. files.Select(file => Path.Combine(units, Path.GetFileName(file.Path)))]).EnsureSuccess();
                Assert.Equal(string.Empty, verified.Error + verified.Output);
            }

            systemctl.Run("--root=" + folder.Path, "enable", Path.GetFileName(files[1].Path)).EnsureSuccess();
        }

        Assert.Equal(Scheduled.HostileTexts.Length, Directory.GetFileSystemEntries(Path.Combine(units, "timers.target.wants")).Length);
    }

    [Theory]
    [InlineData(ScheduleScope.System, "multi-user.target")]
    [InlineData(ScheduleScope.User, "default.target")]
    public void A_continuous_service_is_verified_and_wanted_by_the_start_of_the_machine(ScheduleScope scope, string target)
    {
        var analyze = Tool.Require("systemd-analyze");
        using var folder = new TempFolder(plain: true);
        var definition = Scheduled.Definition("live", Scheduled.Always) with { Scope = scope, OnFailure = "multi-user.target" };
        var file = Assert.Single(new SystemdBackend().Compose(definition).Files);
        var path = folder[Path.GetFileName(file.Path)];
        File.WriteAllText(path, file.Content);
        if (scope == ScheduleScope.System)
        {
            var verified = analyze.Run("verify", path).EnsureSuccess();
            Assert.Equal(string.Empty, verified.Error + verified.Output);
        }

        var lines = file.Content.Split('\n');
        foreach (var line in new[]
        {
            "Type=notify", "NotifyAccess=main", "WatchdogSec=30", "Restart=on-failure", "RestartSec=5", "TimeoutStopSec=90", "SuccessExitStatus=143",
            "WantedBy=" + target,
        })
        {
            Assert.Contains(line, lines);
        }

        Assert.DoesNotContain(lines, line => line.StartsWith("IOSchedulingClass=", StringComparison.Ordinal));
    }

    [Fact]
    public void Launchd_the_Task_Scheduler_and_cron_start_a_continuous_schedule_with_the_machine()
    {
        var definition = Scheduled.Definition("live", Scheduled.Always) with { Scope = ScheduleScope.System };
        var plist = XDocument.Parse(new LaunchdBackend(TimeProvider.System).Compose(definition).Files[0].Content);
        var keys = plist.Descendants("key").ToDictionary(key => key.Value, key => key.ElementsAfterSelf().First());
        Assert.Equal("false", keys["SuccessfulExit"].Name);
        Assert.Equal("dict", keys["KeepAlive"].Name);
        Assert.Equal("true", keys["RunAtLoad"].Name);
        Assert.DoesNotContain("StartCalendarInterval", keys.Keys);

        var task = new TaskSchedulerBackend().Compose(definition);
        var xml = TaskSchedulerSchema.Validate(task.Files[0].Content);
        Assert.Single(xml.Descendants(xml.Root!.Name.Namespace + "BootTrigger"));
        Assert.Single(xml.Descendants(xml.Root.Name.Namespace + "RestartOnFailure"));
        Assert.Contains("/Run", task.Commands[^1]);

        var table = new CronBackend(TimeProvider.System).Compose(definition).Files[0].Content.Split('\n');
        Assert.StartsWith("@reboot root ", Assert.Single(table, line => line.Length > 0 && line[0] != '#'), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("notify.service", true)]
    [InlineData("notify@%n.service", true)]
    [InlineData("notify@.service", true)]
    [InlineData("a\\x2db.target", true)]
    [InlineData("notify", false)]
    [InlineData("notify.service other.service", false)]
    [InlineData("a.service\nExecStart=/bin/false", false)]
    [InlineData("notify@%.service", false)]
    [InlineData("../notify.service", false)]
    public void A_unit_to_start_on_failure_is_the_name_of_one_and_nothing_else(string text, bool isOne) => Assert.Equal(isOne, SystemdBackend.IsUnitName(text));

    [Fact]
    public void A_service_is_found_in_the_journal_by_its_name_and_leaves_the_machine_to_others()
    {
        var units = new SystemdBackend().Compose(Scheduled.Definition("Nightly 2") with { OnFailure = "notify@%n.service" }).Files;
        var service = units[0].Content.Split('\n');
        foreach (var line in new[]
        {
            "OnFailure=notify@%n.service", "SyslogIdentifier=shbackup-nightly_202", "Nice=10", "IOSchedulingClass=idle", "TimeoutStartSec=3d",
        })
        {
            Assert.Contains(line, service);
        }

        // What a backup could need, wherever the database is: a file system that looks as it does to everybody, and every right to read.
        var ofTheMachine = new SystemdBackend().Compose(Scheduled.Definition() with { Scope = ScheduleScope.System }).Files[0].Content;
        Assert.Contains("\nCapabilityBoundingSet=~", ofTheMachine, StringComparison.Ordinal);
        Assert.DoesNotMatch("(?m)^(ProtectSystem|ProtectHome|Private|ReadOnlyPaths|InaccessiblePaths|NoNewPrivileges|User|MemoryDeny)", ofTheMachine);
        Assert.DoesNotContain("CAP_DAC", ofTheMachine, StringComparison.Ordinal);
        Assert.DoesNotContain("CAP_CHOWN", ofTheMachine, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ScheduleFrequency.Daily, null, null, null)]
    [InlineData(ScheduleFrequency.Weekly, DayOfWeek.Wednesday, null, null)]
    [InlineData(ScheduleFrequency.Monthly, null, 1, null)]
    [InlineData(ScheduleFrequency.Monthly, null, 29, null)]
    [InlineData(ScheduleFrequency.Monthly, null, 30, null)]
    [InlineData(ScheduleFrequency.Monthly, null, 31, null)]
    [InlineData(ScheduleFrequency.Every, null, null, 60)]
    [InlineData(ScheduleFrequency.Every, null, null, 1)]
    [InlineData(ScheduleFrequency.Every, null, null, 90)]
    public void Systemd_and_we_agree_on_the_next_moments(ScheduleFrequency frequency, DayOfWeek? weekday, int? day, int? minutes)
    {
        const int iterations = 14;
        var analyze = Tool.Require("systemd-analyze");
        var trigger = new ScheduleTrigger
        {
            Frequency = frequency,
            At = new TimeSpan(
            2, 30, 0),
            DayOfWeek = weekday,
            Day = day,
            Interval = minutes is { } interval ? TimeSpan.FromMinutes(interval) : null
        };
        var moments = new SortedSet<DateTimeOffset>();
        foreach (var calendar in SystemdBackend.Calendar(trigger))
        {
            var said = analyze.Run("calendar", $"--iterations={iterations}", "--base-time=2026-11-26 12:00:00 UTC", calendar).EnsureSuccess().Output;
            moments.UnionWith(
                said.Split('\n')
                .Where(line => line.Contains("Next elapse:", StringComparison.Ordinal) || line.Contains("Iter. #", StringComparison.Ordinal))
                .Select(line => DateTimeOffset.ParseExact(
                    line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..].Trim(), "ddd yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal)));
        }

        var expected = new List<DateTimeOffset>();
        for (var next = trigger.Next(Scheduled.Now); expected.Count < iterations; next = trigger.Next(next))
        {
            expected.Add(next);
        }

        Assert.Equal(expected, moments.Take(iterations));
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void A_Windows_task_starts_one_program_with_the_arguments_meant(string text)
    {
        var printable = SingleLine.Of(text);
        var definition = Scheduled.Definition(text) with
        {
            Description = text,
            Command = new TaskCommand(
            @"C:\Program Files\PowerShell\7\pwsh.exe", ["-Command", printable, string.Empty, "last\\"], new Dictionary<string, string>())
        };
        var task = TaskSchedulerSchema.Validate(new TaskSchedulerBackend().Compose(definition).Files[0].Content);
        Assert.Equal(definition.Command.Program, TaskSchedulerSchema.Value(task, "Command"));
        Assert.Equal(definition.Command.Arguments, WindowsWords(TaskSchedulerSchema.Value(task, "Arguments")!));
        Assert.Equal(definition.Title, TaskSchedulerSchema.Value(task, "Description"));
    }

    [Fact]
    public void A_Windows_task_keeps_UTC_makes_up_what_was_missed_and_runs_once_at_a_time()
    {
        var task = TaskSchedulerSchema.Validate(Xml(Scheduled.Daily));
        Assert.Equal("2026-11-26T02:00:00Z", TaskSchedulerSchema.Value(task, "StartBoundary"));
        Assert.Equal("1", TaskSchedulerSchema.Value(task, "DaysInterval"));
        Assert.Equal("true", TaskSchedulerSchema.Value(task, "StartWhenAvailable"));
        Assert.Equal("IgnoreNew", TaskSchedulerSchema.Value(task, "MultipleInstancesPolicy"));
        Assert.Equal("PT0S", TaskSchedulerSchema.Value(task, "ExecutionTimeLimit"));
        Assert.Equal("PT10M", TaskSchedulerSchema.Value(task, "RandomDelay"));

        var weekly = TaskSchedulerSchema.Validate(
            Xml(new ScheduleTrigger { Frequency = ScheduleFrequency.Weekly, DayOfWeek = DayOfWeek.Sunday, At = TimeSpan.FromHours(3) }));
        Assert.Equal("2026-11-22T03:00:00Z", TaskSchedulerSchema.Value(weekly, "StartBoundary"));
        Assert.Equal("7", TaskSchedulerSchema.Value(weekly, "DaysInterval"));

        var monthly = TaskSchedulerSchema.Validate(Xml(new ScheduleTrigger { Frequency = ScheduleFrequency.Monthly, Day = 31, At = TimeSpan.FromHours(4) }));
        Assert.Equal("1", TaskSchedulerSchema.Value(monthly, "DaysInterval"));

        var hourly = TaskSchedulerSchema.Validate(Xml(new ScheduleTrigger { Frequency = ScheduleFrequency.Every, Interval = TimeSpan.FromHours(1) }));
        Assert.Equal("PT1H", TaskSchedulerSchema.Value(hourly, "Interval"));
        Assert.Equal("2026-11-26T12:00:00Z", TaskSchedulerSchema.Value(hourly, "StartBoundary"));
    }

    [Fact]
    public void A_task_of_the_machine_runs_as_SYSTEM_and_one_of_the_account_while_it_is_logged_on()
    {
        var system = TaskSchedulerSchema.Validate(
            new TaskSchedulerBackend().Compose(Scheduled.Definition() with { Scope = ScheduleScope.System }).Files[0].Content);
        Assert.Equal("S-1-5-18", TaskSchedulerSchema.Value(system, "UserId"));
        Assert.Equal("HighestAvailable", TaskSchedulerSchema.Value(system, "RunLevel"));
        var user = TaskSchedulerSchema.Validate(Xml(Scheduled.Daily));
        Assert.Equal("InteractiveToken", TaskSchedulerSchema.Value(user, "LogonType"));
        Assert.Equal("LeastPrivilege", TaskSchedulerSchema.Value(user, "RunLevel"));
    }

    [Fact]
    public void A_property_list_gives_launchd_the_arguments_and_the_times_meant()
    {
        // Python's own reader of property lists, once for all texts.
        var python = Tool.Require("python3");
        using var folder = new TempFolder();
        var printable = Scheduled.HostileTexts.Select(SingleLine.Of).ToList();
        var files = printable.Select((text, index) =>
        {
            var command = new TaskCommand(
                "/usr/local/bin/pwsh", ["-Command", text, string.Empty, "last"], new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = text });
            var file = folder[$"{index}.plist"];
            File.WriteAllText(file, new LaunchdBackend(TimeProvider.System).Compose(Scheduled.Definition(text) with { Command = command }).Files[0].Content);
            return file;
        }).ToArray();
        var said = python.Run(
        [
            "-c",
            "import plistlib,sys,json\nprint(json.dumps([plistlib.load(open(f,'rb')) for f in sys.argv[1:]]))",
            .. files,
        ]).EnsureSuccess().Output;
        var lists = System.Text.Json.Nodes.JsonNode.Parse(said)!.AsArray();
        foreach (var (text, index) in printable.Select((text, index) => (text, index)))
        {
            var list = lists[index]!;
            Assert.Equal(["/usr/local/bin/pwsh", "-Command", text, string.Empty, "last"], list["ProgramArguments"]!.AsArray().Select(word => (string)word!));
            Assert.Equal(text, (string)list["EnvironmentVariables"]!["XDG_CONFIG_HOME"]!);
            Assert.StartsWith("com.signalharvester.shbackup-", (string)list["Label"]!, StringComparison.Ordinal);
            Assert.True((bool)list["RunAtLoad"]!);
            Assert.Contains("/Library/Logs/shbackup-", (string)list["StandardOutPath"]!, StringComparison.Ordinal);
            Assert.Equal((string)list["StandardOutPath"]!, (string)list["StandardErrorPath"]!);
            Assert.All(list["StartCalendarInterval"]!.AsArray(), time =>
            {
                Assert.InRange((int)time!["Hour"]!, 0, 23);
                Assert.Equal(0, (int)time["Minute"]!);
            });
        }
    }

    [Fact]
    public void Every_minute_is_one_entry_for_each_minute_of_the_hour_and_not_one_for_each_of_the_day()
    {
        var definition = Scheduled.Definition(trigger: new ScheduleTrigger { Frequency = ScheduleFrequency.Every, Interval = TimeSpan.FromMinutes(1) });
        var list = XDocument.Parse(new LaunchdBackend(TimeProvider.System).Compose(definition).Files[0].Content);
        Assert.Equal(60, list.Descendants("array").Last().Elements("dict").Count());
        Assert.Contains("\n* * * * * ", new CronBackend(TimeProvider.System).Compose(definition).Files[0].Content, StringComparison.Ordinal);
        Assert.Equal(["*-*-* *:*:00 UTC"], SystemdBackend.Calendar(definition.Trigger));
    }

    private static string Xml(ScheduleTrigger trigger) =>
        new TaskSchedulerBackend().Compose(Scheduled.Definition(trigger: trigger) with { RandomDelay = TimeSpan.FromMinutes(10) }).Files[0].Content;

    /// <summary>Makes a program that writes down a variable of its environment and its arguments, each ended by NUL.</summary>
    private static TaskCommand Echo(TempFolder folder, string text)
    {
        var program = folder["echo arguments"];
        File.WriteAllText(program, "#!/bin/sh\nprintf '%s\\0' \"$SHB_ONE\" \"$@\" > \"$(dirname \"$0\")/seen\"\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return new TaskCommand(program, ["-Command", text, string.Empty, "last"], new Dictionary<string, string> { ["SHB_ONE"] = text });
    }

    private static string[] Seen(TempFolder folder) => Encoding.UTF8.GetString(File.ReadAllBytes(folder["seen"])).Split('\0')[..^1];

    /// <summary>Returns the text that cron passes to the shell: up to the first % without a backslash; the backslash before a % is removed.</summary>
    private static string AsCronReads(string command, bool takesOneOfTwoBackslashes)
    {
        var read = new StringBuilder();
        for (var index = 0; index < command.Length; index++)
        {
            if (command[index] == '%')
            {
                break;
            }

            if (command[index] == '\\' && index + 1 < command.Length && (command[index + 1] == '%' || (takesOneOfTwoBackslashes && command[index + 1] == '\\')))
            {
                index++;
            }

            read.Append(command[index]);
        }

        return read.ToString();
    }

    /// <summary>Reads the words of a line that systemd prints: in double quotes if needed, with C escapes.</summary>
    private static List<string> SystemdWords(string line)
    {
        var words = new List<string>();
        var bytes = new List<byte>();
        var (quoted, begun) = (false, false);
        for (var index = 0; index < line.Length; index++)
        {
            switch (line[index])
            {
                case '"':
                    (quoted, begun) = (!quoted, true);
                    break;
                case ' ' when !quoted:
                    End();
                    break;
                case '\\':
                    begun = true;
                    index++;
                    Unescape(line, ref index);
                    break;
                default:
                    begun = true;
                    var rune = Rune.GetRuneAt(line, index);
                    index += rune.Utf16SequenceLength - 1;
                    bytes.AddRange(Encoding.UTF8.GetBytes(rune.ToString()));
                    break;
            }
        }

        End();
        return words;

        void End()
        {
            if (begun)
            {
                words.Add(Encoding.UTF8.GetString([.. bytes]));
            }

            bytes.Clear();
            begun = false;
        }

        void Unescape(string text, ref int index)
        {
            const string plain = "abfnrtv";
            const string meant = "\a\b\f\n\r\t\v";
            if (text[index] == 'x')
            {
                bytes.Add(byte.Parse(text.AsSpan(index + 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                index += 2;
            }
            else if (char.IsAsciiDigit(text[index]))
            {
                bytes.Add(Convert.ToByte(text.Substring(index, 3), 8));
                index += 2;
            }
            else
            {
                bytes.Add(
                    (byte)(plain.Contains(text[index], StringComparison.Ordinal) ? meant[plain.IndexOf(text[index], StringComparison.Ordinal)] : text[index]));
            }
        }
    }

    /// <summary>Implements CommandLineToArgvW by its documentation.</summary>
    private static List<string> WindowsWords(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var (quoted, begun) = (false, false);
        for (var index = 0; index < line.Length; index++)
        {
            var backslashes = 0;
            while (index < line.Length && line[index] == '\\')
            {
                backslashes++;
                index++;
            }

            if (index < line.Length && line[index] == '"')
            {
                word.Append('\\', backslashes / 2);
                begun = true;
                if (backslashes % 2 == 1)
                {
                    word.Append('"');
                }
                else
                {
                    quoted = !quoted;
                }

                continue;
            }

            word.Append('\\', backslashes);
            begun |= backslashes > 0;
            if (index == line.Length)
            {
                break;
            }

            if (line[index] is ' ' or '\t' && !quoted)
            {
                if (begun)
                {
                    words.Add(word.ToString());
                    word.Clear();
                    begun = false;
                }
            }
            else
            {
                word.Append(line[index]);
                begun = true;
            }
        }

        if (begun)
        {
            words.Add(word.ToString());
        }

        return words;
    }

    private static void Share(TempFolder folder)
    {
        folder.Folder("run");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder["run"], (UnixFileMode)0b111_111_111);
            File.SetUnixFileMode(folder.Path, (UnixFileMode)0b111_111_111);
        }
    }
}
