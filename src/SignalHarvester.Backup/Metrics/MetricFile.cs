using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Metrics;

/// <summary>Writes metrics to a file for node_exporter's textfile collector, which never sees an incomplete one.</summary>
public static class MetricFile
{
    /// <summary>The mode of the file: node_exporter reads it under another account.</summary>
    private const UnixFileMode ReadableByAll = DurableFile.OwnersAlone | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Writes the metrics of a backup directory, and replaces an existing file.</summary>
    /// <param name="path">The file's full path. The collector reads names that end with .prom.</param>
    /// <param name="text">The metrics: <see cref="MetricText.Of"/>.</param>
    /// <exception cref="BackupException">DestinationIsDirectory, DestinationInvalid,
    /// DestinationNotWritable, InsufficientSpace, WriteFailed: an existing file is unchanged.</exception>
    public static void Write(string path, ReadOnlyMemory<byte> text)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        RefuseWhatIsNoFile(path);
        DiskFault.Guard(path, BackupErrorId.DestinationNotWritable, "Give a file in a folder that this account may write to.", () =>
        {
            // A link that somebody made there stays.
            using var place = NamedPlace.Find(path, followLast: true);
            Write(place, text.Span);
        });
    }

    private static void Write(NamedPlace place, ReadOnlySpan<byte> text)
    {
        // Several may export at once, so each has its own name.
        var temporary = $"{place.Name}.{Guid.NewGuid():N}.partial";
        try
        {
            using (var handle = place.Folder.OpenFile(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None))
            {
                RandomAccess.Write(handle, text, 0);
                if (!OperatingSystem.IsWindows())
                {
                    File.SetUnixFileMode(handle, ReadableByAll);
                }

                RandomAccess.FlushToDisk(handle);
            }

            DurableFile.Rename(place.Folder, temporary, place.Folder, place.Name, overwrite: true);
        }
        catch
        {
            Discard(place.Folder, temporary);
            throw;
        }
    }

    private static void RefuseWhatIsNoFile(string path)
    {
        if (Directory.Exists(path))
        {
            throw new BackupException(
                BackupErrorId.DestinationIsDirectory, path, $"'{path}' is a directory. Give a file in it, such as '{Path.Combine(path, "shbackup.prom")}'.");
        }

        if (FileKind.IsSpecial(path))
        {
            throw new BackupException(
                BackupErrorId.DestinationInvalid, path,
                $"'{path}' is a device, a pipe or a socket, which a file would replace permanently. Give a file, or omit -Path to emit the text.");
        }

        if (!Directory.Exists(Path.GetDirectoryName(path)))
        {
            throw new BackupException(
                BackupErrorId.DestinationInvalid, BackupErrorCategory.ObjectNotFound, path,
                $"The folder of '{path}' does not exist. Create it, and let node_exporter read it (--collector.textfile.directory).");
        }
    }

    private static void Discard(HeldFolder folder, string temporary)
    {
        try
        {
            folder.Delete(temporary);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The original error says what is wrong with this folder.
        }
    }
}
