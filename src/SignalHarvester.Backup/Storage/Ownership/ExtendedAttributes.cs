using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage.Ownership;

/// <summary>Extended attributes of files; see xattr(7). Only Linux has them here; elsewhere a file has none.</summary>
internal static unsafe partial class ExtendedAttributes
{
    /// <summary>The attribute with a file's SELinux label.</summary>
    public const string SelinuxLabel = "security.selinux";

    private const string UserPrefix = "user.";
    private const int MostBytes = 64 << 10;

    // Programs that run as root take a file's mode, owner or content from attributes with these names.
    private static readonly string[] TakenAtTheirWord = ["user.overlay.", "user.rsync.", "user.fuseoverlayfs.", "user.containers.", "user.virtfs."];

    /// <summary>Whether an attribute means nothing to the system, and users may set it.</summary>
    public static bool IsUsers(string name) =>
        name.StartsWith(UserPrefix, StringComparison.Ordinal) && !TakenAtTheirWord.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>Whether we read and write an attribute: the ACL, the label, or a user's attribute.</summary>
    public static bool IsKnown(string name) => name is PosixAcl.Attribute or SelinuxLabel || IsUsers(name);

    /// <summary>Reads all known attributes of a name, even of a link itself, up to 64 KiB, without opening the file.</summary>
    /// <remarks>Opening and closing a database would drop the locks that SQLite holds on it in this process.</remarks>
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

    /// <summary>Reads one attribute; null if there is none, or it cannot be read.</summary>
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

    /// <summary>Reads all known attributes of an open file. The path gives only their names, because it may lead elsewhere by now.</summary>
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

    /// <summary>Reads one attribute of an open file; null if there is none, or it cannot be read.</summary>
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

    /// <summary>Sets an attribute of an open file.</summary>
    /// <returns>Whether it could be set.</returns>
    public static bool TryWrite(SafeFileHandle file, string name, ReadOnlySpan<byte> value)
    {
        fixed (byte* place = value)
        {
            return OperatingSystem.IsLinux() && Set(file, name, place, value.Length, 0) == 0;
        }
    }

    /// <summary>Removes an attribute from an open file, if the file has it.</summary>
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
