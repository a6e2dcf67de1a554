using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.Text;

namespace SignalHarvester.Backup.Scheduling.Schedulers;

/// <summary>systemd: a service and, unless it runs always, a timer. The timer knows UTC, makes up missed runs, and never starts a running service.</summary>
internal sealed class SystemdBackend : IScheduleBackend
{
    private const string SystemUnits = "/etc/systemd/system";
    private const UnixFileMode ReadableByAll = DurableFile.OwnersAlone | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private static readonly Regex UnitName = new(
        @"\A([A-Za-z0-9:_.\\-]|%[nNpPiIjJ%])+(@([A-Za-z0-9:_.\\-]|%[nNpPiIjJ%])*)?\.(service|target|timer|path|socket)\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture);

    // What no backup of any database can need. Nothing here hides a file, or takes the right to read or write one: databases and
    // backups can lie anywhere, a settings file can name others later, and in many containers a unit that changes its view of the
    // file system does not start. The services of an account have no more rights than the account anyway.
    private static readonly string[] Sandbox =
    [
        "LockPersonality=yes", "RestrictRealtime=yes", "RestrictNamespaces=yes",
        "CapabilityBoundingSet=~CAP_AUDIT_CONTROL CAP_AUDIT_READ CAP_AUDIT_WRITE CAP_BLOCK_SUSPEND CAP_MKNOD CAP_NET_ADMIN CAP_NET_RAW CAP_SYS_BOOT "
            + "CAP_SYS_MODULE CAP_SYS_PACCT CAP_SYS_RAWIO CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_SYSLOG CAP_WAKE_ALARM",
    ];

    /// <inheritdoc/>
    public ScheduleBackend Kind => ScheduleBackend.Systemd;

    /// <inheritdoc/>
    public bool DelaysAtRandom => true;

    /// <inheritdoc/>
    public string? WhyUnusable(ScheduleScope scope)
    {
        if (!SchedulerTool.IsThere("systemctl"))
        {
            return "there is no systemctl on the PATH";
        }

        if (scope == ScheduleScope.System)
        {
            // The same test as in sd_booted.
            return Directory.Exists("/run/systemd/system") ? null : "the machine was not started by systemd";
        }

        var (exitCode, _, error) = SchedulerTool.Ask([.. Control(scope), "show-environment"]);
        return exitCode == 0 ? null : SingleLine.Of($"the user's systemd does not answer ({error.TrimEnd('.')})");
    }

    /// <inheritdoc/>
    public string? Advice(ScheduleScope scope) => scope == ScheduleScope.System || File.Exists("/var/lib/systemd/linger/" + Environment.UserName)
        ? null
        : "The timers of this account run only while it is logged on. Run 'loginctl enable-linger' to change that, or use -Scope System.";

    /// <inheritdoc/>
    public TaskDefinition Compose(ScheduleDefinition definition)
    {
        var control = Control(definition.Scope);
        if (definition.IsContinuous)
        {
            // It is started only once every database is followed, and the first backup may take long. Nobody waits for that here.
            var service = UnitOf(definition) + ".service";
            return new TaskDefinition(
                [new TaskFile(PathOf(definition, ".service"), ContinuousService(definition))],
                [[.. control, "daemon-reload"], [.. control, "enable", service], [.. control, "restart", "--no-block", service]]);
        }

        var timer = UnitOf(definition) + ".timer";
        return new TaskDefinition(
            [new TaskFile(PathOf(definition, ".service"), Service(definition)), new TaskFile(PathOf(definition, ".timer"), Timer(definition))],
            [[.. control, "daemon-reload"], [.. control, "enable", timer], [.. control, "restart", timer]]);
    }

    /// <inheritdoc/>
    public ScheduleStatus Status(ScheduleDefinition definition, TaskDefinition wanted)
    {
        if (!wanted.Files.All(file => File.Exists(file.Path)))
        {
            return ScheduleStatus.Missing;
        }

        if (!wanted.Files.All(file => TaskFiles.Holds(file.Path, file.Content)))
        {
            return ScheduleStatus.Changed;
        }

        var (exitCode, _, _) = SchedulerTool.Ask([.. Control(definition.Scope), "is-enabled", "--quiet", EnabledUnit(definition)]);
        return exitCode == 0 ? ScheduleStatus.Registered : ScheduleStatus.Missing;
    }

    /// <inheritdoc/>
    public void Install(ScheduleDefinition definition, TaskDefinition wanted)
    {
        foreach (var file in wanted.Files)
        {
            TaskFiles.Write(file, ReadableByAll);
        }

        foreach (var command in wanted.Commands)
        {
            SchedulerTool.Run(command);
        }
    }

    /// <inheritdoc/>
    public void Remove(ScheduleDefinition definition)
    {
        string[] paths = definition.IsContinuous
            ? [PathOf(definition, ".service")]
            : [PathOf(definition, ".timer"), PathOf(definition, ".service")];
        if (!Array.Exists(paths, File.Exists))
        {
            return;
        }

        // The service of a timer is not stopped, so that a run in progress may end.
        SchedulerTool.Run([.. Control(definition.Scope), "disable", "--now", EnabledUnit(definition)]);
        foreach (var path in paths)
        {
            TaskFiles.Delete(path);
        }

        SchedulerTool.Run([.. Control(definition.Scope), "daemon-reload"]);
    }

    /// <summary>Returns the moments of a trigger as values for OnCalendar. If the list starts a run too often, the run finds that it is not due.</summary>
    internal static IReadOnlyList<string> Calendar(ScheduleTrigger trigger)
    {
        var time = trigger.At.ToString(@"hh\:mm\:ss", CultureInfo.InvariantCulture);
        return trigger.Frequency switch
        {
            ScheduleFrequency.Daily => [$"*-*-* {time} UTC"],
            ScheduleFrequency.Weekly => [$"{(trigger.DayOfWeek ?? DayOfWeek.Sunday).ToString()[..3]} *-*-* {time} UTC"],
            ScheduleFrequency.Monthly => [.. Days(trigger.Day ?? 1).Select(day => $"{day} {time} UTC")],
            _ => [.. DayTimes.InUtc(trigger).Lists().Select(list => $"*-*-* {Field(list.Hours, 24)}:{Field(list.Minutes, 60)}:00 UTC")],
        };
    }

    /// <summary>Whether a text can be the name of a unit; specifiers such as %n stand for parts of the failed unit's name.</summary>
    internal static bool IsUnitName(string text) => UnitName.IsMatch(text);

    /// <summary>Quotes a word of a command line for systemd: in quotes, with C escapes, and with % and $ doubled, because they have a meaning.</summary>
    internal static string Quote(string text, bool isArgument)
    {
        var quoted = new StringBuilder("\"");
        foreach (var character in text)
        {
            quoted.Append(character switch
            {
                '\\' => @"\\",
                '"' => "\\\"",
                '%' => "%%",
                '$' when isArgument => "$$",
                < ' ' or '\x7f' => string.Create(CultureInfo.InvariantCulture, $"\\x{(int)character:x2}"),
                _ => character.ToString(),
            });
        }

        return quoted.Append('"').ToString();
    }

    private static string EnabledUnit(ScheduleDefinition definition) => UnitOf(definition) + (definition.IsContinuous ? ".service" : ".timer");

    private static string ContinuousService(ScheduleDefinition definition) => string.Join('\n',
    [
        "# Written by Register-SHBackupSchedule; Unregister-SHBackupSchedule removes it.",
        "[Unit]",
        "Description=" + Title(definition),
        .. definition.Scope == ScheduleScope.System ? ["Wants=network-online.target", "After=network-online.target"] : Array.Empty<string>(),
        .. OnFailure(definition),
        "",
        "[Service]",
        "# Started once every database is followed; the process itself says so, and feeds the watchdog while it makes progress.",
        "Type=notify",
        "NotifyAccess=main",
        "WatchdogSec=30",
        .. Start(definition),
        "SuccessExitStatus=143",
        "# Not always: what Stop-SHBackupProtection has stopped stays stopped, and 4 says that a person has to decide.",
        "Restart=on-failure",
        string.Create(CultureInfo.InvariantCulture, $"RestartPreventExitStatus={ScheduleRun.RefusedExitCode}"),
        "RestartSec=5",
        "TimeoutStopSec=90",
        .. definition.Scope == ScheduleScope.System ? Sandbox : [],
        "",
        "[Install]",
        "WantedBy=" + (definition.Scope == ScheduleScope.System ? "multi-user.target" : "default.target"),
        "",
    ]);

    private static IEnumerable<string> OnFailure(ScheduleDefinition definition) => definition.OnFailure is { } unit ? ["OnFailure=" + unit] : [];

    /// <summary>The lines that start the command.</summary>
    private static IEnumerable<string> Start(ScheduleDefinition definition) =>
    [
        "SyslogIdentifier=" + UnitOf(definition),
        .. definition.Command.Environment.Select(variable => "Environment=" + Quote($"{variable.Key}={variable.Value}", isArgument: false)),
        // The program's own path is the only word in which systemd replaces no variables.
        $"ExecStart={Quote(definition.Command.Program, isArgument: false)} {string.Join(' ', definition.Command.Arguments.Select(argument => Quote(argument, isArgument: true)))}",
    ];

    private static string Service(ScheduleDefinition definition) => string.Join('\n',
    [
        "# Written by Register-SHBackupSchedule; Unregister-SHBackupSchedule removes it.",
        "[Unit]",
        "Description=" + Title(definition),
        .. OnFailure(definition),
        "",
        "[Service]",
        "Type=oneshot",
        .. Start(definition),
        // A stop by systemctl or at shutdown is not a failure.
        "SuccessExitStatus=143",
        "# A run that hangs for days keeps the later ones from starting.",
        "TimeoutStartSec=3d",
        "Nice=10",
        "IOSchedulingClass=idle",
        .. definition.Scope == ScheduleScope.System ? Sandbox : [],
        "",
    ]);

    private static string Timer(ScheduleDefinition definition) => string.Join('\n',
    [
        "# Written by Register-SHBackupSchedule; Unregister-SHBackupSchedule removes it.",
        "[Unit]",
        "Description=" + Title(definition),
        "",
        "[Timer]",
        .. Calendar(definition.Trigger).Select(moment => "OnCalendar=" + moment),
        "Persistent=true",
        "AccuracySec=1s",
        .. definition.RandomDelay > TimeSpan.Zero
            ? new[] { string.Create(CultureInfo.InvariantCulture, $"RandomizedDelaySec={(long)definition.RandomDelay.TotalSeconds}") }
            : [],
        "",
        "[Install]",
        "WantedBy=timers.target",
        "",
    ]);

    // A backslash at the end would join the next line; a title ends with a full stop.
    private static string Title(ScheduleDefinition definition) => definition.Title.Replace("%", "%%", StringComparison.Ordinal);

    /// <summary>Returns the days of a month: for a day that not every month has, also the last day of shorter months.</summary>
    private static IReadOnlyList<string> Days(int day) => day switch
    {
        <= 28 => [string.Create(CultureInfo.InvariantCulture, $"*-*-{day:00}")],
        29 => ["*-01,03..12-29", "*-02~01"],
        30 => ["*-01,03..12-30", "*-02~01"],
        _ => ["*-*~01"],
    };

    private static string Field(IReadOnlyList<int> values, int all) =>
        values.Count == all ? "*" : string.Join(',', values.Select(value => value.ToString("00", CultureInfo.InvariantCulture)));

    private static string[] Control(ScheduleScope scope) => scope == ScheduleScope.System ? ["systemctl"] : ["systemctl", "--user"];

    private static string UnitOf(ScheduleDefinition definition) => ScheduleStore.Prefix + definition.Key;

    private static string PathOf(ScheduleDefinition definition, string suffix) => Path.Combine(
        definition.Scope == ScheduleScope.System
            ? SystemUnits
            : Path.Combine(
                Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify), "systemd", "user"),
        UnitOf(definition) + suffix);
}
