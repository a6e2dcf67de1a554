using System.Text;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Configuration;

/// <summary>The commented sample configuration.</summary>
public static class ConfigurationSample
{
    /// <summary>Its content.</summary>
    public static string Text
    {
        get
        {
            using var resource = typeof(ConfigurationSample).Assembly.GetManifestResourceStream("settings.yaml")!;
            using var reader = new StreamReader(resource, Encoding.UTF8);
            return reader.ReadToEnd();
        }
    }

    /// <summary>Refuses to overwrite an existing file.</summary>
    /// <param name="path">The file to write, as a full path.</param>
    /// <param name="overwrite">Whether a file may be replaced.</param>
    /// <exception cref="BackupException">ConfigurationExists; DestinationIsDirectory.</exception>
    public static void RequireFree(string path, bool overwrite)
    {
        if (Directory.Exists(path))
        {
            throw new BackupException(
                BackupErrorId.DestinationIsDirectory, path,
                $"'{path}' is a directory. Give the file to write in it, such as '{Path.Combine(path, "settings.yaml")}'.");
        }

        if (!overwrite && File.Exists(path))
        {
            throw new BackupException(
                BackupErrorId.ConfigurationExists, path,
                $"The configuration '{path}' exists already and was not changed. Give another file with -Path, or replace it with -Force.");
        }
    }

    /// <summary>Writes it, with the folders above it: only for its owner, unless it replaces a file that others may read.</summary>
    /// <param name="path">The file to write, as a full path.</param>
    /// <param name="overwrite">Whether a file may be replaced.</param>
    /// <exception cref="BackupException">ConfigurationExists, DestinationIsDirectory,
    /// DestinationInvalid, DestinationNotWritable, InsufficientSpace, WriteFailed.</exception>
    public static void Write(string path, bool overwrite)
    {
        RequireFree(path, overwrite);
        DiskFault.Guard(path, BackupErrorId.DestinationNotWritable, "Give another file with -Path, or change its permissions.", () =>
        {
            using var place = NamedPlace.Find(path, missing: MissingFolders.Make);
            DurableFile.WriteAllBytes(place.Folder, place.Name, Encoding.UTF8.GetBytes(Text));
        });
    }
}
