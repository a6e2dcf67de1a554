using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Catalog;

/// <summary>Finds a backup by the path of its file.</summary>
public static class BackupFileLookup
{
    /// <summary>Finds the backup of a file: from its sidecar, or from the file alone.</summary>
    /// <param name="path">The file's full path.</param>
    /// <param name="home">The backup directory of this machine, for a file without a sidecar.</param>
    /// <param name="clock">The clock for ages.</param>
    /// <returns>The backup: in its directory if it has a sidecar, else without a catalogue.</returns>
    /// <exception cref="BackupException">BackupFileMissing, NotABackup, DatabaseOpenInProcess.</exception>
    public static BackupSource Find(string path, Func<BackupDirectory> home, TimeProvider clock)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(home);
        var file = new FileInfo(path);
        if (!file.Exists)
        {
            throw Directory.Exists(path)
                ? new BackupException(
                    BackupErrorId.NotABackup, path,
                    $"'{path}' is a directory. Give a backup file, or list the directory with Get-SHBackup -BackupDirectory '{path}'.")
                : new BackupException(BackupErrorId.BackupFileMissing, path, $"There is no file '{path}'. List the backups with Get-SHBackup.");
        }

        var stem = Path.GetFileNameWithoutExtension(path);
        if (file.Extension == BackupFileName.SidecarSuffix && BackupFileName.IsId(stem))
        {
            throw new BackupException(
                BackupErrorId.NotABackup, path, $"'{path}' is the sidecar of backup '{stem}', not its file. Give the file beside it, or the id.");
        }

        var name = BackupFileName.TryParse(file.Name);
        var directory = new BackupDirectory(file.DirectoryName!, clock);
        if (name is not null && Described(directory, name.Id) is { } known && known.BackupPath == file.FullName)
        {
            return BackupSource.In(directory, known);
        }

        if (name is null)
        {
            // It may be a database in use.
            SqliteDescriptors.RefuseOthers(file.FullName);
        }

        var loose = new BackupMetadata
        {
            Id = name?.Id ?? file.Name,
            Type = name?.Type ?? BackupType.Full,
            Timestamp = name is null ? file.LastWriteTimeUtc : BackupFileName.MomentOf(name.Id),
            BackupPath = file.FullName,
            BackupDirectory = file.DirectoryName!,
            Compression = name?.Compression ?? CompressionType.None,
            IsEncrypted = name?.IsEncrypted ?? file.Extension == BackupFileName.EncryptedSuffix,
            Size = file.Length,
            Clock = clock,
        };
        return new BackupSource(loose, BackupCatalog.None(home));
    }

    private static BackupMetadata? Described(BackupDirectory directory, string id)
    {
        try
        {
            return directory.Get(id);
        }
        catch (BackupException exception)
            when (exception.ErrorId is BackupErrorId.BackupNotFound or BackupErrorId.SidecarInvalid or BackupErrorId.SidecarHostile)
        {
            // A file that was given by its path is judged by its content: that helps if its sidecar is lost or damaged.
            return null;
        }
    }
}
