using System.Globalization;

namespace SignalHarvester.Backup.Storage;

/// <summary>The paths in a backup directory that are not backups: docs/FORMAT.md.</summary>
/// <param name="Path">The directory's full path.</param>
internal sealed record BackupDirectoryLayout(string Path)
{
    /// <summary>The folder for everything that is not a backup. All of it may be deleted.</summary>
    public string StateFolder => System.IO.Path.Combine(Path, HeldFolder.StateFolderName);

    /// <summary>The folder for temporary copies of plain database content.</summary>
    public string TemporaryParent => InState("tmp");

    /// <summary>The folder for page digests.</summary>
    public string DigestFolder => InState("digests");

    /// <summary>The folder for the journals of unfinished uploads.</summary>
    public string UploadFolder => InState("uploads");

    /// <summary>The folder for files that are being fetched from an object store.</summary>
    public string DownloadFolder => InState("downloads");

    /// <summary>The folder for the temporary backup directories of a restore or a test from an object store.</summary>
    public string StagingFolder => InState("staging");

    /// <summary>The folder for the state of continuous protection, with a folder for each database.</summary>
    public string ProtectionFolder => InState("protection");

    /// <summary>The file with the history of operations.</summary>
    public string HistoryPath => InState("history.db");

    /// <summary>The folder for the markers of backups that are being published.</summary>
    public string PublishingFolder => InState("publishing");

    /// <summary>The folder for the markers of backups that are being removed.</summary>
    public string RemovingFolder => InState("removing");

    /// <summary>The folder for the markers of files that are being replaced by another file.</summary>
    public string SupersededFolder => InState("superseded");

    /// <summary>The folder for files that were found damaged.</summary>
    public string QuarantineFolder => System.IO.Path.Combine(Path, HeldFolder.QuarantineFolderName);

    /// <summary>All folders.</summary>
    public IReadOnlyList<string> Folders =>
    [
        StateFolder, PublishingFolder, RemovingFolder, SupersededFolder, DigestFolder, TemporaryParent, QuarantineFolder, UploadFolder, DownloadFolder,
        StagingFolder, ProtectionFolder,
    ];

    /// <summary>Returns a new folder name in the quarantine, made from a moment in time.</summary>
    public string NewQuarantine(DateTimeOffset now)
    {
        for (var moment = now; ; moment = moment.AddMicroseconds(1))
        {
            var folder = System.IO.Path.Combine(QuarantineFolder, moment.UtcDateTime.ToString("yyyyMMdd'_'HHmmss'_'ffffff", CultureInfo.InvariantCulture));
            if (!Directory.Exists(folder))
            {
                return folder;
            }
        }
    }

    private string InState(string name) => System.IO.Path.Combine(StateFolder, name);
}
