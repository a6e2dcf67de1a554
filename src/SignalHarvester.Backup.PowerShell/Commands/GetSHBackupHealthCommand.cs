using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Health;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.Scheduling;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Checks the health of each database's backups, with the fix for each problem.</summary>
/// <remarks>
/// <para>Checks the age of the newest verified backup (against health.rpo of the configuration), the last restore drill
/// (against health.rto), the chains, the schedules and their last runs, the copies (three, in two kinds of place, one of them
/// off-site), encryption, the time until the disk is full, the last scrub, and continuous protection, if there is one: whether it goes
/// on, its lag, the measured time from commit to storage, what can be restored, and gaps. Each check is Ok, Warning or Critical,
/// with the reason and the command that fixes it. It changes nothing, and reads no backup.</para>
/// <para>It also shows configured databases without a backup, and missing directories.</para>
/// <para>-AsHtml emits one page instead: the numbers at the top, what needs attention (each kind of problem once, however many databases have
/// it), failures, next runs, the newest backups, the places of all copies, and charts. It has no scripts and makes no requests, is light
/// or dark as the reader's system, and fits a phone, a mail and paper.</para>
/// </remarks>
/// <example>
/// <para>Show the health of all databases, the worst first</para>
/// <code>Get-SHBackupHealth</code>
/// <para>Shows a line for each database, with its problems.</para>
/// </example>
/// <example>
/// <para>Show all checks, with the commands that fix the problems</para>
/// <code>(Get-SHBackupHealth).Checks</code>
/// <para>Each check has Status, Reason and Command.</para>
/// </example>
/// <example>
/// <para>Write a page to mail or to print</para>
/// <code>Get-SHBackupHealth -AsHtml -Path ./health.html -Title 'Backups of the shop'</code>
/// <para>Emits the path of the page. Without -Path, it emits the page itself.</para>
/// </example>
/// <example>
/// <para>Fail a script if data would be lost</para>
/// <code>if (Get-SHBackupHealth | Where-Object Status -eq Critical) { 'something is wrong' } else { 'all is well' }</code>
/// <para>The status of a database is the worst of its checks.</para>
/// </example>
/// <seealso>Invoke-SHBackupScrub</seealso>
/// <seealso>Get-SHBackupHistory</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(
    VerbsCommon.Get, "SHBackupHealth", DefaultParameterSetName = ObjectSet, SupportsShouldProcess = true,
    HelpUri = HelpPages.Folder + "Get-SHBackupHealth.md")]
[OutputType(typeof(BackupHealth), ParameterSetName = [ObjectSet])]
[OutputType(typeof(string), ParameterSetName = [HtmlSet])]
public sealed class GetSHBackupHealthCommand : BackupCommand
{
    private const string ObjectSet = "Object";
    private const string HtmlSet = "Html";

    private DatabaseFilter? databases;

    /// <summary>
    /// Databases: the path (full, or from here, as ./app.db), or the file's name. Wildcards match several. Without it, all.
    /// Tab completes them.
    /// </summary>
    [Parameter(Position = 0)]
    [ArgumentCompleter(typeof(DatabaseCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Database { get; set; }

    /// <summary>Emits one page with charts instead of objects.</summary>
    [Parameter(Mandatory = true, ParameterSetName = HtmlSet)]
    public SwitchParameter AsHtml { get; set; }

    /// <summary>The file for the page. An existing file is replaced. Without it, the page is emitted.</summary>
    [Parameter(ParameterSetName = HtmlSet)]
    [Alias("LiteralPath")]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>The title of the page, such as the name of the machine or the customer. Without it: Backup health.</summary>
    [Parameter(ParameterSetName = HtmlSet)]
    [ValidateNotNullOrEmpty]
    public string? Title { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => NoteDirectories();

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (NotedDirectories.Count == 0)
        {
            return;
        }

        var schedules = Schedules();
        var reports = NotedDirectories.Select(path => Look(OpenConfigured(path), schedules)).OfType<HealthReport>().ToList();
        if (!AsHtml)
        {
            WriteObject(reports.SelectMany(report => report.Databases), enumerateCollection: true);
            return;
        }

        var page = HealthPage.Of(reports, schedules, Title, TimeProvider.System.GetUtcNow());
        if (Path is null)
        {
            WriteObject(page);
            return;
        }

        this.ReportErrors(() =>
        {
            var path = this.FileSystemPath(Path);
            if (ShouldProcess(path, "Write the health report"))
            {
                HealthPage.Write(path, page);
                WriteObject(path);
            }
        });
    }

    private HealthReport? Look(BackupDirectory directory, IReadOnlyList<BackupSchedule> schedules)
    {
        HealthReport? report = null;
        var faults = new List<BackupException>();
        this.ReportErrors(() => report = Runner.Run(context => HealthReport.Of(directory, Settings, schedules, faults.Add, context)).Where(IsWanted));
        foreach (var fault in faults)
        {
            WriteError(fault.ToRecord());
        }

        return report;
    }

    private IReadOnlyList<BackupSchedule> Schedules()
    {
        var faults = new List<BackupException>();
        var registry = new ScheduleRegistry(ScheduleCommand.ManifestPath(this), TimeProvider.System);
        var found = Runner.Run(_ => registry.List(scope: null, faults.Add));
        foreach (var fault in faults)
        {
            WriteError(fault.ToRecord());
        }

        return found;
    }

    private bool IsWanted(BackupHealth health) =>
        (databases ??= Databases(Database)).Passes(health.DatabasePath);
}
