using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.PowerShell.Keys;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Lists the transactions of a database in a store, newest first.</summary>
/// <remarks>
/// <para>Continuous protection keeps each transaction of a database in a store, for as long as its segments are kept. This lists them by their numbers,
/// each with the moment at which it was seen and the pages that it wrote; Restore-SHBackup -Transaction restores the database as one of them left it.
/// Only the beginnings of the segments are read, the newest first, so -Newest and -After are quick.</para>
/// <para>Where transactions were not seen one by one, they can only be reached together: FirstTransaction is the first of them, and BackupId the ordinary
/// backup that holds them. A segment that cannot be read is an error of its own; the others are still listed.</para>
/// </remarks>
/// <example>
/// <para>List the last transactions</para>
/// <code>
/// # A store with a stream of transactions, as continuous protection keeps it, is needed for this.
/// if ($false) { Get-SHBackupTransaction -Database app.db -From offsite -Newest 20 }
/// </code>
/// <para>Shows their numbers and times.</para>
/// </example>
/// <example>
/// <para>Find the large transactions of an hour</para>
/// <code>
/// # A store with a stream of transactions, as continuous protection keeps it, is needed for this.
/// if ($false) { Get-SHBackupTransaction -From offsite -After '2030-01-01 14:00' -Before '2030-01-01 15:00' | Sort-Object Pages -Descending }
/// </code>
/// <para>A deletion of many rows writes many pages: the transaction before it is the one to restore.</para>
/// </example>
/// <seealso>Restore-SHBackup</seealso>
/// <seealso>Get-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommon.Get, "SHBackupTransaction", HelpUri = HelpPages.Folder + "Get-SHBackupTransaction.md")]
[OutputType(typeof(BackupTransaction))]
public sealed class GetSHBackupTransactionCommand : BackupCommand, IConfigurationOptional
{
    private readonly StoreParameters storeParameters = new();
    private readonly KeyParameters keys = new();

    /// <summary>Makes the cmdlet.</summary>
    public GetSHBackupTransactionCommand()
    {
        AddSource(storeParameters);
        AddParameters(keys);
    }

    /// <summary>
    /// The database, by its path (full, or from here, as ./app.db) or its file's name. Needed if the store has backups of several.
    /// </summary>
    [Parameter(Position = 0)]
    [ArgumentCompleter(typeof(DatabaseCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string? Database { get; set; }

    /// <summary>Transactions at this moment or later. A time without an offset is local.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(MomentCompleter))]
    [ValidateNotNull]
    public DateTimeOffset? After { get; set; }

    /// <summary>Transactions before this moment. A time without an offset is local.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(MomentCompleter))]
    [ValidateNotNull]
    public DateTimeOffset? Before { get; set; }

    /// <summary>The number of newest transactions, after the other filters.</summary>
    [Parameter]
    [Alias("Last")]
    [ValidateRange(1, int.MaxValue)]
    public int? Newest { get; set; }

    /// <summary>The number of oldest transactions, after the other filters. They are listed newest first too.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int? First { get; set; }

    /// <summary>Uses the only enabled store of the configuration, or that of -Provider and -Container. -From names a store and needs no -Remote.</summary>
    [Parameter]
    public SwitchParameter Remote { get; set; }

    /// <summary>
    /// Ignores the configuration file and the SHBACKUP_ environment variables, so that an error in them does not stop a
    /// restore: give the needed values as parameters, such as the address of a store with -From, and -IdentityFile.
    /// </summary>
    [Parameter]
    public SwitchParameter NoConfiguration { get; set; }

    private protected override string? MissingStoreSwitch => Remote || NamedStores.Count > 0 ? null : "-Remote";

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        UseIdentities(keys, keys.Passphrase);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord() => this.ReportErrors(() =>
    {
        RequireStreamStore(nameof(Remote));
        var store = OpenStore(storeParameters);
        var database = FindDatabase(store);
        var faults = new List<BackupException>();
        try
        {
            var wanted = Runner.Run(context => Wanted(ListTransactions.Run(store, database, After, Before, faults.Add, context)));
            if (wanted.Count == 0 && After is null && Before is null && faults.Count == 0)
            {
                WriteWarning(
                    $"'{store.Location}' has no transactions of '{database}', although its backups are of a stream. The transactions are in the store of its protection; Get-SHBackupProtection names it.");
            }

            WriteObject(wanted, enumerateCollection: true);
        }
        finally
        {
            faults.ForEach(fault => WriteError(fault.ToRecord()));
        }
    });

    private List<BackupTransaction> Wanted(IEnumerable<BackupTransaction> transactions)
    {
        var newest = Newest is { } count ? transactions.Take(count) : transactions;
        return [.. First is { } oldest ? newest.TakeLast(oldest) : newest];
    }

    private string FindDatabase(StoreCatalog store)
    {
        var filter = Databases(Database is null ? null : [Database]);
        var backups = List(store).Where(backup => filter.Passes(backup.DatabasePath)).ToList();
        return StreamPlanner.DatabaseOf(backups, store.Location);
    }
}
