using System.Globalization;
using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.PowerShell.Binding;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.PowerShell.Keys;
using SignalHarvester.Backup.PowerShell.Stores;
using SignalHarvester.Backup.Protection;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Protects databases continuously: every commit is stored elsewhere within about a second.</summary>
/// <remarks>
/// <para>Follows databases in WAL mode while their applications use them, and stores what they commit as small segments in one store,
/// each about a second at most after the commit. Every hour it makes an ordinary backup of the pages that changed, without reading
/// the rest of the database; once a day it reads all of it, and tells of every page that differs although no transaction has written
/// it. Restore-SHBackup -PointInTime and -Transaction go back to any transaction, from the store alone.</para>
/// <para>It runs until Ctrl+C, a signal or Stop-SHBackupProtection stops it; then it stores what is left and leaves the database as an
/// application does. If the store cannot be reached for 30 seconds then, it says how many transactions are not stored.</para>
/// <para>The first start makes a full backup, or an increment of the newest one. A later start goes on where the last one ended. If
/// that cannot be proved (the log was begun anew meanwhile, the machine lost power), an ordinary backup of the pages that differ
/// takes the place of what is unknown, with a warning, and counts as a gap.</para>
/// <para>No table, setting or write transaction of ours is in the database. It holds read locks and runs SQLite's own passive checkpoints.
/// While it runs, PRAGMA journal_mode = DELETE and PRAGMA locking_mode = EXCLUSIVE do not work in the application. Stop it before you put another file in the
/// database's place, and do not open the database with another SQLite in the same process.</para>
/// <para>One writer owns a stream. If another machine has continued it, this one stops (StreamFenced), or does not start (StreamNotOurs)
/// unless -TakeOver is given. docs/CONTINUOUS.md says more.</para>
/// <para>On Windows and macOS it is refused, because SQLite's locks differ there and the proof is not done yet.</para>
/// </remarks>
/// <example>
/// <para>Protect a database, in a folder on another disk</para>
/// <code>Start-SHBackupProtection ./app.db -To ./offsite -CreateContainer -WhatIf</code>
/// <para>With -WhatIf it only says what it would do. Without, it protects the database until Ctrl+C.</para>
/// </example>
/// <example>
/// <para>Keep each transaction for a week, with an ordinary backup each half hour</para>
/// <code>Start-SHBackupProtection ./app.db -To ./offsite -CreateContainer -KeepTransactions 7d -BackupInterval 30m -WhatIf</code>
/// <para>The ordinary backups are listed, tested and removed like any others.</para>
/// </example>
/// <seealso>Get-SHBackupProtection</seealso>
/// <seealso>Stop-SHBackupProtection</seealso>
/// <seealso>Get-SHBackupTransaction</seealso>
/// <seealso>Restore-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(
    VerbsLifecycle.Start, "SHBackupProtection", SupportsShouldProcess = true, DefaultParameterSetName = PathSet,
    HelpUri = HelpPages.Folder + "Start-SHBackupProtection.md")]
[OutputType(typeof(void))]
public sealed class StartSHBackupProtectionCommand : BackupCommand, IStreamParameters
{
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";

    private readonly UploadParameters storeParameters = new();
    private readonly IdentityParameters keys = new();
    private readonly List<(string Database, BackupDirectory Directory)> databases = [];
    private BackupEncryption? encryption;
    private ContinuousSettings wanted = null!;
    private bool isNamed;

    /// <summary>Makes the cmdlet.</summary>
    public StartSHBackupProtectionCommand()
    {
        AddParameters(new TargetParameters());
        AddParameters(storeParameters, isHidden: true);
        AddParameters(keys);
    }

    /// <summary>The database files. Wildcards match several. Without it, the databases of the configuration.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = PathSet)]
    [ArgumentCompleter(typeof(DatabaseFileCompleter))]
    [Alias("Path")]
    [SupportsWildcards]
    [NameOf(typeof(FileSystemInfo), typeof(PathInfo))]
    [ValidateNotNullOrEmpty]
    public string[] DatabasePath { get; set; } = [];

    /// <summary>The database files, by their literal paths: no character is a wildcard. Accepts files from the pipeline.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [ArgumentCompleter(typeof(DatabaseFileCompleter))]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>
    /// Seconds between two segments in the long run, 0.1 to 3600. The first ones after a pause go at once, and one at a time is on its way.
    /// Without it, as configured, else 1.
    /// </summary>
    [Parameter]
    [ValidateRange(0.1, 3600.0)]
    public double? Interval { get; set; }

    /// <summary>The time between two ordinary backups, such as 1h, if anything was committed: a minute to a week. Without it, as configured, else 1h.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(AgeCompleter))]
    [ValidateNotNull]
    public BackupAge? BackupInterval { get; set; }

    /// <summary>
    /// The time between two audits, such as 1d: a minute to a year. In an audit an ordinary backup reads every page, and holds the database against its
    /// transactions: whatever differs from the backup before must have been written by one. There is none more often than an ordinary backup. Without it,
    /// as configured, else 1d.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(AgeCompleter))]
    [ValidateNotNull]
    public BackupAge? AuditInterval { get; set; }

    /// <summary>
    /// How long every transaction can be restored, such as 1d. Older segments are deleted, once a later ordinary backup has passed its test.
    /// Without it, as configured, else 1d.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(AgeCompleter))]
    [ValidateNotNull]
    public BackupAge? KeepTransactions { get; set; }

    /// <summary>Leaves old segments in the store: this account may not delete there, or rules of the store do.</summary>
    [Parameter]
    public SwitchParameter KeepRemote { get; set; }

    /// <summary>Goes on in the place of another writer of the stream, which then stops. Make sure that it is not the one that should go on.</summary>
    [Parameter]
    public SwitchParameter TakeOver { get; set; }

    /// <summary>
    /// Runs no checkpoints: the application runs them itself. If it does not, the database's log grows without end. Only if it is the last one to leave the
    /// database, it copies the log to it, as every application does.
    /// </summary>
    [Parameter]
    public SwitchParameter NoCheckpoint { get; set; }

    /// <summary>
    /// The retention policy of the ordinary backups. Invoke-SHBackupRetention keeps, whatever its rules, those from which transactions can be restored.
    /// </summary>
    [Parameter]
    public RetentionPolicy RetentionPolicy { get; set; } = RetentionPolicy.Daily;

    /// <summary>
    /// Encrypts segments and backups to these age public keys, which begin with age1. Without it, to the recipients of the configuration.
    /// </summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? Recipient { get; set; }

    /// <summary>
    /// Protects in this process instead of a new one. Only for a process that does nothing else, such as a service: if anything in it opens and closes one
    /// of the database's files, the system drops the locks of all.
    /// </summary>
    [Parameter]
    public SwitchParameter ThisProcess { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        encryption = this.StopOnError(() => NewEncryption(Recipient, null, nameof(Recipient)));
        UseIdentities(keys, passphrase: null);
        wanted = this.StopOnError(() => this.ToJob().Over(Settings.Continuous));
        var (audits, backups) = (wanted.AuditInterval, wanted.BackupInterval);
        if (audits < backups && !ThisProcess)
        {
            // Where it is started by hand, and not again in the process that this one starts.
            WriteWarning(
                $"An audit is part of an ordinary backup, and these are made each {(BackupAge)backups}, so there is none more often than that. For one each {(BackupAge)audits} give -BackupInterval {(BackupAge)audits}, too.");
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var path in ParameterSetName == PathSet ? DatabasePath : LiteralPath)
        {
            isNamed = true;
            this.ReportErrors(() => databases.AddRange(
                (ParameterSetName == PathSet ? this.ExpandPath(path) : [this.FileSystemPath(path)]).Select(With)));
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (isNamed && databases.Count == 0)
        {
            // Why is said already.
            return;
        }

        if (!isNamed && !MyInvocation.ExpectingInput)
        {
            databases.AddRange(Settings.Databases.Select(database => With(database.Path)));
        }

        if (databases.Count == 0)
        {
            ThrowTerminatingError(new BackupException(
                BackupErrorId.DatabaseRequired, nameof(DatabasePath),
                "No database was given, and none is configured. Give its path, or set app.database_path in the configuration; see Get-SHBackupConfiguration.")
                .ToRecord());
        }

        var location = this.StopOnError(() => Stores(storeParameters).ForStream);
        var store = this.StopOnError(() => OpenStore(storeParameters, location));
        var asked = databases.Where(entry => ShouldProcess(entry.Database, $"Protect continuously, to {store.Location}")).ToList();
        if (asked.Count == 0)
        {
            return;
        }

        var allowed = this.StopOnError(() => Runner.Run(context => ProtectionHost.Resolve(asked, store, context))).ToList();
        if (!ThisProcess)
        {
            RunElsewhere(allowed);
            return;
        }

        WriteInformation(
            new HostInformationMessage
            {
                Message = string.Create(
                    CultureInfo.InvariantCulture,
                    $"Protecting {(allowed is [var one] ? $"'{one.Database}'" : $"{allowed.Count} databases")} to '{store.Location}' until Ctrl+C or Stop-SHBackupProtection."),
            },
            ["PSHOST"]);
        var options = ProtectionOptions.Of(wanted) with
        {
            TakesOver = TakeOver,
            CreatesContainer = Stores(storeParameters).CreatesContainer(store.Location),
            RetentionPolicy = RetentionPolicy,
            Encryption = encryption,
            Compression = Settings.Compression,
            CompressionLevel = Settings.CompressionLevel,
        };
        var told = new HashSet<string>(StringComparer.Ordinal);
        foreach (var outcome in Runner.Run(context => ProtectionHost.Run(allowed, store, options, context)))
        {
            // What concerns the store is told of each database.
            if (outcome.Fault is { } fault && told.Add(fault.Message))
            {
                WriteError(fault.ToRecord());
            }
        }
    }

    private void RunElsewhere(List<(string Database, BackupDirectory Directory)> allowed)
    {
        var code = Runner.Run(context => new ProtectionProcess(this).Run(
            [.. allowed.Select(entry => entry.Database)],
            () =>
            {
                foreach (var (database, directory) in allowed)
                {
                    ProtectionHost.RequestStop(directory, database);
                }
            },
            context.Cancellation));
        if (code == 0)
        {
            return;
        }

        var faults = allowed
            .Select(entry => ProtectionHost.Find(entry.Directory).FirstOrDefault(status => status.Database == entry.Database))
            .OfType<BackupProtection>()
            .Where(status => status is { ErrorId: not null, Problem: not null })
            .ToList();
        foreach (var fault in faults.DistinctBy(fault => fault.Problem))
        {
            WriteError(new BackupException(fault.ErrorId!, fault.Database, fault.Problem!).ToRecord());
        }

        foreach (var (database, directory) in allowed.Where(entry => faults.Exists(fault => fault.Database == entry.Database && IsRefusal(fault.ErrorId!))))
        {
            this.ReportErrors(() => ProtectionHost.ForgetUnbegun(directory, database));
        }

        if (faults.Count == 0)
        {
            // Another process may have begun to protect one of them meanwhile.
            this.StopOnError(() => allowed.ForEach(entry => ProtectionHost.RefuseRunning(entry.Directory, entry.Database)));
            WriteError(new BackupException(
                BackupErrorId.StreamBehind, BackupErrorCategory.NotSpecified, allowed[0].Database,
                $"The process that protected '{allowed[0].Database}' has ended with code {code.ToString(CultureInfo.InvariantCulture)}; what it said is above. Start it again: it goes on where it ended.")
                .ToRecord());
        }
    }

    /// <summary>Whether an error says that the file is none that can be protected, as a mistyped one.</summary>
    private static bool IsRefusal(string errorId) =>
        errorId is BackupErrorId.SourceNotSqlite or BackupErrorId.ProtectionRefused or BackupErrorId.SourceNotFound or BackupErrorId.SourceUnreadable;

    private (string Database, BackupDirectory Directory) With(string path) =>
        (path, string.IsNullOrEmpty(BackupDirectory) ? OpenConfigured(Settings.BackupDirectoryOf(path)) : OpenDirectory());
}
