using System.Globalization;
using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Operations.Rows;
using SignalHarvester.Backup.PowerShell.Binding;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.PowerShell.Stores;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Standby;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Restores a database from a backup.</summary>
/// <remarks>
/// <para>First the backup is unpacked beside the destination and checked; until that has passed, the destination is not
/// touched. Then the old database is kept as a safety backup, listed like any other, and replaced. A database that SQLite
/// can open is replaced through SQLite in one transaction, even while the application has it open; a missing or broken
/// one is replaced as a file. Whenever it is killed, the destination is either the old database or the new one.</para>
/// <para>A backup that builds on others is assembled from its chain: each page is written once, from its newest version.
/// -WhatIf shows the plan: the files and bytes to read, and the bytes to write.</para>
/// <para>-PointInTime restores the newest backup at or before a moment, and says which one that is and how far it is from
/// the moment. Where a store (-From) has a stream of transactions of the database, from continuous protection, the last
/// transaction at or before the moment is restored, if that is nearer; -Transaction restores one by its number, as
/// Get-SHBackupTransaction lists and pipes them. -Delta writes only the differing pages, in one atomic step; then the database must not be open
/// elsewhere.</para>
/// <para>-Follow keeps a file as a warm standby of a database that is protected continuously: it is restored from the store, then each later
/// transaction is applied within about a second of its storage, until the command is stopped. Applications can read the standby meanwhile; they see
/// whole transactions only. Started again, it goes on where it ended. -Promote makes it the primary: one object in the store fences whatever
/// protects the database elsewhere. docs/STANDBY.md describes both.</para>
/// <para>Without -Destination the configured database is replaced; if several are configured, the one that the backup was
/// made from. If none is configured, the database goes back to its original path, after a question that shows the path.
/// -Force asks no question, so it needs -Destination, unless the path or the file name shows that the backup is of the
/// configured database.</para>
/// <para>With -Remote, or for a backup from Get-SHBackup -Remote, the needed files are first fetched from the object
/// store into .shbackup of the backup directory, and deleted after the restore. The next restore resumes a broken
/// download.</para>
/// <para>-Table restores single tables, and -Where single rows, into the database of -Into, which stays in use: existing
/// rows with the same primary key (or rowid) are left unchanged or replaced, or all rows go into a separate table
/// (-RowAction). All of it happens in one transaction. Triggers fire, as for any other change; generated columns are
/// computed; if rows would refer to missing rows, or do not fit, nothing is changed. The backup is not unpacked or fetched
/// for it: only what the rows need is read, and what is read proves itself, as Invoke-SHBackupQuery says. Find-SHBackup finds
/// the newest backup that has the rows.</para>
/// <para>A restore does not overwrite a different database (one with backups of its own, or with other table names than
/// the backup) unless -AllowOtherDatabase is given. Backups of several databases cannot go to one destination.</para>
/// <para>Before a file is overwritten, a question names the backup and the file; Enter means No. A restore to a new file asks
/// nothing. -Force or -Confirm:$false answer the question in advance.</para>
/// <para>The result is the backup with RestoredTo, RestoredTransaction and RestoredMoment (of a transaction), RestoredBytes, RestoredRows, Elapsed,
/// Detail, SafetyBackupId and SafetyBackupPath, so it can be piped to the other cmdlets.</para>
/// <para>The last three safety backups of a database stay. They never count as the newest backup.</para>
/// </remarks>
/// <example>
/// <para>Restore the newest backup to a new file</para>
/// <code>Get-SHBackup -Database app.db -Newest 1 | Restore-SHBackup -Destination ./restored.db</code>
/// <para>Restores, checks the result, and says where it is, how large, and what was checked.</para>
/// </example>
/// <example>
/// <para>Preview a restore</para>
/// <code>Get-SHBackup -Database app.db -Newest 1 | Restore-SHBackup -Destination ./app.db -WhatIf</code>
/// <para>Shows the backup, the file that it would replace, the files to read, and the bytes to write.</para>
/// </example>
/// <example>
/// <para>Restore the state before an accident</para>
/// <code>Restore-SHBackup -PointInTime '2030-01-01T00:00Z' -Database app.db -Destination ./before.db</code>
/// <para>Restores the newest backup of app.db at or before that moment, and says how far it is from it.</para>
/// </example>
/// <example>
/// <para>Restore a database as one transaction left it</para>
/// <code>
/// # A store with a stream of transactions, as continuous protection keeps it, is needed for this.
/// if ($false) {
///     Restore-SHBackup -Transaction 4711 -Database app.db -From offsite -Destination ./before.db
///     Get-SHBackupTransaction -From offsite -Database app.db -Newest 3 | Restore-SHBackup -Destination { "./$($_.Transaction).db" }
/// }
/// </code>
/// <para>Restores it as transaction 4711 left it, then as each of the last three did. Get-SHBackupTransaction lists their numbers.</para>
/// </example>
/// <example>
/// <para>Keep a warm standby, and make it the primary when the other machine is lost</para>
/// <code>
/// # A store with a stream of transactions, as continuous protection keeps it, is needed for this.
/// if ($false) {
///     Restore-SHBackup -Follow -Database app.db -From offsite -Destination /data/app.db
///     Restore-SHBackup -Promote -Database app.db -From offsite -Destination /data/app.db -Force
/// }
/// </code>
/// <para>The first one runs until it is stopped; applications can read the file meanwhile. After the second one it is an ordinary database.</para>
/// </example>
/// <example>
/// <para>Undo the changes since the newest backup, writing little</para>
/// <code>Get-SHBackup -Database app.db -Newest 1 | Restore-SHBackup -Destination ./app.db -Delta -Force</code>
/// <para>Compares the database with the backup and writes only the differing pages.</para>
/// </example>
/// <example>
/// <para>Restore over a database in use</para>
/// <code>Get-SHBackup -Verified -Database app.db -Newest 1 | Restore-SHBackup -Destination ./app.db -Force -Verbose</code>
/// <para>Keeps the present state as a safety backup, then replaces the database in one transaction.</para>
/// </example>
/// <example>
/// <para>Bring back accidentally deleted rows</para>
/// <code>Get-SHBackup -Database app.db -Newest 1 | Restore-SHBackup -Table customer -Where 'id &lt;= 10' -Into ./app.db -Force</code>
/// <para>Existing rows stay unchanged; missing rows come back. Emits their number.</para>
/// </example>
/// <seealso>Get-SHBackup</seealso>
/// <seealso>Test-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsData.Restore, "SHBackup", SupportsShouldProcess = true, DefaultParameterSetName = IdSet, HelpUri = HelpPages.Folder + "Restore-SHBackup.md")]
[OutputType(typeof(BackupRestoreResult), typeof(RestoredRows), typeof(BackupStandby))]
public sealed class RestoreSHBackupCommand : DecryptingCommand, IConfigurationOptional
{
    private const string PathSet = "Path";
    private const string PointInTimeSet = "PointInTime";
    private const string TransactionSet = "Transaction";
    private const string TransactionObjectSet = "TransactionObject";
    private const string FollowSet = "Follow";
    private const string PromoteSet = "Promote";

    private readonly StoreParameters storeParameters = new();
    private readonly FormerRestoreParameters former = new();
    private readonly HashSet<string> restored = new(StringComparer.Ordinal);
    private readonly List<Choice> chosen = [];
    private readonly OverwriteQuestion question;

    /// <summary>Makes the cmdlet.</summary>
    public RestoreSHBackupCommand()
    {
        question = new OverwriteQuestion(this);
        AddSource(storeParameters);
        AddParameters(former, isHidden: true);
    }

    /// <summary>
    /// A backup file. If there is a sidecar beside it, its records are used; otherwise only the file's content is checked.
    /// </summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = PathSet)]
    [Alias("Path", "PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>
    /// The database file to write. Without it, the configured database, else the backup's original path, after a question.
    /// For several backups, a script block gives each its own file: { "./$($_.Id).db" }.
    /// </summary>
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string? Destination { get; set; }

    /// <summary>
    /// The moment to restore: the newest backup at or before it is used. A time without an offset is local.
    /// Backups that failed their verification, and safety backups, do not count.
    /// </summary>
    [Parameter(Mandatory = true, ParameterSetName = PointInTimeSet)]
    [ArgumentCompleter(typeof(MomentCompleter))]
    public DateTimeOffset PointInTime { get; set; }

    /// <summary>
    /// The transaction to restore, by its number in the stream that continuous protection keeps in a store: give the store with -From.
    /// Get-SHBackupTransaction lists the transactions.
    /// </summary>
    [Parameter(Mandatory = true, ParameterSetName = TransactionSet)]
    [ValidateRange(0, long.MaxValue)]
    public long Transaction { get; set; }

    /// <summary>A transaction, as Get-SHBackupTransaction emits it, in the store that it names (or that of -From).</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = TransactionObjectSet)]
    [Kind(typeof(BackupTransaction))]
    [ValidateNotNull]
    public BackupTransaction? InputTransaction { get; set; }

    /// <summary>
    /// Keeps -Destination as a standby of a database that is protected continuously: restores the newest transaction from the store of -From, then
    /// applies each later one within about a second of its storage, until it is stopped. Meanwhile the standby can be read; to write to it, promote it.
    /// </summary>
    [Parameter(Mandatory = true, ParameterSetName = FollowSet)]
    public SwitchParameter Follow { get; set; }

    /// <summary>
    /// Makes the standby of -Destination the primary: what protects the database elsewhere is fenced by one object in the store, everything that it has
    /// stored before is applied, and the file is an ordinary database. Stop the -Follow of it first.
    /// </summary>
    [Parameter(Mandatory = true, ParameterSetName = PromoteSet)]
    public SwitchParameter Promote { get; set; }

    /// <summary>
    /// With -PointInTime, -Transaction, -Follow and -Promote: the database, by its path (full, or from here, as ./app.db) or its file's name. Needed if the
    /// directory has backups of several.
    /// </summary>
    [Parameter(ParameterSetName = PointInTimeSet)]
    [Parameter(ParameterSetName = TransactionSet)]
    [Parameter(ParameterSetName = FollowSet)]
    [Parameter(ParameterSetName = PromoteSet)]
    [ArgumentCompleter(typeof(DatabaseCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string? Database { get; set; }

    /// <summary>
    /// Writes only the pages that differ from the backup. The backup must have passed a full test, and no other process may
    /// have the database open; if there is nothing to compare with, the whole database is written, with a warning.
    /// </summary>
    [Parameter]
    public SwitchParameter Delta { get; set; }

    /// <summary>
    /// Restores only these tables, into the database of -Into, which stays in use: in one transaction, so either all of it or
    /// nothing. A safety backup is made first.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(TableCompleter))]
    [ValidateNotNullOrEmpty]
    public string[]? Table { get; set; }

    /// <summary>
    /// With -Table: the rows to restore, as a condition in SQL, such as "created_at >= '2026-11-10'". It applies to every table of -Table.
    /// Without it, all.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(ColumnCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Where { get; set; }

    /// <summary>With -Table: the database for the rows. Its application may be running.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(DatabaseFileCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Into { get; set; }

    /// <summary>
    /// With -Table: what happens to existing rows with the same primary key (or rowid). InsertMissing leaves them; Replace
    /// gives them the backup's values; SideTable puts the rows into a new table named after the backup.
    /// </summary>
    [Parameter]
    public RowAction RowAction { get; set; }

    /// <summary>Asks no question. Without -Destination, the configured database is replaced if the backup is of it; otherwise that is an error.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>
    /// Restores over a different database: one with backups of its own in the same place, or one with other table names.
    /// Without it, that is an error, even with -Force.
    /// </summary>
    [Parameter]
    public SwitchParameter AllowOtherDatabase { get; set; }

    /// <summary>Skips the check of structure, rows and indexes, and the comparison of schema and row counts. Checksums are compared in any case.</summary>
    [Parameter]
    public SwitchParameter NoVerify { get; set; }

    /// <summary>Makes no safety backup of the old database.</summary>
    [Parameter]
    public SwitchParameter NoSafetyBackup { get; set; }

    /// <summary>
    /// Overwrites a file that has names (hard links) outside its folder and no log beside this one. Use it only if no program
    /// writes to the file by another name. The restore changes all names of the file. Without it, that is an error.
    /// </summary>
    [Parameter]
    public SwitchParameter AllowHardLink { get; set; }

    /// <summary>Seconds to wait for locks that other processes hold on the destination, 0 to 86400.</summary>
    [Parameter]
    [ValidateRange(0, 86400)]
    public int LockTimeout { get; set; } = 30;

    /// <summary>
    /// Restores from a store: from that of -From (or of -Provider and -Container), else the place that listed the backup, else
    /// that of its first copy. The download is deleted after the restore.
    /// </summary>
    [Parameter]
    public SwitchParameter Remote { get; set; }

    /// <summary>
    /// Ignores the configuration file and the SHBACKUP_ environment variables, so that an error in them does not stop a
    /// restore: give the needed values as parameters, such as -BackupDirectory, -Destination and -IdentityFile.
    /// </summary>
    [Parameter]
    public SwitchParameter NoConfiguration { get; set; }

    private bool IsRemote => Remote || Follow || Promote || former.FromCloud || NamedStores.Count > 0;

    private protected override string? MissingStoreSwitch => IsRemote ? null : "-Remote";

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        if ((Table is null) != (Into is null) || (Table is null && (Where is not null || this.IsBound(nameof(RowAction))))
            || (Table is not null && (Destination is not null || Delta)))
        {
            ThrowTerminatingError(BackupException.InvalidArgument(
                nameof(Table),
                "To restore rows, give the tables with -Table and the database with -Into, and optionally -Where and -RowAction; omit -Destination and -Delta, which are for whole databases.")
                .ToRecord());
        }

        if ((Follow || Promote) && (Destination is null || Table is not null || Delta))
        {
            ThrowTerminatingError(BackupException.InvalidArgument(
                nameof(Destination),
                "-Follow and -Promote concern one whole file: give the standby with -Destination, and neither -Table nor -Delta.").ToRecord());
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        HasInput = true;
        if (Follow || Promote)
        {
            this.ReportErrors(KeepStandby);
            return;
        }

        // Each backup may have its own destination. The parameter is no longer bound after the last one.
        var given = Into ?? Destination;
        if (ParameterSetName == TransactionObjectSet)
        {
            this.ReportErrors(() => Choose(OfObject(InputTransaction!)));
            return;
        }

        foreach (var one in ParameterSetName switch
        {
            PathSet => Files(LiteralPath, IsRemote).Select(source => (source, (StreamPlan?)null)),
            PointInTimeSet => [AtPointInTime()],
            TransactionSet => [OfNumber()],
            _ => Selected(storeParameters, IsRemote).Select(source => (source, (StreamPlan?)null)),
        })
        {
            this.ReportErrors(() => Choose(one));
        }

        void Choose((BackupSource Source, StreamPlan? Stream) found) =>
            chosen.Add(new Choice(found.Source, given is null ? null : this.FileSystemPath(given), found.Stream));
    }

    /// <summary>
    /// Restores the backups of the whole pipeline. After the first one alone, nobody knows whether backups of several databases would
    /// go to one place.
    /// </summary>
    protected override void EndProcessing()
    {
        WarnOfNoInput("nothing was restored");
        foreach (var choices in chosen.GroupBy(choice => choice.Given ?? ConfiguredFor(choice.Backup) ?? choice.Backup.DatabasePath, StringComparer.Ordinal))
        {
            // Among backups for a configured database, those of that database may go there; the others are refused one by one.
            var databases = choices.Select(choice => choice.Backup.DatabasePath).Distinct(StringComparer.Ordinal).ToList();
            if (databases.Count > 1 && (choices.Any(choice => choice.Given is not null) || !databases.Contains(choices.Key, StringComparer.Ordinal)))
            {
                WriteError(Ambiguous(choices.Key, databases).ToRecord());
                continue;
            }

            foreach (var choice in choices)
            {
                this.ReportErrors(() =>
                {
                    if (Table is null)
                    {
                        Restore(choice);
                    }
                    else
                    {
                        BringRowsBack(choice);
                    }
                });
            }
        }
    }

    private static BackupException Ambiguous(string? destination, List<string?> databases) => new(
        BackupErrorId.DatabaseAmbiguous, destination,
        $"Backups of {databases.Count.ToString(CultureInfo.InvariantCulture)} databases were given for one destination, '{destination}': {string.Join(", ", databases.Take(5).Select(path => path ?? "an unknown database"))}{(databases.Count > 5 ? " ..." : string.Empty)}. It was not changed. Choose one with Get-SHBackup -Database.");

    private void BringRowsBack(Choice choice)
    {
        var (source, into) = (choice.Source, choice.Given!);
        var rows = $"{(Where is null ? "all rows" : $"the rows where {Where}")} of {string.Join(", ", Table!)}";
        if (this.IsWhatIf && !AllowOtherDatabase)
        {
            // Called because it refuses to overwrite a different database; there is no other plan to show.
            _ = Runner.Run(context => BackupEngine.PlanRestore(source, into, context.Cancellation));
        }

        if (!question.AllowsUnlessForced(Force, into, string.Create(
            CultureInfo.InvariantCulture,
            $"Restore {rows} from {Named(choice)} ({RowAction})")))
        {
            return;
        }

        var options = new RestoreRowsOptions
        {
            Into = into,
            Stream = choice.Stream,
            Tables = Table!,
            Where = Where,
            Action = RowAction,
            AllowOtherDatabase = AllowOtherDatabase,
            SafetyDirectory = NoSafetyBackup ? null : source.Catalog.Home,
            Encryption = Settings.Encryption.ToEncryption(),
            AllowHardLink = AllowHardLink,
            LockTimeout = TimeSpan.FromSeconds(LockTimeout),
        };
        WriteObject(Runner.Run(context => BackupEngine.RestoreRows(source, options, context)), enumerateCollection: true);
    }

    private void Restore(Choice choice)
    {
        if (ConfirmDestination(choice) is { } destination)
        {
            RefuseTwice(choice, destination);
            WriteObject(Runner.Run(context => BackupEngine.Restore(choice.Source, Options(destination, choice), context)));
            restored.Add(destination);
        }
    }

    private RestoreOptions Options(string destination, Choice choice) => new()
    {
        Destination = destination,
        Stream = choice.Stream,
        SafetyDirectory = NoSafetyBackup ? null : choice.Source.Catalog.Home,
        Verify = GivenOr(nameof(NoVerify), !NoVerify, Settings.Verification.VerifyBeforeRestore),
        Delta = Delta,
        AllowOtherDatabase = AllowOtherDatabase,
        Encryption = Settings.Encryption.ToEncryption(),
        AllowHardLink = AllowHardLink,
        LockTimeout = TimeSpan.FromSeconds(LockTimeout),
    };

    private void KeepStandby()
    {
        var path = this.FileSystemPath(Destination!);
        if (Promote && !StandbyFollower.IsStandby(path))
        {
            throw new BackupException(
                BackupErrorId.StandbyNotFound, path,
                $"'{path}' is no standby: nobody keeps it with -Follow, or it was promoted already. It was not changed. Check the path.");
        }

        RequireStreamStore(Follow ? nameof(Follow) : nameof(Promote));
        var (listed, store) = ListedOf(Database, storeParameters, IsRemote);
        var database = StreamPlanner.DatabaseOf(listed, store!.Location);
        var action = Follow ? $"Follow {database} in {store.Location}" : $"Promote it: what protects {database} in {store.Location} is fenced";
        var isAsked = Promote || (RestorePlan.Overwrites(path) && !StandbyFollower.IsStandby(path));
        var isAgreed = isAsked
            ? question.AllowsUnlessForced(Force, path, Promote ? action : $"{action}, over the file there, {WhatIsKept}")
            : this.ShouldProcessUnlessForced(Force, path, action);
        if (!isAgreed)
        {
            return;
        }

        var home = OpenHome(listed[0]);
        var options = new RestoreOptions
        {
            Destination = path,
            SafetyDirectory = NoSafetyBackup ? null : home,
            Verify = GivenOr(nameof(NoVerify), !NoVerify, Settings.Verification.VerifyBeforeRestore),
            AllowOtherDatabase = AllowOtherDatabase,
            Encryption = Settings.Encryption.ToEncryption(),
            AllowHardLink = AllowHardLink,
            LockTimeout = TimeSpan.FromSeconds(LockTimeout),
        };
        Runner.Run(context =>
        {
            using var follower = StandbyFollower.BeginAsync(store, database, options, force: Follow && Force, home, context).GetAwaiter().GetResult();
            if (Promote)
            {
                follower.PromoteAsync().GetAwaiter().GetResult();
                context.Report(new OperationResult(follower.Status, 0));
                return;
            }

            context.Report(new OperationResult(follower.Status, 0));
            follower.RunAsync().GetAwaiter().GetResult();
        });
    }

    private (BackupSource Source, StreamPlan? Stream) AtPointInTime()
    {
        var (listed, store) = ListedOf(Database, storeParameters, IsRemote);
        return this.StopOnError(() =>
        {
            var stream = store is null ? null : Runner.Run(context => StreamPlanner.AtMoment(store, listed, PointInTime, context));
            if (stream is null)
            {
                var newest = AtMoment(listed, PointInTime);
                if (store is null && StreamPlanner.IsOfStream(newest))
                {
                    WriteWarning(
                        $"'{newest.DatabasePath}' was protected continuously when this backup was made, so its later transactions are in a store: with -From and that store, or -Remote, the last one before the moment is restored. This is the newest backup alone.");
                }

                return (Located(newest, store), null);
            }

            Say(string.Create(
                CultureInfo.InvariantCulture,
                $"Transaction {stream.Transaction} of {stream.Time.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff} UTC is the last one at or before {PointInTime.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff} UTC, {BackupAge.Between(stream.Time, PointInTime)} before it: '{stream.Start.Id}' and {Segments(stream)} after it."));
            return (Located(stream.Start, store), (StreamPlan?)stream);
        });
    }

    private (BackupSource Source, StreamPlan? Stream) OfNumber()
    {
        var (listed, store) = ListedOf(Database, storeParameters, IsRemote);
        return this.StopOnError(() =>
        {
            RequireStreamStore(nameof(Transaction));
            if (listed.Count == 0)
            {
                // That there is no such database says more than that it has no such transaction.
                _ = StreamPlanner.DatabaseOf(listed, store!.Location);
            }

            return OfTransaction(Transaction, listed, store!);
        });
    }

    private (BackupSource Source, StreamPlan? Stream) OfObject(BackupTransaction transaction)
    {
        var store = OpenStore(storeParameters, (IsRemote ? Stores(storeParameters).NamedOrOnly : null) ?? transaction.Store);
        var found = OfTransaction(transaction.Transaction, [.. List(store).Where(backup => backup.DatabasePath == transaction.DatabasePath)], store);
        return found.Stream!.Time == transaction.Timestamp ? found : throw new BackupException(
            BackupErrorId.TransactionNotFound, transaction.Transaction, string.Create(
                CultureInfo.InvariantCulture,
                $"Transaction {transaction.Transaction} in '{store.Location}' is another one than that of {transaction.Timestamp.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff} UTC, which was piped: numbers begin anew in each store. List the transactions with Get-SHBackupTransaction -From that store."));
    }

    private (BackupSource Source, StreamPlan? Stream) OfTransaction(long number, IReadOnlyList<BackupMetadata> listed, StoreCatalog store)
    {
        var stream = Runner.Run(context => StreamPlanner.OfTransaction(store, listed, number, context));
        Say(string.Create(
            CultureInfo.InvariantCulture,
            $"Transaction {stream.Transaction} is of {stream.Time.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff} UTC: '{stream.Start.Id}' and {Segments(stream)} after it."));
        return (Located(stream.Start, store), stream);
    }

    private void Say(string message) => WriteInformation(new HostInformationMessage { Message = message }, ["PSHOST"]);

    private static string Segments(StreamPlan stream) =>
        string.Create(CultureInfo.InvariantCulture, $"{stream.SegmentCount} segment{(stream.SegmentCount == 1 ? string.Empty : "s")}");

    /// <summary>Returns the name of what is restored, for questions.</summary>
    private static string Named(Choice choice) => choice.Stream is { } stream
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"transaction {stream.Transaction} of {choice.Backup.DatabasePath}, committed at {stream.Time.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff} UTC")
        : string.Create(CultureInfo.InvariantCulture, $"{Named(choice.Backup)}, made at {choice.Backup.Timestamp.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");

    /// <summary>Returns the path for the restore, once the user has agreed; null if not.</summary>
    private string? ConfirmDestination(Choice choice)
    {
        var (backup, given) = (choice.Backup, choice.Given);
        var action = $"Restore {Named(choice)} ({ProgressView.Size(backup.DatabaseSize ?? backup.Size)})";
        if (this.IsWhatIf)
        {
            ShowPlan(choice, action);
            return null;
        }

        if ((given ?? ConfiguredFor(backup)) is { } destination)
        {
            RefuseTwice(choice, destination);
            var isAgreed = RestorePlan.Overwrites(destination)
                ? question.AllowsUnlessForced(Force, destination, $"{action} over the file there, {WhatIsKept}")
                : this.ShouldProcessUnlessForced(Force, destination, action);
            return isAgreed ? destination : null;
        }

        if (backup.DatabasePath is not { Length: > 0 } origin || Force)
        {
            throw new BackupException(
                BackupErrorId.DestinationRequired,
                backup.Id,
                Force
                    ? $"-Force asks no question, so give the destination of '{backup.Id}' with -Destination."
                    : $"The backup '{backup.Id}' does not record its database. Give a file with -Destination.");
        }

        // It asks whatever -Confirm says, because the path comes from a file that others may have written.
        return question.Ask(
            $"{action} to '{origin}', its original path{(RestorePlan.Overwrites(origin) ? $", over the file there, {WhatIsKept}" : string.Empty)}?")
            ? origin
            : null;
    }

    private string WhatIsKept => NoSafetyBackup ? "which is not kept" : "which is kept as a safety backup";

    /// <summary>
    /// Returns the configured database to which a backup goes. With -Force nobody is asked, so a backup of a database with another
    /// name must not replace the one that happens to be configured.
    /// </summary>
    private string? ConfiguredFor(BackupMetadata backup)
    {
        var paths = Settings.Databases.Select(database => database.Path).ToList();
        var own = paths.Find(path => path == backup.DatabasePath) ?? (paths.FindAll(IsOfSameName) is [var only] ? only : null);
        return own ?? (paths is [var single] && !Force ? single : null);

        bool IsOfSameName(string path) => backup.DatabasePath?.Split('/', '\\')[^1] == Path.GetFileName(path);
    }

    private void ShowPlan(Choice choice, string action)
    {
        var known = choice.Given ?? ConfiguredFor(choice.Backup) ?? choice.Backup.DatabasePath;
        var plan = Runner.Run(context => BackupEngine.PlanRestore(choice.Source, AllowOtherDatabase ? null : known, context.Cancellation));
        var (segments, segmentBytes) = (choice.Stream?.SegmentCount ?? 0, choice.Stream?.SegmentBytes ?? 0);
        var destination = known ?? "the file given with -Destination";
        var lines = (segments == 0 ? [] : new[] { $"  read  {ProgressView.Size(segmentBytes),10}  {Segments(choice.Stream!)} of the stream" })
            .Concat(plan.Files.Select(file => $"  read  {ProgressView.Size(file.Size),10}  {file.BackupPath}"))
            .Append(
                $"  write {(plan.BytesToWrite is { } bytes ? ProgressView.Size(bytes) : "?"),10}  {destination}{(Delta ? " (at most: only the differing pages)" : string.Empty)}");
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{action} to '{destination}'{(RestorePlan.Overwrites(destination) ? $", over the file there, {WhatIsKept}" : string.Empty)}: read {plan.Files.Count + segments} file{(plan.Files.Count + segments == 1 ? string.Empty : "s")}, {plan.BytesToRead + segmentBytes} bytes, and write {plan.BytesToWrite?.ToString(CultureInfo.InvariantCulture) ?? "an unknown number of"} bytes.{Environment.NewLine}{string.Join(Environment.NewLine, lines)}");
        _ = ShouldProcess(text, text, "Restore a backup");
    }

    private void RefuseTwice(Choice choice, string destination)
    {
        if (restored.Contains(destination))
        {
            throw BackupException.InvalidArgument(
                choice.Backup.Id,
                choice.Stream is { } stream
                    ? string.Create(
                        CultureInfo.InvariantCulture,
                        $"'{destination}' was already restored by this command, and transaction {stream.Transaction} would overwrite it. Pass one transaction for each destination, for example with Get-SHBackupTransaction -Newest 1, or give each a file of its own with -Destination {{ \"./$($_.Transaction).db\" }}.")
                    : $"'{destination}' was already restored by this command, and '{choice.Backup.Id}' would overwrite it. Pass one backup for each destination, for example with Get-SHBackup -Database and -Newest 1.");
        }
    }

    /// <summary>A backup to restore.</summary>
    /// <param name="Source">The backup.</param>
    /// <param name="Given">The destination as a full path; null if none was given.</param>
    /// <param name="Stream">The transaction of a stream beyond the backup; null for the backup itself.</param>
    private sealed record Choice(BackupSource Source, string? Given, StreamPlan? Stream)
    {
        public BackupMetadata Backup => Source.Backup;
    }
}
