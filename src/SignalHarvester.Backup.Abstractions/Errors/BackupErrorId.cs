namespace SignalHarvester.Backup;

/// <summary>The stable ids of every error that the module reports. They never change their meaning.</summary>
public static class BackupErrorId
{
    /// <summary>The database to back up does not exist.</summary>
    public const string SourceNotFound = nameof(SourceNotFound);

    /// <summary>The database exists, but the operating system denies reading it, or one of its tables has more columns than this SQLite can read.</summary>
    public const string SourceUnreadable = nameof(SourceUnreadable);

    /// <summary>The path names a directory.</summary>
    public const string SourceIsDirectory = nameof(SourceIsDirectory);

    /// <summary>The path names a device, pipe or socket.</summary>
    public const string SourceIsNotAFile = nameof(SourceIsNotAFile);

    /// <summary>The file is empty.</summary>
    public const string SourceEmpty = nameof(SourceEmpty);

    /// <summary>The file is not an SQLite database.</summary>
    public const string SourceNotSqlite = nameof(SourceNotSqlite);

    /// <summary>The file looks like an encrypted database (SQLCipher, SEE), which this SQLite cannot read.</summary>
    public const string SourceEncrypted = nameof(SourceEncrypted);

    /// <summary>The file is shorter than its header says.</summary>
    public const string SourceTruncated = nameof(SourceTruncated);

    /// <summary>The database is damaged.</summary>
    public const string SourceCorrupt = nameof(SourceCorrupt);

    /// <summary>Another process held the database locked for longer than -LockTimeout.</summary>
    public const string SourceLocked = nameof(SourceLocked);

    /// <summary>The database file has other names, and content that belongs to it may be beside one of those.</summary>
    public const string DatabaseHasOtherNames = nameof(DatabaseHasOtherNames);

    /// <summary>Something other than this module has the database open in this process; when the module closes it, the other loses its locks.</summary>
    public const string DatabaseOpenInProcess = nameof(DatabaseOpenInProcess);

    /// <summary>The database has an unfinished transaction that cannot be rolled back, because its folder is read-only.</summary>
    public const string SourceNeedsRecovery = nameof(SourceNeedsRecovery);

    /// <summary>The snapshot changed while it was read, so the copy was discarded.</summary>
    public const string SnapshotLost = nameof(SnapshotLost);

    /// <summary>The SQLite library in the process is older than 3.51.3, which can corrupt a WAL database.</summary>
    public const string SqliteTooOld = nameof(SqliteTooOld);

    /// <summary>The session has loaded another copy of the module.</summary>
    public const string ModuleLoadedTwice = nameof(ModuleLoadedTwice);

    /// <summary>The backup directory does not exist.</summary>
    public const string DirectoryNotFound = nameof(DirectoryNotFound);

    /// <summary>The backup directory cannot be written to.</summary>
    public const string DirectoryNotWritable = nameof(DirectoryNotWritable);

    /// <summary>The backup directory cannot be read.</summary>
    public const string DirectoryUnreadable = nameof(DirectoryUnreadable);

    /// <summary>Another process held the backup directory's lock for longer than -LockTimeout.</summary>
    public const string DirectoryLocked = nameof(DirectoryLocked);

    /// <summary>There is not enough free space.</summary>
    public const string InsufficientSpace = nameof(InsufficientSpace);

    /// <summary>Writing a file failed.</summary>
    public const string WriteFailed = nameof(WriteFailed);

    /// <summary>Reading a file failed.</summary>
    public const string ReadFailed = nameof(ReadFailed);

    /// <summary>No backup has that id.</summary>
    public const string BackupNotFound = nameof(BackupNotFound);

    /// <summary>The sidecar exists, its backup file does not.</summary>
    public const string BackupFileMissing = nameof(BackupFileMissing);

    /// <summary>The size of the backup file differs from the recorded one.</summary>
    public const string BackupSizeMismatch = nameof(BackupSizeMismatch);

    /// <summary>A checksum of the backup differs from the recorded one.</summary>
    public const string BackupChecksumMismatch = nameof(BackupChecksumMismatch);

    /// <summary>The backup file cannot be decompressed.</summary>
    public const string BackupCorrupt = nameof(BackupCorrupt);

    /// <summary>The image in the backup fails SQLite's integrity_check, or is not a database.</summary>
    public const string BackupIntegrityFailed = nameof(BackupIntegrityFailed);

    /// <summary>Schema or row counts of the image differ from the recorded ones.</summary>
    public const string BackupContentMismatch = nameof(BackupContentMismatch);

    /// <summary>Another backup of the same id is in the directory.</summary>
    public const string BackupIdTaken = nameof(BackupIdTaken);

    /// <summary>The given file is not a backup that this module knows.</summary>
    public const string NotABackup = nameof(NotABackup);

    /// <summary>A backup of this type cannot be restored by this version.</summary>
    public const string BackupTypeUnsupported = nameof(BackupTypeUnsupported);

    /// <summary>Other backups build on this one, and could not be made independent of it.</summary>
    public const string BackupHasDependants = nameof(BackupHasDependants);

    /// <summary>A backup builds on a missing one, on itself, or on one that does not fit.</summary>
    public const string ChainBroken = nameof(ChainBroken);

    /// <summary>The backup named as parent cannot be one: it is of another database, failed its verification, or has the wrong type.</summary>
    public const string ParentUnusable = nameof(ParentUnusable);

    /// <summary>No backup of the database is as old as the requested moment.</summary>
    public const string NoBackupAtMoment = nameof(NoBackupAtMoment);

    /// <summary>The directory has backups of several databases, and none was selected.</summary>
    public const string DatabaseAmbiguous = nameof(DatabaseAmbiguous);

    /// <summary>A sidecar is not JSON.</summary>
    public const string SidecarInvalid = nameof(SidecarInvalid);

    /// <summary>A sidecar names ids or paths that it must not name.</summary>
    public const string SidecarHostile = nameof(SidecarHostile);

    /// <summary>No destination was given and none can be derived.</summary>
    public const string DestinationRequired = nameof(DestinationRequired);

    /// <summary>The destination is a directory.</summary>
    public const string DestinationIsDirectory = nameof(DestinationIsDirectory);

    /// <summary>The destination is a device, pipe or socket, or its directory does not exist.</summary>
    public const string DestinationInvalid = nameof(DestinationInvalid);

    /// <summary>The destination is a different database from the backup's.</summary>
    public const string DestinationIsOtherDatabase = nameof(DestinationIsOtherDatabase);

    /// <summary>The destination cannot be written to.</summary>
    public const string DestinationNotWritable = nameof(DestinationNotWritable);

    /// <summary>Another process held the destination locked for longer than -LockTimeout.</summary>
    public const string DestinationLocked = nameof(DestinationLocked);

    /// <summary>The destination is a WAL database in use with another page size, which SQLite cannot overwrite in place.</summary>
    public const string DestinationPageSizeDiffers = nameof(DestinationPageSizeDiffers);

    /// <summary>The safety backup of the destination failed, so nothing was restored.</summary>
    public const string SafetyBackupFailed = nameof(SafetyBackupFailed);

    /// <summary>The restored database failed its check; the safety backup holds the former state.</summary>
    public const string RestoreVerificationFailed = nameof(RestoreVerificationFailed);

    /// <summary>Every keep rule is off, so retention would keep nothing.</summary>
    public const string RetentionKeepsNothing = nameof(RetentionKeepsNothing);

    /// <summary>No credentials for an object store were found.</summary>
    public const string CloudCredentialsMissing = nameof(CloudCredentialsMissing);

    /// <summary>An object store refuses the credentials, or they lack a permission.</summary>
    public const string CloudAccessDenied = nameof(CloudAccessDenied);

    /// <summary>The bucket or container does not exist.</summary>
    public const string CloudContainerNotFound = nameof(CloudContainerNotFound);

    /// <summary>An object does not exist.</summary>
    public const string CloudObjectNotFound = nameof(CloudObjectNotFound);

    /// <summary>Another object has the same name, and was not overwritten.</summary>
    public const string CloudObjectExists = nameof(CloudObjectExists);

    /// <summary>An object was changed or removed while it was read.</summary>
    public const string CloudObjectChanged = nameof(CloudObjectChanged);

    /// <summary>An object differs from what was sent or recorded.</summary>
    public const string CloudChecksumMismatch = nameof(CloudChecksumMismatch);

    /// <summary>Another process is sending or fetching the same object.</summary>
    public const string CloudTransferInProgress = nameof(CloudTransferInProgress);

    /// <summary>The service no longer knows an unfinished upload.</summary>
    public const string CloudUploadLost = nameof(CloudUploadLost);

    /// <summary>The service refuses requests because the clocks disagree.</summary>
    public const string CloudClockSkew = nameof(CloudClockSkew);

    /// <summary>The bucket is in another region.</summary>
    public const string CloudRegionWrong = nameof(CloudRegionWrong);

    /// <summary>The connection is not trusted.</summary>
    public const string CloudTlsFailed = nameof(CloudTlsFailed);

    /// <summary>The service refuses an option or a request.</summary>
    public const string CloudRefused = nameof(CloudRefused);

    /// <summary>The service cannot be reached, or still fails after all retries.</summary>
    public const string CloudUnavailable = nameof(CloudUnavailable);

    /// <summary>A store replaces objects that it was told not to replace, so it cannot keep a stream of transactions.</summary>
    public const string StoreUnconditional = nameof(StoreUnconditional);

    /// <summary>A transaction cannot be restored: a part of the stream, or the backup from which it continues, is missing or damaged.</summary>
    public const string StreamHole = nameof(StreamHole);

    /// <summary>A stream has no transaction of that number, or there is no stream.</summary>
    public const string TransactionNotFound = nameof(TransactionNotFound);

    /// <summary>The service reported an object as deleted, but still has it.</summary>
    public const string CloudObjectKept = nameof(CloudObjectKept);

    /// <summary>No schedule has that name.</summary>
    public const string ScheduleNotFound = nameof(ScheduleNotFound);

    /// <summary>A schedule's definition file cannot be read.</summary>
    public const string ScheduleInvalid = nameof(ScheduleInvalid);

    /// <summary>The operating system's scheduler is missing, does not answer, or may not be used; or there is no program to run the module.</summary>
    public const string SchedulerUnavailable = nameof(SchedulerUnavailable);

    /// <summary>The operating system's scheduler refused a definition.</summary>
    public const string SchedulerFailed = nameof(SchedulerFailed);

    /// <summary>A step of a scheduled run failed unexpectedly.</summary>
    public const string ScheduleStepFailed = nameof(ScheduleStepFailed);

    /// <summary>The named configuration file does not exist.</summary>
    public const string ConfigurationNotFound = nameof(ConfigurationNotFound);

    /// <summary>The configuration has errors; the message names all of them.</summary>
    public const string ConfigurationInvalid = nameof(ConfigurationInvalid);

    /// <summary>The configuration file exists already, and was not overwritten.</summary>
    public const string ConfigurationExists = nameof(ConfigurationExists);

    /// <summary>No database was given, and none is configured.</summary>
    public const string DatabaseRequired = nameof(DatabaseRequired);

    /// <summary>A backup is encrypted, and no key or passphrase was given.</summary>
    public const string IdentityMissing = nameof(IdentityMissing);

    /// <summary>A backup is encrypted, and the given key or passphrase does not open it.</summary>
    public const string IdentityWrong = nameof(IdentityWrong);

    /// <summary>A file of secret keys cannot be read, or contains no key.</summary>
    public const string IdentityInvalid = nameof(IdentityInvalid);

    /// <summary>The file for a new secret key exists already.</summary>
    public const string IdentityFileExists = nameof(IdentityFileExists);

    /// <summary>A recipient is not an age public key, or a passphrase is empty.</summary>
    public const string RecipientInvalid = nameof(RecipientInvalid);

    /// <summary>This system cannot encrypt.</summary>
    public const string EncryptionUnavailable = nameof(EncryptionUnavailable);

    /// <summary>A backup is not encrypted, so it cannot be re-encrypted.</summary>
    public const string BackupNotEncrypted = nameof(BackupNotEncrypted);

    /// <summary>A backup, or the database for its rows, has no ordinary table of that name.</summary>
    public const string TableNotFound = nameof(TableNotFound);

    /// <summary>Rows of a backup could not be restored into a database.</summary>
    public const string RowsNotRestored = nameof(RowsNotRestored);

    /// <summary>Two states of a database could not be compared.</summary>
    public const string ComparisonFailed = nameof(ComparisonFailed);

    /// <summary>A query of a backup has no answer, because of its text or of what the database needs.</summary>
    public const string QueryFailed = nameof(QueryFailed);

    /// <summary>A query of a backup would change something, or reach another file.</summary>
    public const string QueryRefused = nameof(QueryRefused);

    /// <summary>A query of a backup took more time, memory or temporary room than it may.</summary>
    public const string QueryLimitExceeded = nameof(QueryLimitExceeded);

    /// <summary>A database cannot be protected continuously: its mode, its place or this account do not allow it.</summary>
    public const string ProtectionRefused = nameof(ProtectionRefused);

    /// <summary>No database of that name was ever protected with the backup directory.</summary>
    public const string ProtectionNotFound = nameof(ProtectionNotFound);

    /// <summary>Another process protects the database, with the same backup directory.</summary>
    public const string ProtectionRunning = nameof(ProtectionRunning);

    /// <summary>A standby is not as its follower left it: somebody has written to it.</summary>
    public const string StandbyChanged = nameof(StandbyChanged);

    /// <summary>A file is no standby, or none any more.</summary>
    public const string StandbyNotFound = nameof(StandbyNotFound);

    /// <summary>Another process keeps the same file as a standby.</summary>
    public const string StandbyRunning = nameof(StandbyRunning);

    /// <summary>The end of a stream in a store is not the one that this machine wrote, so protection does not go on with it.</summary>
    public const string StreamNotOurs = nameof(StreamNotOurs);

    /// <summary>Another writer has continued the stream, so this one stopped.</summary>
    public const string StreamFenced = nameof(StreamFenced);

    /// <summary>Continuous protection was stopped before all transactions could be stored.</summary>
    public const string StreamBehind = nameof(StreamBehind);

    /// <summary>A backup failed its restore drill.</summary>
    public const string RestoreDrillFailed = nameof(RestoreDrillFailed);

    /// <summary>The history of operations cannot be read.</summary>
    public const string HistoryUnreadable = nameof(HistoryUnreadable);

    /// <summary>A Pushgateway did not accept the metrics.</summary>
    public const string MetricPushFailed = nameof(MetricPushFailed);

    /// <summary>The metrics cannot be served at an address and port.</summary>
    public const string MetricServerFailed = nameof(MetricServerFailed);

    /// <summary>A parameter's value is out of range or contradicts another.</summary>
    public const string InvalidArgument = nameof(InvalidArgument);
}
