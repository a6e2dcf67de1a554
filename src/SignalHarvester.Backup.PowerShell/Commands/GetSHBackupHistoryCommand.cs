using System.Management.Automation;
using SignalHarvester.Backup.History;
using SignalHarvester.Backup.PowerShell.Completion;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Shows what was done in a backup directory: who did what, when, for how long, and how it ended.</summary>
/// <remarks>
/// <para>Every operation of this module leaves an event in the history of the backup directory, however it ended: backups,
/// tests, uploads, restores, removals, retention, merges. A failed one has the stable id of its error and what it said.
/// What was stopped counts as failed, with the error id Stopped; what was killed leaves none.</para>
/// <para>The history lies in .shbackup/history.db. It holds the last 20,000 events; older ones live on in the counters that
/// Export-SHBackupMetric derives from it. Deleting it loses those counters, and no backup.</para>
/// <para>The filters are combined: an event is shown when it passes all of them.</para>
/// </remarks>
/// <example>
/// <para>Show the last ten things that were done</para>
/// <code>New-SHBackup ./app.db | Out-Null; Get-SHBackupHistory -BackupDirectory ./backups -Newest 10</code>
/// <para>Shows a table, newest first.</para>
/// </example>
/// <example>
/// <para>Count what failed in the last day</para>
/// <code>"failed: $(@(Get-SHBackupHistory -Failed -After ([datetime]::UtcNow.AddDays(-1))).Count)"</code>
/// <para>Each of these events has an ErrorId and an ErrorMessage.</para>
/// </example>
/// <example>
/// <para>Test the backup that was made last of one database</para>
/// <code>New-SHBackup ./app.db | Out-Null; (Get-SHBackupHistory -Database app.db -Operation Create -Succeeded -Newest 1).BackupId | Test-SHBackup</code>
/// <para>An event names the backup that it concerns by its id.</para>
/// </example>
/// <seealso>Export-SHBackupMetric</seealso>
/// <seealso>Get-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommon.Get, "SHBackupHistory", DefaultParameterSetName = AllSet)]
[OutputType(typeof(BackupEvent))]
public sealed class GetSHBackupHistoryCommand : BackupCommand, IConfigurationOptional
{
    private const string AllSet = "All";

    private DatabaseFilter? databases;

    private readonly HashSet<string> shown = new(StringComparer.Ordinal);

    /// <summary>Events that concern these databases: the path (full, or from here, as ./app.db), or the file's name. Wildcards match several. Tab completes them.</summary>
    [Parameter(Position = 0)]
    [ArgumentCompleter(typeof(DatabaseCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Database { get; set; }

    /// <summary>Events of these operations.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public BackupOperation[]? Operation { get; set; }

    /// <summary>Events that concern these backups. Wildcards match several.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(BackupIdCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? BackupId { get; set; }

    /// <summary>Events of these schedules, and of what ran for them. Wildcards match several. Tab completes them.</summary>
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

    /// <summary>The newest so many of the events that pass the other filters.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int? Newest { get; set; }

    /// <summary>Only what failed or was stopped.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Failed")]
    public SwitchParameter Failed { get; set; }

    /// <summary>Only what succeeded.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Succeeded")]
    public SwitchParameter Succeeded { get; set; }

    /// <summary>
    /// Looks at neither the configuration file nor the SHBACKUP_ environment variables, so that a mistake in them is in nobody's
    /// way: what is needed is given by parameters, such as -BackupDirectory.
    /// </summary>
    [Parameter]
    public SwitchParameter NoConfiguration { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        // A pipeline of backups names their directory once for each.
        var directory = this.StopOnError(OpenDirectory);
        if (!shown.Add(directory.Path))
        {
            return;
        }

        var query = new EventQuery
        {
            Operations = Operation,
            Status = Failed ? BackupEventStatus.Failed : Succeeded ? BackupEventStatus.Success : null,
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
