namespace SignalHarvester.Backup.Catalog;

/// <summary>The names of the checks of a verification, and their errors.</summary>
internal static class VerificationChecks
{
    public const string File = nameof(File);
    public const string StoredSize = nameof(StoredSize);
    public const string StoredChecksum = nameof(StoredChecksum);
    public const string ProviderChecksum = nameof(ProviderChecksum);
    public const string Decryption = nameof(Decryption);
    public const string Decompression = nameof(Decompression);
    public const string WalChecksum = nameof(WalChecksum);
    public const string Chain = nameof(Chain);
    public const string ImageChecksum = nameof(ImageChecksum);
    public const string PagesChecksum = nameof(PagesChecksum);
    public const string Integrity = nameof(Integrity);
    public const string Schema = nameof(Schema);
    public const string RowCounts = VerificationCheck.RowCounts;

    private const string NotMade = "could not be made: ";

    /// <summary>The integrity check of a database that this SQLite cannot read: its result is unknown.</summary>
    /// <param name="reason">Why SQLite cannot read it.</param>
    public static VerificationCheck Unreadable(string reason) => new(Integrity, false, NotMade + reason);

    /// <summary>Whether a check says only that it could not be made.</summary>
    public static bool IsUnreadable(VerificationCheck? check) =>
        check is { Check: Integrity, Passed: false } && check.Detail.StartsWith(NotMade, StringComparison.Ordinal);

    /// <summary>The failed check of an incomplete chain.</summary>
    public static VerificationCheck Broken(BackupException fault) => new(Chain, false, BackupChain.Reason(fault));

    /// <summary>The error for a failed check.</summary>
    public static BackupException Fault(BackupMetadata backup, VerificationCheck failed) => new(
        failed.Check switch
        {
            File => BackupErrorId.BackupFileMissing,
            StoredSize => BackupErrorId.BackupSizeMismatch,
            StoredChecksum or ProviderChecksum or WalChecksum or ImageChecksum or PagesChecksum => BackupErrorId.BackupChecksumMismatch,
            Chain => BackupErrorId.ChainBroken,
            Decryption or Decompression => BackupErrorId.BackupCorrupt,
            Integrity => BackupErrorId.BackupIntegrityFailed,
            _ => BackupErrorId.BackupContentMismatch,
        },
        backup.Id,
        IsUnreadable(failed)
            ? $"The database in '{backup.Id}' cannot be checked here: {failed.Detail[NotMade.Length..]}. That is not damage, and every other check passed. Restore it with -NoVerify, and check it with its application's SQLite."
            : $"Backup '{backup.Id}' failed its {failed.Check} check: {failed.Detail}. Do not rely on it: restore another one (Get-SHBackup -Verified), and make a new backup now.");
}
