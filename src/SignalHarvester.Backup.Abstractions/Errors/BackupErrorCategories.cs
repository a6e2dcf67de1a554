namespace SignalHarvester.Backup;

/// <summary>The category of each error, unless its call site gives another.</summary>
internal static class BackupErrorCategories
{
    private static readonly Dictionary<string, BackupErrorCategory> OfIds = new(StringComparer.Ordinal);

    static BackupErrorCategories()
    {
        Add(BackupErrorCategory.AuthenticationError,
            BackupErrorId.CloudCredentialsMissing, BackupErrorId.CloudClockSkew, BackupErrorId.IdentityMissing, BackupErrorId.IdentityWrong);
        Add(BackupErrorCategory.ConnectionError,
            BackupErrorId.CloudUnavailable, BackupErrorId.MetricPushFailed, BackupErrorId.MetricServerFailed);
        Add(BackupErrorCategory.InvalidArgument,
            BackupErrorId.SourceIsDirectory, BackupErrorId.SourceIsNotAFile, BackupErrorId.NotABackup, BackupErrorId.ParentUnusable,
            BackupErrorId.DatabaseAmbiguous, BackupErrorId.DestinationRequired, BackupErrorId.DestinationIsDirectory,
            BackupErrorId.DestinationInvalid, BackupErrorId.RetentionKeepsNothing, BackupErrorId.CloudRegionWrong, BackupErrorId.DatabaseRequired,
            BackupErrorId.IdentityInvalid, BackupErrorId.RecipientInvalid, BackupErrorId.InvalidArgument);
        Add(BackupErrorCategory.InvalidData,
            BackupErrorId.BackupIntegrityFailed,
            BackupErrorId.SourceEmpty, BackupErrorId.SourceNotSqlite, BackupErrorId.SourceEncrypted, BackupErrorId.SourceTruncated,
            BackupErrorId.SourceCorrupt, BackupErrorId.BackupSizeMismatch, BackupErrorId.BackupChecksumMismatch, BackupErrorId.BackupCorrupt,
            BackupErrorId.BackupContentMismatch, BackupErrorId.ChainBroken, BackupErrorId.SidecarInvalid, BackupErrorId.CloudChecksumMismatch,
            BackupErrorId.ScheduleInvalid, BackupErrorId.ConfigurationInvalid, BackupErrorId.StreamHole);
        Add(BackupErrorCategory.InvalidOperation,
            BackupErrorId.DatabaseHasOtherNames, BackupErrorId.SqliteTooOld, BackupErrorId.BackupTypeUnsupported,
            BackupErrorId.BackupHasDependants, BackupErrorId.DestinationIsOtherDatabase, BackupErrorId.DestinationPageSizeDiffers,
            BackupErrorId.CloudRefused, BackupErrorId.SchedulerFailed, BackupErrorId.BackupNotEncrypted, BackupErrorId.RowsNotRestored,
            BackupErrorId.ComparisonFailed, BackupErrorId.QueryFailed, BackupErrorId.StoreUnconditional, BackupErrorId.ProtectionRefused);
        Add(BackupErrorCategory.InvalidResult,
            BackupErrorId.SnapshotLost, BackupErrorId.RestoreVerificationFailed, BackupErrorId.CloudObjectChanged, BackupErrorId.CloudObjectKept,
            BackupErrorId.RestoreDrillFailed);
        Add(BackupErrorCategory.NotImplemented,
            BackupErrorId.EncryptionUnavailable);
        Add(BackupErrorCategory.NotSpecified,
            BackupErrorId.ScheduleStepFailed);
        Add(BackupErrorCategory.ObjectNotFound,
            BackupErrorId.SourceNotFound, BackupErrorId.DirectoryNotFound, BackupErrorId.BackupNotFound, BackupErrorId.BackupFileMissing,
            BackupErrorId.NoBackupAtMoment, BackupErrorId.CloudContainerNotFound, BackupErrorId.CloudObjectNotFound, BackupErrorId.ScheduleNotFound,
            BackupErrorId.ConfigurationNotFound, BackupErrorId.TableNotFound, BackupErrorId.TransactionNotFound,
            BackupErrorId.ProtectionNotFound, BackupErrorId.StandbyNotFound);
        Add(BackupErrorCategory.PermissionDenied,
            BackupErrorId.SourceUnreadable, BackupErrorId.SourceNeedsRecovery, BackupErrorId.DirectoryNotWritable, BackupErrorId.DirectoryUnreadable,
            BackupErrorId.CloudAccessDenied, BackupErrorId.QueryRefused);
        Add(BackupErrorCategory.ReadError,
            BackupErrorId.ReadFailed, BackupErrorId.HistoryUnreadable);
        Add(BackupErrorCategory.ResourceBusy,
            BackupErrorId.SourceLocked, BackupErrorId.DatabaseOpenInProcess, BackupErrorId.DirectoryLocked, BackupErrorId.DestinationLocked,
            BackupErrorId.CloudTransferInProgress, BackupErrorId.ProtectionRunning, BackupErrorId.StandbyRunning);
        Add(BackupErrorCategory.ResourceExists,
            BackupErrorId.BackupIdTaken, BackupErrorId.CloudObjectExists, BackupErrorId.ConfigurationExists, BackupErrorId.IdentityFileExists,
            BackupErrorId.ModuleLoadedTwice, BackupErrorId.StreamNotOurs, BackupErrorId.StreamFenced, BackupErrorId.StandbyChanged);
        Add(BackupErrorCategory.ResourceUnavailable,
            BackupErrorId.InsufficientSpace, BackupErrorId.CloudUploadLost, BackupErrorId.SchedulerUnavailable, BackupErrorId.QueryLimitExceeded,
            BackupErrorId.StreamBehind);
        Add(BackupErrorCategory.SecurityError,
            BackupErrorId.SidecarHostile, BackupErrorId.CloudTlsFailed);
        Add(BackupErrorCategory.WriteError,
            BackupErrorId.WriteFailed, BackupErrorId.DestinationNotWritable, BackupErrorId.SafetyBackupFailed);

        static void Add(BackupErrorCategory category, params ReadOnlySpan<string> ids)
        {
            foreach (var id in ids)
            {
                OfIds.Add(id, category);
            }
        }
    }

    /// <summary>The category of an id.</summary>
    /// <exception cref="KeyNotFoundException">It is not a <see cref="BackupErrorId"/>.</exception>
    public static BackupErrorCategory Of(string errorId) => OfIds[errorId];
}
