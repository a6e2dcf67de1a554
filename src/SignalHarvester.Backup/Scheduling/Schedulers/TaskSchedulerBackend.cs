using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Scheduling.Schedulers;

/// <summary>
/// The Windows Task Scheduler, which uses UTC if a boundary ends in Z, makes up missed runs, and starts no second instance. It
/// gets the task as XML through schtasks, where every text can stay unchanged.
/// </summary>
internal sealed class TaskSchedulerBackend : IScheduleBackend
{
    private const string Tool = "schtasks";
    private const string Folder = @"\SignalHarvester.Backup\";
    private const string LocalSystem = "S-1-5-18";
    private static readonly string[] Decisive = ["StartBoundary", "Interval", "DaysInterval", "RandomDelay", "Count", "Command", "Arguments", "UserId"];
    private static readonly XNamespace Schema = "http://schemas.microsoft.com/windows/2004/02/mit/task";

    /// <inheritdoc/>
    public ScheduleBackend Kind => ScheduleBackend.TaskScheduler;

    /// <inheritdoc/>
    public bool DelaysAtRandom => true;

    /// <inheritdoc/>
    public string? WhyUnusable(ScheduleScope scope) => SchedulerTool.IsThere(Tool) ? null : $"there is no {Tool} on the PATH";

    /// <inheritdoc/>
    public string? Advice(ScheduleScope scope) => null;

    /// <inheritdoc/>
    public TaskDefinition Compose(ScheduleDefinition definition) => new(
        [new TaskFile("the file for schtasks", Xml(definition))],
        [
            [Tool, "/Create", "/TN", NameOf(definition), "/XML", "FILE", "/F"],
            .. definition.IsContinuous ? [[Tool, "/Run", "/TN", NameOf(definition)]] : Array.Empty<string[]>(),
        ]);

    /// <inheritdoc/>
    public ScheduleStatus Status(ScheduleDefinition definition, TaskDefinition wanted)
    {
        var (exitCode, output, _) = SchedulerTool.Ask([Tool, "/Query", "/TN", NameOf(definition), "/XML", "ONE"]);
        if (exitCode != 0)
        {
            return ScheduleStatus.Missing;
        }

        try
        {
            // Windows returns the task with additional values, in an encoding of the console.
            var text = Encoding.UTF8.GetString(output).TrimStart('\uFEFF', ' ', '\r', '\n');
            var known = XDocument.Parse(text[text.IndexOf("<Task", StringComparison.Ordinal)..]);
            var own = XDocument.Parse(wanted.Files[0].Content);
            return Essence(known).SequenceEqual(Essence(own)) ? ScheduleStatus.Registered : ScheduleStatus.Changed;
        }
        catch (Exception exception) when (exception is XmlException or ArgumentOutOfRangeException)
        {
            return ScheduleStatus.Unknown;
        }
    }

    /// <inheritdoc/>
    public void Install(ScheduleDefinition definition, TaskDefinition wanted)
    {
        var folder = ScheduleStore.Of(definition.Scope).WorkFolder;
        var file = Path.Combine(folder, ScheduleStore.Prefix + definition.Key + ".xml");
        try
        {
            PrivateFolder.CreateDurably(folder);

            // The declaration says UTF-16, the only encoding that every version reads.
            DurableFile.WriteAllBytes(file, [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(wanted.Files[0].Content)]);
            foreach (var command in wanted.Commands)
            {
                SchedulerTool.Run([.. command.Select(word => word == "FILE" ? file : word)]);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DiskFault.From(exception, file, BackupErrorId.WriteFailed, "Check its permissions.");
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <inheritdoc/>
    public void Remove(ScheduleDefinition definition)
    {
        if (SchedulerTool.Ask([Tool, "/Query", "/TN", NameOf(definition)]).ExitCode == 0)
        {
            SchedulerTool.Run([Tool, "/Delete", "/TN", NameOf(definition), "/F"]);
        }
    }

    /// <summary>Joins words to one command line, which programs split by the rules of CommandLineToArgvW.</summary>
    internal static string CommandLine(IEnumerable<string> words) => string.Join(' ', words.Select(Quote));

    private static string Account => $@"{Environment.UserDomainName}\{Environment.UserName}";

    private static string Quote(string word)
    {
        if (word.Length > 0 && !word.AsSpan().ContainsAny(" \t\n\v\""))
        {
            return word;
        }

        // Backslashes are special only before a quote, so they are doubled there.
        var quoted = new StringBuilder("\"");
        var backslashes = 0;
        foreach (var character in word)
        {
            if (character == '\\')
            {
                backslashes++;
                continue;
            }

            quoted.Append('\\', character == '"' ? (2 * backslashes) + 1 : backslashes).Append(character);
            backslashes = 0;
        }

        return quoted.Append('\\', 2 * backslashes).Append('"').ToString();
    }

    private static string Xml(ScheduleDefinition definition)
    {
        var isSystem = definition.Scope == ScheduleScope.System;
        var task = Element(
            "Task",
            new XAttribute("version", "1.2"),
            Element("RegistrationInfo", Element("Description", definition.Title), Element("URI", NameOf(definition))),
            Element("Triggers", Trigger(definition)),
            Element(
                "Principals",
                Element(
                    "Principal",
                    new XAttribute("id", "Author"),
                    Element("UserId", isSystem ? LocalSystem : Account),
                    // Without an account's password, Windows lets a task run only while the account is logged on.
                    isSystem ? null : Element("LogonType", "InteractiveToken"),
                    Element("RunLevel", isSystem ? "HighestAvailable" : "LeastPrivilege"))),
            Element(
                "Settings",
                Element("MultipleInstancesPolicy", "IgnoreNew"),
                Element("DisallowStartIfOnBatteries", "false"),
                Element("StopIfGoingOnBatteries", "false"),
                Element("StartWhenAvailable", "true"),
                Element("ExecutionTimeLimit", "PT0S"),
                definition.IsContinuous ? Element("RestartOnFailure", Element("Interval", "PT1M"), Element("Count", "255")) : null,
                Element("Enabled", "true")),
            Element(
                "Actions",
                new XAttribute("Context", "Author"),
                Element("Exec", Element("Command", definition.Command.Program), Element("Arguments", CommandLine(definition.Command.Arguments)))));
        var text = new StringBuilder();
        using (var writer = XmlWriter.Create(text, new XmlWriterSettings { Indent = true, NewLineChars = "\n" }))
        {
            new XDocument(task).Save(writer);
        }

        return text.Append('\n').ToString();
    }

    /// <summary>
    /// Makes the trigger, by days alone: no document says whether a day of the week or of the month is in UTC. For the week it uses
    /// every seventh day from a Sunday in UTC. For the days of a month it starts every day, and the run checks whether it is due.
    /// </summary>
    private static XElement Trigger(ScheduleDefinition definition)
    {
        var trigger = definition.Trigger;
        if (trigger.IsContinuous)
        {
            // A task without an account's password runs only while the account is logged on.
            return definition.Scope == ScheduleScope.System
                ? Element("BootTrigger", Element("Enabled", "true"))
                : Element("LogonTrigger", Element("Enabled", "true"), Element("UserId", Account));
        }

        var start = trigger.Frequency == ScheduleFrequency.Monthly
            ? new ScheduleTrigger { Frequency = ScheduleFrequency.Daily, At = trigger.At }.Last(definition.Registered)
            : trigger.Last(definition.Registered);
        XElement[] beginning =
        [
            Element("Enabled", "true"), Element("StartBoundary", start.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)),
        ];
        var delay = definition.RandomDelay > TimeSpan.Zero ? Element("RandomDelay", XmlConvert.ToString(definition.RandomDelay)) : null;
        return trigger.Interval is { } interval
            ? Element("TimeTrigger", beginning, Element("Repetition", Element("Interval", XmlConvert.ToString(interval))), delay)
            : Element(
                "CalendarTrigger", beginning, delay,
                Element("ScheduleByDay", Element("DaysInterval", trigger.Frequency == ScheduleFrequency.Weekly ? "7" : "1")));
    }

    /// <summary>Returns the values that decide when which program runs with which arguments.</summary>
    private static IEnumerable<string> Essence(XDocument task) =>
        from name in Decisive
        from element in task.Descendants(Schema + name)
        where name != "UserId" || element.Value == LocalSystem
        select $"{name}={element.Value}";

    private static XElement Element(string name, params object?[] content) => new(Schema + name, content);

    private static string NameOf(ScheduleDefinition definition) => Folder + definition.Key;
}
