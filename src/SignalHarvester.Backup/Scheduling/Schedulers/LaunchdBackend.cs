using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Scheduling.Schedulers;

/// <summary>
/// launchd, which knows only the machine's own time zone. So it starts the run at every time of day that can be the right one,
/// and the run checks whether it is due. A time during sleep is made up when the machine wakes, a time when it was off at the
/// next load.
/// </summary>
/// <param name="clock">The clock: the zone's offsets count from its present time onwards.</param>
internal sealed partial class LaunchdBackend(TimeProvider clock) : IScheduleBackend
{
    // The last transactions are stored within 30 seconds, or left.
    private const int StopSeconds = 90;
    private const string LabelPrefix = "com.signalharvester.";
    private const UnixFileMode ReadableByAll = DurableFile.OwnersAlone | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <inheritdoc/>
    public ScheduleBackend Kind => ScheduleBackend.Launchd;

    /// <inheritdoc/>
    public bool DelaysAtRandom => false;

    /// <inheritdoc/>
    public string? WhyUnusable(ScheduleScope scope) => SchedulerTool.IsThere("launchctl") ? null : "there is no launchctl on the PATH";

    /// <inheritdoc/>
    public string? Advice(ScheduleScope scope) => null;

    /// <inheritdoc/>
    public TaskDefinition Compose(ScheduleDefinition definition) => new(
        [new TaskFile(PathOf(definition), Plist(definition))],
        [["launchctl", "bootstrap", Domain(definition.Scope), PathOf(definition)]]);

    /// <inheritdoc/>
    public ScheduleStatus Status(ScheduleDefinition definition, TaskDefinition wanted)
    {
        var file = wanted.Files[0];
        if (!File.Exists(file.Path) || SchedulerTool.Ask(["launchctl", "print", Service(definition)]).ExitCode != 0)
        {
            return ScheduleStatus.Missing;
        }

        return TaskFiles.Holds(file.Path, file.Content) ? ScheduleStatus.Registered : ScheduleStatus.Changed;
    }

    /// <inheritdoc/>
    public void Install(ScheduleDefinition definition, TaskDefinition wanted)
    {
        TaskFiles.Write(wanted.Files[0], ReadableByAll);

        // A loaded task stays as it was until it is unloaded. If it is not loaded, that is no error.
        SchedulerTool.Ask(["launchctl", "bootout", Service(definition)]);
        foreach (var command in wanted.Commands)
        {
            SchedulerTool.Run(command);
        }
    }

    /// <inheritdoc/>
    public void Remove(ScheduleDefinition definition)
    {
        if (File.Exists(PathOf(definition)))
        {
            SchedulerTool.Ask(["launchctl", "bootout", Service(definition)]);
            TaskFiles.Delete(PathOf(definition));
        }
    }

    private string Plist(ScheduleDefinition definition)
    {
        var command = definition.Command;
        var when = definition.IsContinuous
            // Ended without an error, it was stopped, and stays so.
            ? [("KeepAlive", Dictionary([("SuccessfulExit", new XElement("false"))])), ("ExitTimeOut", Integer(StopSeconds))]
            : new[] { ("StartCalendarInterval", new XElement("array", Times(definition))), ("ProcessType", Text("Background")) };
        var root = Dictionary(
            [("Label", Text(LabelOf(definition)))],
            [("ProgramArguments", new XElement("array", new[] { command.Program }.Concat(command.Arguments).Select(Text)))],
            command.Environment.Count == 0
                ? []
                : [("EnvironmentVariables", Dictionary(command.Environment.Select(variable => (variable.Key, Text(variable.Value)))))],
            when,
            [("RunAtLoad", new XElement("true"))],
            [("StandardOutPath", Text(LogOf(definition))), ("StandardErrorPath", Text(LogOf(definition)))]);
        var document = new XDocument(
            new XDocumentType("plist", "-//Apple//DTD PLIST 1.0//EN", "http://www.apple.com/DTDs/PropertyList-1.0.dtd", null),
            new XComment($" {Comment(definition.Title)} Written by Register-SHBackupSchedule; Unregister-SHBackupSchedule removes it. "),
            new XElement("plist", new XAttribute("version", "1.0"), root));
        return Write(document);
    }

    private IEnumerable<XElement> Times(ScheduleDefinition definition) =>
        DayTimes.OnClock(definition.Trigger, SystemZone.Find(), clock.GetUtcNow()).Lists().SelectMany(list =>
            from hour in list.Hours.Count == 24 ? [null] : list.Hours.Select(hour => (int?)hour)
            from minute in list.Minutes
            select Dictionary(hour is null ? [] : [("Hour", Integer(hour.Value))], [("Minute", Integer(minute))]));

    private static string Write(XDocument document)
    {
        using var bytes = new MemoryStream();
        using (var writer = XmlWriter.Create(bytes, new XmlWriterSettings { Indent = true, NewLineChars = "\n", Encoding = new UTF8Encoding(false) }))
        {
            document.Save(writer);
        }

        return Encoding.UTF8.GetString(bytes.ToArray()) + "\n";
    }

    private static XElement Dictionary(params IEnumerable<(string Key, XElement Value)>[] entries) =>
        new("dict", entries.SelectMany(some => some).SelectMany(entry => new[] { new XElement("key", entry.Key), entry.Value }));

    private static XElement Text(string value) => new("string", value);

    private static XElement Integer(int value) => new("integer", value.ToString(CultureInfo.InvariantCulture));

    // Two hyphens end a comment.
    private static string Comment(string text) => text.Replace("-", "- ", StringComparison.Ordinal);

    private static string LabelOf(ScheduleDefinition definition) => LabelPrefix + ScheduleStore.Prefix + definition.Key;

    private static string Domain(ScheduleScope scope) => scope == ScheduleScope.System
        ? "system"
        : string.Create(CultureInfo.InvariantCulture, $"gui/{UserId()}");

    private static string Service(ScheduleDefinition definition) => $"{Domain(definition.Scope)}/{LabelOf(definition)}";

    private static string PathOf(ScheduleDefinition definition) =>
        InLibrary(definition.Scope, definition.Scope == ScheduleScope.System ? "LaunchDaemons" : "LaunchAgents", LabelOf(definition) + ".plist");

    /// <summary>Returns the file of its output, in the folder that Console shows.</summary>
    private static string LogOf(ScheduleDefinition definition) => InLibrary(definition.Scope, "Logs", ScheduleStore.Prefix + definition.Key + ".log");

    private static string InLibrary(ScheduleScope scope, string folder, string file) => Path.Combine(
        scope == ScheduleScope.System
            ? "/Library"
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), "Library"),
        folder, file);

    private static uint UserId() => OperatingSystem.IsWindows() ? 0 : GetUserId();

    [LibraryImport("libc", EntryPoint = "getuid")]
    private static partial uint GetUserId();
}
