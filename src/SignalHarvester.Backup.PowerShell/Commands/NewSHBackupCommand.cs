using System.Collections;
using System.Management.Automation;
using System.Security;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.PowerShell.Binding;
using SignalHarvester.Backup.PowerShell.Stores;
using SignalHarvester.Backup.PowerShell.Completion;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Backs up an SQLite database while it is in use.</summary>
/// <remarks>
/// <para>Takes a consistent snapshot of a database, compresses it and stores it in the backup directory with a sidecar
/// file that describes it. In WAL mode the application's writers are never blocked; in rollback-journal mode they wait
/// until the database is copied. The database itself is not changed.</para>
/// <para>The finished file is read back, unpacked and checked with integrity_check before it is published, unless
/// -NoVerify is given. A backup that fails, is stopped with Ctrl+C or is killed never shows up in the list.</para>
/// <para>An incremental backup holds the pages that changed since its parent, as a standard SQLite write-ahead log. The
/// whole database is read and compared; with -Type Wal only its log is, where that provably continues the parent. Where
/// there is nothing to build on, or more than half of the pages changed, a full backup is made, and the reason is told
/// with -Verbose and noted in Metadata.full_reason; where what is there opens with other keys or another passphrase, or is
/// not encrypted and this one is to be, or the other way round, the reason is a warning. Incremental backups are verified together with all that they build
/// on; a WAL backup is verified by itself, because reading the database is what it saves, and waits for Test-SHBackup
/// -Level Full.</para>
/// <para>Without a path, all databases of the configuration are backed up, each into its directory. Compression, type,
/// verification and uploads that are not given are the configuration's, too.</para>
/// <para>The stored file is the database in standard zstd or gzip, so that zstd -d or gunzip bring it back without this
/// module.</para>
/// </remarks>
/// <example>
/// <para>Back up a database</para>
/// <code>New-SHBackup ./app.db -BackupDirectory ./backups</code>
/// <para>Makes a full backup, verifies it and shows it.</para>
/// </example>
/// <example>
/// <para>Back up for the weekly rule, small rather than fast, with notes</para>
/// <code>New-SHBackup ./app.db -RetentionPolicy Weekly -CompressionLevel 9 -Description 'before the migration' -Metadata @{ ticket = 'OPS-7' }</code>
/// <para>The backup goes to the folder backups in the current location. Retention keeps the newest of the weekly backups.</para>
/// </example>
/// <example>
/// <para>Back up what changed since the newest backup</para>
/// <code>New-SHBackup ./app.db -Type Auto -Verbose</code>
/// <para>Makes an incremental backup on top of the newest one, or a full one where that is due, and says which and why.</para>
/// </example>
/// <example>
/// <para>Back up what changed since the last full backup (a differential)</para>
/// <code>New-SHBackup ./app.db -Type Incremental -Parent (Get-SHBackup -Database app.db -Type Full -Newest 1)</code>
/// <para>Each differential needs no more than its full backup to be restored.</para>
/// </example>
/// <example>
/// <para>Back up every database that matches, without compression</para>
/// <code>New-SHBackup *.db -Compression None | Test-SHBackup -Level Quick</code>
/// <para>Each database gets a backup of its own; one that fails does not stop the others.</para>
/// </example>
/// <example>
/// <para>Back up, and keep a copy elsewhere</para>
/// <code>New-SHBackup ./app.db -Type Auto -Upload -Provider Directory -Container ./offsite -CreateContainer</code>
/// <para>The same with -Provider S3, Azure or Gcs; what the backup builds on is sent too, if it is not there.</para>
/// </example>
/// <seealso>Get-SHBackup</seealso>
/// <seealso>Send-SHBackup</seealso>
/// <seealso>Test-SHBackup</seealso>
/// <seealso>Restore-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommon.New, "SHBackup", SupportsShouldProcess = true, DefaultParameterSetName = PathSet)]
[OutputType(typeof(BackupMetadata))]
public sealed class NewSHBackupCommand : BackupCommand, IDynamicParameters
{
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";
    private const int DeepestMetadata = 50;

    private readonly UploadParameters cloud = new();
    private IReadOnlyList<StoreCatalog> uploads = [];
    private BackupEncryption? encryption;

    /// <summary>
    /// The database files to back up. Wildcards match several. A link is followed, with a warning that says so. Backups from
    /// the pipeline name their database, and the directory that they lie in. Without it, the databases of the configuration.
    /// </summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = PathSet)]
    [Alias("Path")]
    [SupportsWildcards]
    [NameOf(typeof(FileSystemInfo), typeof(PathInfo))]
    [ValidateNotNullOrEmpty]
    public string[] DatabasePath { get; set; } = [];

    /// <summary>The database files to back up, taken as they stand: no character is a wildcard. Takes files from the pipeline.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>
    /// Full is the whole database. Incremental is what changed since the parent, found by comparing all pages. Wal is what
    /// was committed since the parent, taken from the database's own log. Auto is Full where the chain has become long or
    /// large, else Incremental.
    /// </summary>
    [Parameter]
    public BackupStrategy Type { get; set; } = BackupStrategy.Full;

    /// <summary>The backup to build on, as an object or by its id. Without it, the backup of the same database in the directory that was made last, whatever the clock said.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(BackupIdCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Parent { get; set; }

    /// <summary>With -Type Auto: the number of increments in a chain after which a full backup is made, 1 to 1000.</summary>
    [Parameter]
    [ValidateRange(1, 1000)]
    public int MaxIncrements { get; set; } = 30;

    /// <summary>
    /// With -Type Auto: how large all increments of a chain may be together, in percent of their full backup, before a full
    /// backup is made, 1 to 1000.
    /// </summary>
    [Parameter]
    [ValidateRange(1, 1000)]
    public int MaxIncrementShare { get; set; } = 50;

    /// <summary>How the file is compressed. If the codec cannot be used, gzip is, with a warning.</summary>
    [Parameter]
    public CompressionType Compression { get; set; } = CompressionType.Zstd;

    /// <summary>
    /// How hard to compress: 1 (fast) to 19 (small) for Zstd, 1 to 9 for Gzip. Without it, 1 for Zstd, which keeps up
    /// with a disk, and 6 for Gzip.
    /// </summary>
    [Parameter]
    public int? CompressionLevel { get; set; }

    /// <summary>The calendar rule that the backup is made for. Without it the backup is a manual one, which retention leaves alone.</summary>
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
    /// Encrypts the backup to these age public keys, which begin with age1: each of their secret keys opens it, and this
    /// machine needs none of them. Without it, the recipients of the configuration.
    /// </summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? Recipient { get; set; }

    /// <summary>
    /// Encrypts the backup with a passphrase instead; it also opens what the backup builds on. Each opening takes about a
    /// second and 256 MiB of memory, for every link of a chain.
    /// </summary>
    [Parameter]
    [ValidateNotNull]
    public SecureString? Passphrase { get; set; }

    /// <summary>
    /// Files with age secret keys. With one that opens the backup, it is tested in full as it is made; with one that opens its
    /// parent, page digests that are lost can be computed. Without it, that of the configuration.
    /// </summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? IdentityFile { get; set; }

    /// <summary>Lets the sidecar of an encrypted backup tell the tables of the database and their rows, so that tests compare them.</summary>
    [Parameter]
    public SwitchParameter RevealContent { get; set; }

    /// <summary>Publishes the backup without reading it back. It is listed as not verified until Test-SHBackup has passed.</summary>
    [Parameter]
    public SwitchParameter NoVerify { get; set; }

    /// <summary>Backs up a damaged database as it is, and marks the backup as damaged. Without it, damage is an error.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>
    /// Backs up a file that has names (hard links) outside its folder, although there is no log beside this one: no program
    /// writes to it by another name, as in a tree of snapshots. Without it, that is an error, unless allow_hard_link of the
    /// configuration says so.
    /// </summary>
    [Parameter]
    public SwitchParameter AllowHardLink { get; set; }

    /// <summary>Seconds to wait for locks that other processes hold on the database, 0 to 86400.</summary>
    [Parameter]
    [ValidateRange(0, 86400)]
    public int LockTimeout { get; set; } = 30;

    /// <summary>
    /// Sends the backup to an object store as well, named with -Provider and -Container, as Send-SHBackup does; where none is
    /// named, to all that are enabled in the configuration. Where that fails, the backup is here all the same, and the error
    /// says so. What upload_after_backup says in the configuration is done without it, unless -Upload:$false is given.
    /// </summary>
    [Parameter]
    public SwitchParameter Upload { get; set; }

    /// <summary>The parameters of the object store.</summary>
    public object GetDynamicParameters() => cloud;

    private protected override string? MissingStoreSwitch => Upload ? null : "-Upload";

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        uploads = this.StopOnError(() => Stores(cloud) is var stores && Upload ? stores.ForUpload : this.IsBound(nameof(Upload)) ? [] : stores.AfterBackup)
            .Select(location => this.StopOnError(() => OpenStore(cloud, location)))
            .ToList();
        encryption = this.StopOnError(() => NewEncryption(Recipient, Passphrase, nameof(Passphrase)));
        UseIdentities(IdentityFile, Passphrase);
        Type = GivenOr(nameof(Type), Type, Settings.Incremental.Type);
        if (Parent is not null && Type is BackupStrategy.Full or BackupStrategy.Auto)
        {
            ThrowTerminatingError(BackupException.InvalidArgument(
                Parent, $"-Parent has no meaning with -Type {Type}. Give -Type Incremental or -Type Wal with it, or leave it out.").ToRecord());
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
            BackupErrorId.DatabaseRequired, nameof(DatabasePath), "No database was given, and none is configured. Give its path, or set app.database_path in the configuration; see Get-SHBackupConfiguration.");

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
            this.ReportErrors(() => made = Send(made, directory, store, cloud));
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
            "Metadata", $"-Metadata is more than {DeepestMetadata} levels deep, or holds itself. Give simpler notes."),
        PSObject wrapped => ToPlain(wrapped.BaseObject is PSCustomObject ? wrapped.ToString() : wrapped.BaseObject, depth),
        IDictionary table => ToPlain(table, depth),
        string text => text,
        IEnumerable list => list.Cast<object?>().Select(item => ToPlain(item, depth + 1)).ToArray(),
        _ => value,
    };
}
