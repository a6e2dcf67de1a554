namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>The files and bytes of a restore.</summary>
/// <param name="Files">The backups whose files are read, in the order of reading: the newest first, the full one last.</param>
/// <param name="BytesToRead">Bytes of all these files.</param>
/// <param name="BytesToWrite">Bytes of the database; null if that was not recorded.</param>
public sealed record RestorePlan(IReadOnlyList<BackupMetadata> Files, long BytesToRead, long? BytesToWrite)
{
    /// <summary>Whether a restore would overwrite something: a file, or the log or journal that is left of one.</summary>
    /// <param name="destination">The destination, as a full path.</param>
    public static bool Overwrites(string destination) =>
        File.Exists(destination) || Array.Exists(["-wal", "-journal"], suffix => new FileInfo(destination + suffix) is { Exists: true, Length: > 0 });
}
