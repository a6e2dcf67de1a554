using SignalHarvester.Backup.Catalog;

namespace SignalHarvester.Backup.Operations.Scrub;

/// <summary>The result of reading a stored file once.</summary>
/// <param name="Outcome">Good, Damaged, Missing or Unreadable.</param>
/// <param name="Reason">The reason, without a full stop.</param>
internal sealed record FileScrubResult(ScrubOutcome Outcome, string Reason)
{
    /// <summary>The error's id; null for a good file.</summary>
    public string? ErrorId { get; init; }

    /// <summary>The number of bytes read.</summary>
    public long Bytes { get; init; }

    /// <summary>The file's length and time of writing when it was read; null if there is no file.</summary>
    public (long Length, DateTime Written)? File { get; init; }

    /// <summary>The SHA-256 of the file, if none was recorded and its content proved to be right.</summary>
    public string? StoredChecksum { get; init; }

    /// <summary>The same result as a check of a verification.</summary>
    public VerificationCheck Check => new(
        ErrorId switch
        {
            BackupErrorId.BackupSizeMismatch => VerificationChecks.StoredSize,
            BackupErrorId.BackupFileMissing => VerificationChecks.File,
            BackupErrorId.BackupCorrupt => VerificationChecks.Decompression,
            _ => VerificationChecks.StoredChecksum,
        },
        false,
        Reason);
}
