using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>Whose a file is, and who else is let in: read from one, given to a new one before that gets its final name.</summary>
internal static partial class FileOwnership
{
    private const UnixFileMode Permissions = (UnixFileMode)0b111_111_111;
    private const UnixFileMode GroupPermissions = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;

    /// <summary>What could not be given to a file.</summary>
    [Flags]
    public enum Withheld
    {
        /// <summary>Nothing.</summary>
        None = 0,

        /// <summary>The user.</summary>
        User = 1,

        /// <summary>The group.</summary>
        Group = 2,

        /// <summary>A part of the mode.</summary>
        Mode = 4,

        /// <summary>The access control list.</summary>
        Acl = 8,

        /// <summary>The label of SELinux.</summary>
        Label = 16,

        /// <summary>Attributes of users.</summary>
        Attributes = 32,
    }

    /// <summary>Reads whose a file is, without opening it; null where it is not there, and on Windows.</summary>
    public static FileAccessRecord? Read(string path)
    {
        if (OperatingSystem.IsWindows() || FileKind.AccessOf(path) is not var (user, group, mode))
        {
            return null;
        }

        return new FileAccessRecord(user, UnixAccounts.UserName(user), group, UnixAccounts.GroupName(group), mode & Permissions, ExtendedAttributes.Read(path));
    }

    /// <summary>Gives a new file what another one has, as far as this account may: never to more people than there.</summary>
    /// <remarks>A restore that root runs for a service would lock the service out of its own database otherwise.</remarks>
    /// <returns>What could not be given.</returns>
    public static Withheld Copy(string from, string to)
    {
        if (Read(from) is not { } access)
        {
            return Withheld.None;
        }

        using var file = OpenOwn(to);
        return Give(file, access);
    }

    /// <summary>Opens a file of ours, that nobody else was to get at, to give it to somebody.</summary>
    /// <exception cref="IOException">It is another one: a link, a pipe, or another user's.</exception>
    public static SafeFileHandle OpenOwn(string path)
    {
        // For reading and writing: a pipe would be waited for otherwise.
        var descriptor = Open(path, OpenReadWrite | OpenCloseOnExec | OpenNoFollow, 0);
        if (descriptor < 0)
        {
            throw new IOException($"'{path}' cannot be opened to give it to its owner: {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        var file = new SafeFileHandle(descriptor, ownsHandle: true);
        if (FileKind.IsRegular(file) && FileKind.OwnerOf(file)?.User == UnixAccounts.CurrentUser)
        {
            return file;
        }

        file.Dispose();
        throw new IOException($"'{path}' is not the file that was made there.");
    }

    /// <summary>Gives an open file of ours to somebody, as far as this account may. Who cannot be let in by name is not let in otherwise.</summary>
    /// <returns>What could not be given.</returns>
    public static Withheld Give(SafeFileHandle file, FileAccessRecord access)
    {
        if (OperatingSystem.IsWindows())
        {
            return Withheld.None;
        }

        // What a folder hands down to all new files counts only where the file had it too.
        ExtendedAttributes.Remove(file, PosixAcl.Attribute);
        var withheld = Withheld.None;
        foreach (var (name, value) in access.Attributes.Where(attribute => attribute.Key != PosixAcl.Attribute))
        {
            if (ExtendedAttributes.Read(file, name)?.AsSpan().SequenceEqual(value) != true && !ExtendedAttributes.TryWrite(file, name, value))
            {
                withheld |= name == ExtendedAttributes.SelinuxLabel ? Withheld.Label : Withheld.Attributes;
            }
        }

        // In this order: a change of the owner can take bits from the mode.
        var (user, group) = FileKind.OwnerOf(file)!.Value;
        if (ChangeOwner(file, access.UserId, access.GroupId) != 0)
        {
            withheld |= user == access.UserId ? Withheld.None : Withheld.User;
            withheld |= group == access.GroupId || ChangeOwner(file, user, access.GroupId) == 0 ? Withheld.None : Withheld.Group;
        }

        var acl = access.Attributes.TryGetValue(PosixAcl.Attribute, out var bytes) ? PosixAcl.TryRead(bytes) : null;
        if (acl is not null && !withheld.HasFlag(Withheld.Group) && ExtendedAttributes.TryWrite(file, PosixAcl.Attribute, bytes))
        {
            return withheld;
        }

        // Beside a list, the mode's bits for the group are what all that it names may do at most.
        var mode = (access.Mode & Permissions & ~GroupPermissions) | (withheld.HasFlag(Withheld.Group) ? UnixFileMode.None : acl?.GroupMode ?? (access.Mode & GroupPermissions));
        File.SetUnixFileMode(file, mode);
        return withheld | (acl is null ? Withheld.None : Withheld.Acl) | (withheld.HasFlag(Withheld.Group) && (access.Mode & GroupPermissions) != 0 ? Withheld.Mode : Withheld.None);
    }

    // As .NET's own portable open takes them.
    private const int OpenReadWrite = 0x0002;
    private const int OpenCloseOnExec = 0x0010;
    private const int OpenNoFollow = 0x0200;

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fchown")]
    private static partial int ChangeOwner(SafeFileHandle file, uint user, uint group);
}
