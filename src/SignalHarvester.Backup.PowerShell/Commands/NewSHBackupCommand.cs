using System.Collections;
using System.Management.Automation;
using System.Security;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.PowerShell.Binding;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.PowerShell.Keys;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Backs up an SQLite database while it is in use.</summary>
/// <remarks>
/// <para>Takes a consistent snapshot of a database, compresses it and stores it in the backup directory with a sidecar
/// file that describes it. In WAL mode it never blocks the application's writers; in rollback-journal mode they wait
/// until the database is copied. It does not change the database.</para>
/// <para>The finished file is read back, unpacked and checked as a database before it is published, unless
/// -NoVerify is given. A failed, stopped or killed backup never appears in the list.</para>
/// <para>An incremental backup contains the pages that changed since its parent, as a standard SQLite write-ahead log. It
/// reads and compares the whole database; -Type Wal reads only its log, if that provably continues the parent. If there
/// is nothing to build on, or more than half of the pages changed, a full backup is made; -Verbose and
/// Metadata.full_reason give the reason. If the existing chain opens with other keys or another passphrase, or is plain
/// while the new backup is encrypted, or the reverse, the reason is a warning. Incremental backups are verified together
/// with their chain. A WAL backup is verified by itself, to avoid reading the database; Test-SHBackup -Level Full does
/// the rest.</para>
/// <para>Without a path, all databases of the configuration are backed up, each into its directory. The configuration
/// also gives compression, type, verification and uploads.</para>
/// <para>Of the keys in -IdentityFile, one that opens the new backup allows a full test of it, and one that opens its parent
/// allows recomputing lost page digests.</para>
/// <para>The stored file is the database in standard zstd or gzip, so zstd -d or gunzip can restore it without this module.</para>
/// </remarks>
/// <example>
/// <para>Back up a database</para>
/// <code>New-SHBackup ./app.db -BackupDirectory ./backups</code>
/// <para>Makes a full backup, verifies it and shows it.</para>
/// </example>
/// <example>
/// <para>Back up with the weekly policy, small rather than fast, with notes</para>
/// <code>New-SHBackup ./app.db -RetentionPolicy Weekly -CompressionLevel 9 -Description 'before the migration' -Metadata @{ ticket = 'OPS-7' }</code>
/// <para>The backup goes to the folder backups in the current location. Retention keeps the newest of the weekly backups.</para>
/// </example>
/// <example>
/// <para>Back up the changes since the newest backup</para>
/// <code>New-SHBackup ./app.db -Type Auto -Verbose</code>
/// <para>Makes an incremental backup on the newest one, or a full one if that is due, and says which and why.</para>
/// </example>
/// <example>
/// <para>Back up the changes since the last full backup (a differential)</para>
/// <code>New-SHBackup ./app.db -Type Incremental -Parent (Get-SHBackup -Database app.db -Type Full -Newest 1)</code>
/// <para>To restore a differential, only its full backup is needed.</para>
/// </example>
/// <example>
/// <para>Back up every matching database, without compression</para>
/// <code>New-SHBackup *.db -Compression None | Test-SHBackup -Level Quick</code>
/// <para>Each database gets its own backup; a failure does not stop the others.</para>
/// </example>
/// <example>
/// <para>Back up, and keep a copy elsewhere</para>
/// <code>New-SHBackup ./app.db -Type Auto -To ./offsite -CreateContainer</code>
/// <para>The same works with the name of a store that New-SHBackupStore made, and with an address such as s3://bucket/prefix/. The
/// missing parts of the chain are sent too.</para>
/// </example>
/// <seealso>Get-SHBackup</seealso>
/// <seealso>Send-SHBackup</seealso>
/// <seealso>Test-SHBackup</seealso>
/// <seealso>Restore-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommon.New, "SHBackup", SupportsShouldProcess = true, DefaultParameterSetName = PathSet, HelpUri = HelpPages.Folder + "New-SHBackup.md")]
[OutputType(typeof(BackupMetadata))]
public sealed class NewSHBackupCommand : BackupCommand
{
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";
    private const int DeepestMetadata = 50;

    private readonly UploadParameters storeParameters = new();
    private readonly IdentityParameters keys = new();
    private IReadOnlyList<StoreCatalog> uploads = [];
    private BackupEncryption? encryption;

    /// <summary>Makes the cmdlet.</summary>
    public NewSHBackupCommand()
    {
        AddParameters(new TargetParameters());
        AddParameters(storeParameters, isHidden: true);
        AddParameters(keys);
    }

    /// <summary>
    /// The database files to back up. Wildcards match several. Links are followed, with a warning. Backups from the pipeline
    /// name their database and their directory. Without it, the databases of the configuration.
    /// </summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = PathSet)]
    [ArgumentCompleter(typeof(DatabaseFileCompleter))]
    [Alias("Path")]
    [SupportsWildcards]
    [NameOf(typeof(FileSystemInfo), typeof(PathInfo))]
    [ValidateNotNullOrEmpty]
    public string[] DatabasePath { get; set; } = [];

    /// <summary>
    /// The directory of the backups. Without it, that of the configuration; else the folder
    /// <c>backups</c> in the current location.
    /// </summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Destination")]
    [ValidateNotNullOrEmpty]
    public override string? BackupDirectory { get; set; }

    /// <summary>The database files to back up, by their literal paths: no character is a wildcard. Accepts files from the pipeline.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [ArgumentCompleter(typeof(DatabaseFileCompleter))]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>
    /// Full is the whole database. Incremental is the pages changed since the parent, found by comparing all pages. Wal is
    /// the pages committed since the parent, from the database's own log. Auto is Full if the chain has become long or large,
    /// otherwise Incremental.
    /// </summary>
    [Parameter]
    public BackupStrategy Type { get; set; } = BackupStrategy.Full;

    /// <summary>
    /// The backup to build on, as an object or by its id. Without it, the last backup of the same database in the directory,
    /// whatever the clock said.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(BackupIdCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Parent { get; set; }

    /// <summary>With -Type Auto: the number of increments in a chain before the next full backup, 1 to 1000.</summary>
    [Parameter]
    [ValidateRange(1, 1000)]
    public int MaxIncrements { get; set; } = 30;

    /// <summary>
    /// With -Type Auto: the largest total size of a chain's increments, in percent of the full backup, before the next full backup, 1 to 1000.
    /// </summary>
    [Parameter]
    [ValidateRange(1, 1000)]
    public int MaxIncrementShare { get; set; } = 50;

    /// <summary>The compression of the file. If the codec cannot be used, gzip is used instead, with a warning.</summary>
    [Parameter]
    public CompressionType Compression { get; set; } = CompressionType.Zstd;

    /// <summary>
    /// The compression level: 1 (fast) to 19 (small) for Zstd, 1 to 9 for Gzip. Without it, 1 for Zstd, which keeps up with a disk, and 6 for Gzip.
    /// </summary>
    [Parameter]
    public int? CompressionLevel { get; set; }

    /// <summary>The retention policy of the backup. Without it the backup is manual, and retention ignores it.</summary>
    [Parameter]
    public RetentionPolicy? RetentionPolicy { get; set; }

    /// <summary>A note for people, shown with the backup.</summary>
    [Parameter]
    public string? Description { get; set; }

    /// <summary>Notes for programs: a hashtable of texts, numbers, truth values, dates, lists and further hashtables.</summary>
    [Parameter]
    [ValidateNotNull]
    public Hashtable Metadata { get; set; } = [];

    /// <summary>
    /// Encrypts the backup to these age public keys, which begin with age1. Each of their secret keys opens it, and this
    /// machine needs none of them. Without it, the recipients of the configuration.
    /// </summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? Recipient { get; set; }

    /// <summary>
    /// Encrypts the backup with a passphrase instead, which also opens the chain. Opening takes about a second and 256 MiB of memory for every link of a chain.
    /// </summary>
    [Parameter]
    [ValidateNotNull]
    public SecureString? Passphrase { get; set; }

    /// <summary>Lets the sidecar of an encrypted backup show the database's tables and row counts, so that tests can compare them.</summary>
    [Parameter]
    public SwitchParameter RevealContent { get; set; }

    /// <summary>Publishes the backup without reading it back. It counts as unverified until Test-SHBackup has passed.</summary>
    [Parameter]
    public SwitchParameter NoVerify { get; set; }

    /// <summary>Backs up a damaged database anyway, and marks the backup as damaged. Without it, damage is an error.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>
    /// Backs up a file that has names (hard links) outside its folder and no log beside this one. Use it only if no program
    /// writes to the file by another name, as in a tree of snapshots. Without it, that is an error, unless the configuration
    /// has allow_hard_link.
    /// </summary>
    [Parameter]
    public SwitchParameter AllowHardLink { get; set; }

    /// <summary>Seconds to wait for locks that other processes hold on the database, 0 to 86400.</summary>
    [Parameter]
    [ValidateRange(0, 86400)]
    public int LockTimeout { get; set; } = 30;

    /// <summary>
    /// Also sends the backup to the enabled stores of the configuration, as Send-SHBackup does; -To names the stores and needs no
    /// -Upload. If an upload fails, the backup still exists here, and the error says so. Stores with upload_after_backup in the
    /// configuration get the backup without this parameter, unless -To names others or -Upload:$false is given.
    /// </summary>
    [Parameter]
    public SwitchParameter Upload { get; set; }

    private protected override string? MissingStoreSwitch => Upload ? null : "-Upload";

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        if (NamedStores.Count > 0 && this.IsBound(nameof(Upload)) && !Upload)
        {
            ThrowTerminatingError(BackupException.InvalidArgument(
                nameof(Upload), "-To sends the backup, and -Upload:$false forbids that. Give one of them.").ToRecord());
        }

        uploads =
            this.StopOnError(() => Stores(storeParameters) is var stores && (Upload || NamedStores.Count > 0) ? stores.ForUpload
                : this.IsBound(nameof(Upload)) ? [] : stores.AfterBackup)
            .Select(location => this.StopOnError(() => OpenStore(storeParameters, location)))
            .ToList();
        encryption = this.StopOnError(() => NewEncryption(Recipient, Passphrase, nameof(Passphrase)));
        UseIdentities(keys, Passphrase);
        Type = GivenOr(nameof(Type), Type, Settings.Incremental.Type);
        if (Parent is not null && Type is BackupStrategy.Full or BackupStrategy.Auto)
        {
            ThrowTerminatingError(BackupException.InvalidArgument(
                Parent, $"-Parent cannot be combined with -Type {Type}. Give -Type Incremental or -Type Wal with it, or omit it.").ToRecord());
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == PathSet && DatabasePath.Length == 0)
        {
            foreach (var database in this.StopOnError(ConfiguredDatabases))
            {
                this.ReportErrors(() => BackUp(database));
            }

            return;
        }

        foreach (var path in ParameterSetName == PathSet ? DatabasePath : LiteralPath)
        {
            this.ReportErrors(() =>
            {
                foreach (var file in ParameterSetName == PathSet ? this.ExpandPath(path) : [this.FileSystemPath(path)])
                {
                    this.ReportErrors(() => BackUp(file));
                }
            });
        }
    }

    private IEnumerable<string> ConfiguredDatabases() => Settings.Databases is [_, ..] databases && !MyInvocation.ExpectingInput
        ? databases.Select(database => database.Path)
        : throw new BackupException(
            BackupErrorId.DatabaseRequired, nameof(DatabasePath),
            "No database was given, and none is configured. Give its path, or set app.database_path in the configuration; see Get-SHBackupConfiguration.");

    private void BackUp(string file)
    {
        var directory = string.IsNullOrEmpty(BackupDirectory) ? OpenConfigured(Settings.BackupDirectoryOf(file)) : OpenDirectory();
        if (!ShouldProcess(file, $"Back up to {directory.Path}"))
        {
            return;
        }

        var options = new CreateBackupOptions
        {
            Strategy = Type,
            ParentId = Parent,
            MaxIncrements = GivenOr(nameof(MaxIncrements), MaxIncrements, Settings.Incremental.MaxIncrements),
            MaxIncrementShare = GivenOr(nameof(MaxIncrementShare), MaxIncrementShare, Settings.Incremental.MaxIncrementShare),
            Compression = GivenOr(nameof(Compression), Compression, Settings.Compression),
            CompressionLevel = GivenOr(nameof(CompressionLevel), CompressionLevel, this.IsBound(nameof(Compression)) ? null : Settings.CompressionLevel),
            RetentionPolicy = RetentionPolicy,
            Description = Description,
            Metadata = ToPlain(Metadata),
            Encryption = encryption,
            RevealContent = GivenOr(nameof(RevealContent), RevealContent.IsPresent, Settings.Encryption.RevealContent),
            Verify = GivenOr(nameof(NoVerify), !NoVerify, Settings.Verification.VerifyAfterBackup),
            TolerateDamage = Force,
            AllowHardLink = GivenOr(nameof(AllowHardLink), AllowHardLink.IsPresent, Settings.AllowHardLink),
            LockTimeout = TimeSpan.FromSeconds(LockTimeout),
        };
        var made = Runner.Run(context => BackupEngine.Create(file, directory, options, context));
        foreach (var store in uploads)
        {
            this.ReportErrors(() => made = made with { Copies = Send(made, directory, store, storeParameters).Copies });
        }

        WriteObject(made);
    }

    private static Dictionary<string, object?> ToPlain(IDictionary table) => ToPlain(table, depth: 0);

    private static Dictionary<string, object?> ToPlain(IDictionary table, int depth)
    {
        var plain = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in table)
        {
            plain[LanguagePrimitives.ConvertTo<string>(entry.Key)] = ToPlain(entry.Value, depth + 1);
        }

        return plain;
    }

    private static object? ToPlain(object? value, int depth) => value switch
    {
        _ when depth > DeepestMetadata => throw BackupException.InvalidArgument(
            "Metadata", $"-Metadata is more than {DeepestMetadata} levels deep, or contains itself. Give simpler notes."),
        PSObject wrapped => ToPlain(wrapped.BaseObject is PSCustomObject ? wrapped.ToString() : wrapped.BaseObject, depth),
        IDictionary table => ToPlain(table, depth),
        string text => text,
        IEnumerable list => list.Cast<object?>().Select(item => ToPlain(item, depth + 1)).ToArray(),
        _ => value,
    };
}
