using System.Globalization;
using System.Text;
using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.Text;

namespace SignalHarvester.Backup.Scheduling.Schedulers;

/// <summary>
/// cron, which knows only the machine's own time zone (Debian's has no CRON_TZ). So it starts the run at every time of day that
/// can be the right one, and the run checks whether it is due.
/// </summary>
/// <param name="clock">The clock: the zone's offsets count from its present time onwards.</param>
internal sealed class CronBackend(TimeProvider clock) : IScheduleBackend
{
    private const string SystemFolder = "/etc/cron.d";
    private const string UsersTable = "the account's crontab";

    // Debian's cron refuses longer lines, others cut them off.
    private const int MostBytes = 990;
    private const UnixFileMode ReadableByAll = DurableFile.OwnersAlone | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private static readonly string[] ProcessFiles = ["/run/crond.pid", "/run/cron.pid", "/var/run/crond.pid", "/var/run/cron.pid"];

    /// <inheritdoc/>
    public ScheduleBackend Kind => ScheduleBackend.Cron;

    /// <inheritdoc/>
    public bool DelaysAtRandom => false;

    /// <inheritdoc/>
    public string? WhyUnusable(ScheduleScope scope) => scope == ScheduleScope.System
        ? Directory.Exists(SystemFolder) ? null : $"there is no {SystemFolder}"
        : SchedulerTool.IsThere("crontab") ? null : "there is no crontab on the PATH";

    /// <inheritdoc/>
    public string? Advice(ScheduleScope scope) => OperatingSystem.IsMacOS() || ProcessFiles.Any(File.Exists)
        ? null
        : "cron does not seem to run on this machine, and without it no schedule starts. Check its service.";

    /// <inheritdoc/>
    public TaskDefinition Compose(ScheduleDefinition definition)
    {
        var line = string.Join(' ',
        [
            .. definition.Scope == ScheduleScope.System ? new[] { "root" } : [],
            .. definition.Command.Environment.Select(variable => $"{variable.Key}={Quote(variable.Value)}"),
            Quote(definition.Command.Program),
            .. definition.Command.Arguments.Select(Quote),
            // cron mails everything that it sees: the errors, which come on the other stream. If there is no logger, or it fails, the run must
            // not: it would break with its pipe.
            $"| {{ logger -t {Tag(definition)} || cat >/dev/null; }}",
        ]);
        if (Encoding.UTF8.GetByteCount(line) > MostBytes)
        {
            throw BackupException.InvalidArgument(
                definition.Name, string.Create(
                    CultureInfo.InvariantCulture,
                    $"The command for the crontab would be longer than {MostBytes} bytes, cron's limit. Give a shorter name, or another -Backend."));
        }

        string[] content =
        [
            Begin(definition.Key),
            "# " + definition.Title,
            .. Remarks(definition),
            // For runs that were missed while the machine was off.
            "@reboot " + line,
            .. definition.IsContinuous ? [] : Times(definition.Trigger).Select(times => $"{times} * * * {line}"),
            End(definition.Key),
            string.Empty,
        ];
        return definition.Scope == ScheduleScope.System
            ? new TaskDefinition([new TaskFile(PathOf(definition), string.Join('\n', content))], [])
            : new TaskDefinition([new TaskFile(UsersTable, string.Join('\n', content))], [["crontab", "-"]]);
    }

    /// <inheritdoc/>
    public ScheduleStatus Status(ScheduleDefinition definition, TaskDefinition wanted)
    {
        bool isThere, isAsWanted;
        if (definition.Scope == ScheduleScope.User)
        {
            var content = BlockOf(ReadTable(), definition.Key);
            (isThere, isAsWanted) = (content is not null, content == wanted.Files[0].Content);
        }
        else
        {
            isThere = File.Exists(PathOf(definition));
            isAsWanted = isThere && TaskFiles.Holds(PathOf(definition), wanted.Files[0].Content);
        }

        return !isThere ? ScheduleStatus.Missing : isAsWanted ? ScheduleStatus.Registered : ScheduleStatus.Changed;
    }

    /// <inheritdoc/>
    public void Install(ScheduleDefinition definition, TaskDefinition wanted)
    {
        if (definition.Scope == ScheduleScope.System)
        {
            TaskFiles.Write(wanted.Files[0], ReadableByAll);
            return;
        }

        var table = WithoutBlock(ReadTable(), definition.Key);
        WriteTable(table + (table.Length == 0 || table.EndsWith('\n') ? string.Empty : "\n") + Raw(wanted.Files[0].Content));
    }

    /// <inheritdoc/>
    public void Remove(ScheduleDefinition definition)
    {
        if (definition.Scope == ScheduleScope.System)
        {
            TaskFiles.Delete(PathOf(definition));
            return;
        }

        var table = ReadTable();
        if (BlockOf(table, definition.Key) is not null)
        {
            WriteTable(WithoutBlock(table, definition.Key));
        }
    }

    /// <summary>
    /// Quotes a word for a shell in a crontab. cron itself ends the command at a %, unless a backslash precedes it, which cron
    /// removes; and some versions remove one of two backslashes. So no two backslashes are adjacent here, and none precedes a %.
    /// Line ends do not come this far (<see cref="TaskCommand.Plain"/>, <see cref="PowerShellText.Literal"/>).
    /// </summary>
    internal static string Quote(string text)
    {
        var quoted = new StringBuilder("'");
        for (var index = 0; index < text.Length; index++)
        {
            quoted.Append(text[index] switch
            {
                '\'' => "'\"'\"'",
                '%' => @"\%",
                '\\' when index + 1 < text.Length && text[index + 1] is '\\' or '%' => @"\''",
                var plain => plain.ToString(),
            });
        }

        return quoted.Append('\'').ToString();
    }

    private static string[] Remarks(ScheduleDefinition definition) => definition.IsContinuous
        ? [$"# It runs until it is stopped. Its lines are in the system log, under {Tag(definition)}; cron mails errors."]
        :
        [
            "# cron starts it more often: after a boot, at the other UTC offsets of this time zone, and every six hours, to make up for a",
            "# missed run. If no run is due, it ends at once. The lines of its runs are in the system log, under " + Tag(definition) + "; cron mails errors.",
        ];

    /// <summary>
    /// Minutes and hours. The star before the hours makes cron follow its clock when the zone sets it back, instead of skipping the
    /// hour that comes again.
    /// </summary>
    private IEnumerable<string> Times(ScheduleTrigger trigger) => DayTimes.OnClock(trigger, SystemZone.Find(), clock.GetUtcNow()).Lists().Select(list =>
        $"{(list.Minutes.Count == 60 ? "*" : Join(list.Minutes))} {(list.Hours.Count == 24 ? "*" : "*/6" + string.Concat(list.Hours.Where(hour => hour % 6 != 0).Select(hour => "," + Join([hour]))))}");

    private static string Join(IReadOnlyList<int> values) => string.Join(',', values.Select(value => value.ToString(CultureInfo.InvariantCulture)));

    private static string Begin(string key) =>
        $"# BEGIN SignalHarvester.Backup {key}: written by Register-SHBackupSchedule; Unregister-SHBackupSchedule removes it";

    private static string Tag(ScheduleDefinition definition) => ScheduleStore.Prefix + definition.Key;

    private static string End(string key) => $"# END SignalHarvester.Backup {key}";

    private static string PathOf(ScheduleDefinition definition) => Path.Combine(SystemFolder, ScheduleStore.Prefix + definition.Key);

    /// <summary>Reads the table with each byte as one character: it may have any encoding, and lines that are not ours stay unchanged.</summary>
    private static string ReadTable()
    {
        var (exitCode, output, error) = SchedulerTool.Ask(["crontab", "-l"]);
        if (exitCode == 0)
        {
            return Encoding.Latin1.GetString(output);
        }

        // Only the words say that an account has no table: those of Debian, macOS and others, and of BusyBox, whose file is missing.
        return error.Contains("no crontab for", StringComparison.OrdinalIgnoreCase)
            || (error.Contains("can't open", StringComparison.OrdinalIgnoreCase) && error.Contains("No such file", StringComparison.OrdinalIgnoreCase))
            ? string.Empty
            : throw new BackupException(
                BackupErrorId.SchedulerFailed, BackupErrorCategory.ReadError, "crontab",
                SingleLine.Of($"The account's crontab cannot be read: {error.TrimEnd('.')}. Check that this account may use cron, or give another -Backend."));
    }

    private static void WriteTable(string table)
    {
        if (table.Length == 0)
        {
            // An account that had no table has none again.
            SchedulerTool.Run(["crontab", "-r"]);
        }
        else
        {
            SchedulerTool.Run(["crontab", "-"], Encoding.Latin1.GetBytes(table));
        }
    }

    private static string Raw(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    private static string? BlockOf(string table, string key) => Find(table, key) is var (start, end)
        ? Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(table[start..end]))
        : null;

    private static string WithoutBlock(string table, string key)
    {
        while (Find(table, key) is var (start, end))
        {
            table = table.Remove(start, end - start);
        }

        return table;
    }

    /// <summary>
    /// Finds the beginning and the end of a block, whose marks are lines of their own. A block without an end is only its first
    /// line, so that nobody else's lines are removed with it.
    /// </summary>
    private static (int Start, int End)? Find(string table, string key)
    {
        var lines = table.Split('\n');
        var first = Array.FindIndex(lines, line => line.TrimEnd('\r') == Begin(key));
        if (first < 0)
        {
            return null;
        }

        var last = Array.FindIndex(lines, first, line => line.TrimEnd('\r') == End(key));
        last = last < 0 ? first : last;
        var start = lines[..first].Sum(line => line.Length + 1);
        var end = start + lines[first..(last + 1)].Sum(line => line.Length + 1);
        return (start, Math.Min(end, table.Length));
    }
}
