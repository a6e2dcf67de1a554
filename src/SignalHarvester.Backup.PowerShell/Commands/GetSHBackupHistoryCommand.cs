using System.Management.Automation;
using SignalHarvester.Backup.History;
using SignalHarvester.Backup.PowerShell.Completion;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Shows the operations in a backup directory: their time, duration, account and result.</summary>
/// <remarks>
/// <para>Every operation of this module records an event in the history of the backup directory, successful or not:
/// backups, tests, uploads, restores, removals, retention, merges. A failed one has the stable id and the message of its
/// error. An operation that Ctrl+C or a signal stopped has a status of its own, Stopped; a killed one leaves no event.</para>
/// <para>The history is .shbackup/history.db. It has the last 20,000 events; older ones continue in the counters of
/// Export-SHBackupMetric. Deleting it loses those counters, but no backup.</para>
/// <para>Filters are combined: an event is shown if it passes all of them.</para>
/// </remarks>
/// <example>
/// <para>Show the last ten operations</para>
/// <code>New-SHBackup ./app.db | Out-Null; Get-SHBackupHistory -BackupDirectory ./backups -Newest 10</code>
/// <para>Shows a table, newest first.</para>
/// </example>
/// <example>
/// <para>Count the failures of the last day</para>
/// <code>"failed: $(@(Get-SHBackupHistory -Failed -After ([datetime]::UtcNow.AddDays(-1))).Count)"</code>
/// <para>Each of these events has an ErrorId and an ErrorMessage.</para>
/// </example>
/// <example>
/// <para>Test the backup that was made last of one database</para>
/// <code>New-SHBackup ./app.db | Out-Null; (Get-SHBackupHistory -Database app.db -Operation Create -Succeeded -Newest 1).BackupId | Test-SHBackup</code>
/// <para>An event names its backup by id.</para>
/// </example>
/// <seealso>Export-SHBackupMetric</seealso>
/// <seealso>Get-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommon.Get, "SHBackupHistory", DefaultParameterSetName = AllSet, HelpUri = HelpPages.Folder + "Get-SHBackupHistory.md")]
[OutputType(typeof(BackupEvent))]
public sealed class GetSHBackupHistoryCommand : BackupCommand, IConfigurationOptional
{
    private const string AllSet = "All";

    private DatabaseFilter? databases;

    private readonly HashSet<string> shown = new(StringComparer.Ordinal);

    /// <summary>
    /// Events of these databases: the path (full, or from here, as ./app.db), or the file's name. Wildcards match several.
    /// Tab completes them.
    /// </summary>
    [Parameter(Position = 0)]
    [ArgumentCompleter(typeof(DatabaseCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Database { get; set; }

    /// <summary>Events of these operations.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public BackupOperation[]? Operation { get; set; }

    /// <summary>Events of these backups. Wildcards match several.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(BackupIdCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? BackupId { get; set; }

    /// <summary>Events of these schedules, and of their operations. Wildcards match several. Tab completes them.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(ScheduleNameCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Schedule { get; set; }

    /// <summary>Events that began at this moment or later. A time without an offset is local.</summary>
    [Parameter]
    public DateTimeOffset? After { get; set; }

    /// <summary>Events that began before this moment. A time without an offset is local.</summary>
    [Parameter]
    public DateTimeOffset? Before { get; set; }

    /// <summary>The number of newest events, after the other filters.</summary>
    [Parameter]
    [Alias("Last")]
    [ValidateRange(1, int.MaxValue)]
    public int? Newest { get; set; }

    /// <summary>Only failed operations.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Failed")]
    public SwitchParameter Failed { get; set; }

    /// <summary>Only successful operations.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Succeeded")]
    public SwitchParameter Succeeded { get; set; }

    /// <summary>Only operations that were stopped, by Ctrl+C or a signal.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Stopped")]
    public SwitchParameter Stopped { get; set; }

    /// <summary>
    /// Ignores the configuration file and the SHBACKUP_ environment variables, so that an error in them does not stop a
    /// restore: give the needed values as parameters, such as -BackupDirectory.
    /// </summary>
    [Parameter]
    public SwitchParameter NoConfiguration { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        // A pipeline of backups names their directory once for each backup.
        var directory = this.StopOnError(OpenDirectory);
        if (!shown.Add(directory.Path))
        {
            return;
        }

        var query = new EventQuery
        {
            Operations = Operation,
            Status = Failed ? BackupEventStatus.Failed : Succeeded ? BackupEventStatus.Success : Stopped ? BackupEventStatus.Stopped : null,
            After = After,
            Before = Before,
        };
        var events = this.StopOnError(() => Runner.Run(context => new EventHistory(directory).Read(query, context))).Where(IsWanted);
        WriteObject(Newest is { } count ? events.Take(count) : events, enumerateCollection: true);
    }

    private bool IsWanted(BackupEvent told) =>
        (databases ??= Databases(Database)).Passes(told.Database)
        && (BackupId is null || (told.BackupId is { } id && Array.Exists(BackupId, pattern => CmdletParameters.Matches(pattern, id))))
        && (Schedule is null || (told.Schedule is { } schedule && Array.Exists(Schedule, pattern => CmdletParameters.Matches(pattern, schedule))));
}
