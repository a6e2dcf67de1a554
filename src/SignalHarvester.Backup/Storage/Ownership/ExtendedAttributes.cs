using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage.Ownership;

/// <summary>Extended attributes of files, see xattr(7). Linux alone; elsewhere a file has none.</summary>
internal static unsafe partial class ExtendedAttributes
{
    /// <summary>The attribute that SELinux keeps a file's label in.</summary>
    public const string SelinuxLabel = "security.selinux";

    private const string UserPrefix = "user.";
    private const int MostBytes = 64 << 10;

    // With these, programs that run as root take mode, owner or content of a file from its attributes.
    private static readonly string[] TakenAtTheirWord = ["user.overlay.", "user.rsync.", "user.fuseoverlayfs.", "user.containers.", "user.virtfs."];

    /// <summary>Whether an attribute says nothing to the system, and is a user's to give.</summary>
    public static bool IsUsers(string name) =>
        name.StartsWith(UserPrefix, StringComparison.Ordinal) && !TakenAtTheirWord.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>Whether an attribute is one that we read and write: the ACL, the label, or a user's.</summary>
    public static bool IsKnown(string name) => name is PosixAcl.Attribute or SelinuxLabel || IsUsers(name);

    /// <summary>Reads all that are known, a link itself and without opening it; up to 64 KiB of them.</summary>
    /// <remarks>Opening a database, and closing it, would drop the locks that SQLite holds on it in this process.</remarks>
    public static IReadOnlyDictionary<string, byte[]> Read(string path)
    {
        var found = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        if (!OperatingSystem.IsLinux())
        {
            return found;
        }

        var left = MostBytes;
        foreach (var name in Names(path).Where(IsKnown))
        {
            if (Read(path, name) is { } value && (left -= name.Length + value.Length) >= 0)
            {
                found.Add(name, value);
            }
        }

        return found;
    }

    /// <summary>Reads one; null if there is none, or it cannot be read.</summary>
    public static byte[]? Read(string path, string name)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        var value = new byte[MostBytes];
        fixed (byte* place = value)
        {
            var length = Get(path, name, place, value.Length);
            return length < 0 ? null : value[..(int)length];
        }
    }

    /// <summary>Reads all that are known of an open file. Its path tells their names alone, since it may lead elsewhere by now.</summary>
    public static IReadOnlyDictionary<string, byte[]> ReadAll(SafeFileHandle file, string path)
    {
        var found = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var name in Read(path).Keys.Union([PosixAcl.Attribute, SelinuxLabel]))
        {
            if (Read(file, name) is { } value)
            {
                found.Add(name, value);
            }
        }

        return found;
    }

    /// <summary>Reads one of an open file; null if there is none, or it cannot be read.</summary>
    public static byte[]? Read(SafeFileHandle file, string name)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        var value = new byte[MostBytes];
        fixed (byte* place = value)
        {
            var length = Get(file, name, place, value.Length);
            return length < 0 ? null : value[..(int)length];
        }
    }

    /// <summary>Gives an open file one.</summary>
    /// <returns>Whether it could be given.</returns>
    public static bool TryWrite(SafeFileHandle file, string name, ReadOnlySpan<byte> value)
    {
        fixed (byte* place = value)
        {
            return OperatingSystem.IsLinux() && Set(file, name, place, value.Length, 0) == 0;
        }
    }

    /// <summary>Takes one from an open file, where it has it.</summary>
    public static void Remove(SafeFileHandle file, string name)
    {
        if (OperatingSystem.IsLinux())
        {
            _ = Delete(file, name);
        }
    }

    private static string[] Names(string path)
    {
        var names = new byte[MostBytes];
        fixed (byte* place = names)
        {
            var length = List(path, place, names.Length);
            return length <= 0 ? [] : Encoding.UTF8.GetString(names, 0, (int)length).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        }
    }

    [LibraryImport("libc", EntryPoint = "llistxattr", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint List(string path, byte* names, nint length);

    [LibraryImport("libc", EntryPoint = "lgetxattr", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Get(string path, string name, byte* value, nint length);

    [LibraryImport("libc", EntryPoint = "fgetxattr", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Get(SafeFileHandle file, string name, byte* value, nint length);

    [LibraryImport("libc", EntryPoint = "fsetxattr", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Set(SafeFileHandle file, string name, byte* value, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "fremovexattr", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Delete(SafeFileHandle file, string name);
}
