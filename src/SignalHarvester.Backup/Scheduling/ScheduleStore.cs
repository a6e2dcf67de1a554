using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Scheduling;

/// <summary>The stored schedules of one scope: for each, one file with its definition and one with the record of its last run.</summary>
internal sealed class ScheduleStore(ScheduleScope scope, ScheduleFolders folders)
{
    /// <summary>The advice if a schedule's files may not be written.</summary>
    public const string WriteAdvice = "Check its permissions; schedules of -Scope System can be changed only by an administrator.";

    /// <summary>The beginning of the names of our files, units and labels.</summary>
    public const string Prefix = "shbackup-";

    private const string Suffix = ".json";
    private const int LargestBytes = 1 << 20;

    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(30);

    /// <summary>The store of a scope.</summary>
    public static ScheduleStore Of(ScheduleScope scope) => new(scope, ScheduleFolders.Of(scope));

    /// <summary>Returns the path of a schedule's definition.</summary>
    public string PathOf(string key) => Path.Combine(folders.Definitions, NameOf(key));

    /// <summary>A folder for files that live no longer than a call.</summary>
    public string WorkFolder => folders.State;

    /// <summary>Lists all schedules, by name. An unreadable one is a fault.</summary>
    public IReadOnlyList<ScheduleDefinition> List(Action<BackupException> fault)
    {
        string[] files;
        try
        {
            files = Directory.Exists(folders.Definitions) ? Directory.GetFiles(folders.Definitions, Prefix + "*" + Suffix) : [];
        }
        catch (UnauthorizedAccessException)
        {
            // The folder belongs to another account and has nothing for this one.
            return [];
        }

        var found = new List<ScheduleDefinition>();
        foreach (var file in files)
        {
            try
            {
                found.Add(Read(file));
            }
            catch (BackupException exception)
                when (exception.InnerException is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
            {
                // Removed since the folder was listed, or only for the administrator.
            }
            catch (BackupException exception)
            {
                fault(exception);
            }
        }

        return [.. found.OrderBy(definition => definition.Name, StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>Whether there are schedules that this account may not read: those of the machine belong to the administrator.</summary>
    public bool HasHidden()
    {
        try
        {
            return Directory.Exists(folders.Definitions) && Array.Exists(Directory.GetFiles(folders.Definitions, Prefix + "*" + Suffix), IsHidden);
        }
        catch (UnauthorizedAccessException)
        {
            return true;
        }
    }

    private static bool IsHidden(string file)
    {
        try
        {
            _ = NamedFile.ReadAllBytes(file, LargestBytes);
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return true;
        }
        catch (IOException)
        {
            // Removed meanwhile, or broken: the listing reports it.
            return false;
        }
    }

    /// <summary>Returns one schedule; null if none has that name.</summary>
    /// <exception cref="BackupException">ScheduleInvalid.</exception>
    public ScheduleDefinition? Find(string name)
    {
        var path = PathOf(ScheduleName.Key(name));
        return File.Exists(path) ? Read(path) : null;
    }

    /// <summary>Stores a schedule.</summary>
    /// <exception cref="BackupException">WriteFailed, InsufficientSpace.</exception>
    public void Write(ScheduleDefinition definition) => Guarded(folders.Definitions, () =>
    {
        if (scope == ScheduleScope.System)
        {
            SystemFolder.Create(folders.Definitions);
        }

        using var folder = NamedPlace.OpenFolder(folders.Definitions, MissingFolders.MakePrivate);
        DurableFile.WriteAllBytes(folder, NameOf(definition.Key), Encoding.UTF8.GetBytes(ScheduleJson.Write(definition)));
    });

    /// <summary>Deletes a schedule and the record of its runs.</summary>
    public void Delete(string key) => Guarded(folders.Definitions, () =>
    {
        if (Directory.Exists(folders.Definitions))
        {
            using var definitions = NamedPlace.OpenFolder(folders.Definitions);
            definitions.Delete(NameOf(key));
            definitions.Flush();
        }

        if (Directory.Exists(folders.State))
        {
            using var state = NamedPlace.OpenFolder(folders.State);
            state.Delete(StateOf(key));

            // If a run is in progress its lock stays, so that a new schedule of the same name does not run beside it.
            using var held = TryLock(state, key);
            if (held is not null)
            {
                state.Delete(LockOf(key));
            }
        }
    });

    /// <summary>Returns the record of the last run; null before the first, or if it cannot be read, which costs one additional run at worst.</summary>
    public ScheduleState? ReadState(string key)
    {
        try
        {
            return ScheduleJson.ReadState(RegularFile.ReadAllBytes(Path.Combine(folders.State, StateOf(key)), LargestBytes));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Stores the record of a run at its end. If the schedule was removed meanwhile, the run's lock is removed instead.</summary>
    public void WriteState(string key, ScheduleState state) => Guarded(folders.State, () =>
    {
        using var folder = NamedPlace.OpenFolder(folders.State);
        if (File.Exists(PathOf(key)))
        {
            DurableFile.WriteAllBytes(folder, StateOf(key), Encoding.UTF8.GetBytes(ScheduleJson.Write(state)));
        }
        else
        {
            folder.Delete(LockOf(key));
        }
    });

    /// <summary>Takes the lock of a schedule's runs, which the system releases when the process dies; null if a run holds it.</summary>
    public SafeFileHandle? TryLock(string key)
    {
        SafeFileHandle? held = null;
        Guarded(folders.State, () =>
        {
            using var folder = NamedPlace.OpenFolder(folders.State, MissingFolders.MakePrivate);
            held = TryLock(folder, key);
        });
        return held;
    }

    /// <summary>Whether a run of a schedule is in progress; null if this account may not know.</summary>
    public bool? IsRunning(string key)
    {
        var path = Path.Combine(folders.State, LockOf(key));
        try
        {
            if (File.Exists(path))
            {
                RegularFile.Release(RegularFile.Open(path, FileMode.Open, FileAccess.ReadWrite, DurableFile.Exclusive));
            }

            return false;
        }
        catch (IOException exception) when (DiskFault.IsHeldElsewhere(exception))
        {
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Whether a schedule is still registered.</summary>
    public bool Has(string key) => File.Exists(PathOf(key));

    /// <summary>Waits for the lock under which schedules are registered and removed, because a crontab is one file for all of them.</summary>
    /// <exception cref="BackupException">DirectoryLocked.</exception>
    public SafeFileHandle Lock(CancellationToken cancellation)
    {
        SafeFileHandle? held = null;
        Guarded(folders.State, () =>
        {
            using var folder = NamedPlace.OpenFolder(folders.State, MissingFolders.MakePrivate);
            held = FolderLock.Take(folder, LockTimeout, cancellation);
        });
        return held!;
    }

    private static string NameOf(string key) => Prefix + key + Suffix;

    private static string StateOf(string key) => Prefix + key + ".state" + Suffix;

    private static string LockOf(string key) => Prefix + key + ".lock";

    private static SafeFileHandle? TryLock(HeldFolder folder, string key)
    {
        try
        {
            return folder.OpenFile(LockOf(key), FileMode.OpenOrCreate, FileAccess.ReadWrite, DurableFile.Exclusive);
        }
        catch (IOException exception) when (DiskFault.IsHeldElsewhere(exception))
        {
            return null;
        }
    }

    private ScheduleDefinition Read(string path)
    {
        try
        {
            if (scope == ScheduleScope.System)
            {
                SystemFolder.RefuseForeign(folders.Definitions);
                SystemFolder.RefuseForeign(path);
            }

            var definition = ScheduleJson.ReadDefinition(NamedFile.ReadAllBytes(path, LargestBytes)) ?? throw new JsonException("It is empty.");
            if (!IsWhole(definition))
            {
                throw new JsonException(
                    "A field is missing: a trigger, the databases of the job (an empty list means those of the settings), or program, arguments and environment of the command.");
            }

            return PathOf(definition.Key) == path && definition.FormatVersion == 1
                ? definition with { Scope = scope }
                : throw new JsonException("It belongs to another schedule, or to a newer version of this module.");
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new BackupException(
                BackupErrorId.ScheduleInvalid, path,
                $"The schedule in '{path}' cannot be read: {exception.Message.TrimEnd('.')}. Register it again with Register-SHBackupSchedule, or remove the file.",
                exception);
        }
    }

    /// <summary>Whether the file is complete, if people wrote it: a missing value is null here, whatever its type says.</summary>
    private static bool IsWhole(ScheduleDefinition definition) =>
        definition is
        {
            Name: not null, Trigger: not null, Job.Databases: not null,
            Command: { Program: not null, Arguments: not null, Environment: not null }
        };

    private static void Guarded(string path, Action action) => DiskFault.Guard(path, BackupErrorId.WriteFailed, WriteAdvice, action);
}
