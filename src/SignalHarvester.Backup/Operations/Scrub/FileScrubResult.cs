using SignalHarvester.Backup.Catalog;

namespace SignalHarvester.Backup.Operations.Scrub;

/// <summary>What one look at a stored file gave.</summary>
/// <param name="Outcome">Good, Damaged, Missing or Unreadable.</param>
/// <param name="Reason">What that rests on, without a full stop.</param>
internal sealed record FileScrubResult(ScrubOutcome Outcome, string Reason)
{
    /// <summary>The error that it is; null for a good file.</summary>
    public string? ErrorId { get; init; }

    /// <summary>Bytes that were read.</summary>
    public long Bytes { get; init; }

    /// <summary>The file's length and time of writing when it was read; null if there is none.</summary>
    public (long Length, DateTime Written)? File { get; init; }

    /// <summary>The SHA-256 of the file, where none was recorded and its content proved to be right.</summary>
    public string? StoredChecksum { get; init; }

    /// <summary>The check of a verification that says the same.</summary>
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
