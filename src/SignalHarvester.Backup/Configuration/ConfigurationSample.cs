using System.Text;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Configuration;

/// <summary>The configurations to begin with: a short one, and one with every setting.</summary>
public static class ConfigurationSample
{
    /// <summary>The settings that most people need.</summary>
    public static string Essential => Read("settings.yaml");

    /// <summary>Every setting, with its default or an example and an explanation.</summary>
    public static string Full => Read("settings.full.yaml");

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

    /// <summary>Writes a configuration, with the folders above it: only for its owner, unless it replaces a file that others may read.</summary>
    /// <param name="path">The file to write, as a full path.</param>
    /// <param name="text">Its content.</param>
    /// <param name="overwrite">Whether a file may be replaced.</param>
    /// <exception cref="BackupException">ConfigurationExists, DestinationIsDirectory,
    /// DestinationInvalid, DestinationNotWritable, InsufficientSpace, WriteFailed.</exception>
    public static void Write(string path, string text, bool overwrite)
    {
        RequireFree(path, overwrite);
        DiskFault.Guard(path, BackupErrorId.DestinationNotWritable, "Give another file with -Path, or change its permissions.", () =>
        {
            using var place = NamedPlace.Find(path, missing: MissingFolders.Make);
            DurableFile.WriteAllBytes(place.Folder, place.Name, Encoding.UTF8.GetBytes(text));
        });
    }

    private static string Read(string name)
    {
        using var resource = typeof(ConfigurationSample).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(resource, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
