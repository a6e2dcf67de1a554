using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage.Ownership;

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

    /// <summary>Reads whose a file is, without opening it; null if it is not there, and on Windows.</summary>
    public static FileAccessRecord? Read(string path)
    {
        if (OperatingSystem.IsWindows() || FileStatus.OfItself(path) is not { IsRegular: true } status)
        {
            return null;
        }

        return Recorded(status, ExtendedAttributes.Read(path));
    }

    /// <summary>Reads whose an open file is; null on Windows. What its path names by now may be another.</summary>
    public static FileAccessRecord? Read(SafeFileHandle file, string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return null;
        }

        return Recorded(FileStatus.Of(file), ExtendedAttributes.ReadAll(file, path));
    }

    private static FileAccessRecord Recorded(FileStatus status, IReadOnlyDictionary<string, byte[]> attributes) => new(
        status.User, UnixAccounts.UserName(status.User), status.Group, UnixAccounts.GroupName(status.Group), status.Mode & Permissions, attributes);

    /// <summary>Gives a new file what another one has, as far as this account may: never to more people than there.</summary>
    /// <remarks>A restore that root runs for a service would lock the service out of its own database otherwise.</remarks>
    /// <param name="from">What that one has; null if unknown.</param>
    /// <param name="to">The new file.</param>
    public static void Copy(FileAccessRecord? from, SafeFileHandle to)
    {
        if (from is not null)
        {
            _ = Give(to, from);
        }
    }

    /// <summary>Opens a file that we made, to give it to somebody.</summary>
    /// <param name="path">Where it was made.</param>
    /// <param name="identity">Which it is, as it was known then. Whoever owns a folder above it can put another one there.</param>
    /// <exception cref="IOException">It is another one.</exception>
    public static SafeFileHandle OpenOwn(string path, FileIdentity? identity)
    {
        var file = RegularFile.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        if (identity is not null && FileIdentity.Of(file) == identity)
        {
            return file;
        }

        file.Dispose();
        throw new IOException($"'{path}' is not the file that was created there.");
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
        var status = FileStatus.Of(file);
        if (ChangeOwner(file, access.UserId, access.GroupId) != 0)
        {
            withheld |= status.User == access.UserId ? Withheld.None : Withheld.User;
            withheld |= status.Group == access.GroupId || ChangeOwner(file, status.User, access.GroupId) == 0 ? Withheld.None : Withheld.Group;
        }

        var acl = access.Attributes.TryGetValue(PosixAcl.Attribute, out var bytes) ? PosixAcl.TryRead(bytes) : null;
        if (acl is not null && !withheld.HasFlag(Withheld.Group) && ExtendedAttributes.TryWrite(file, PosixAcl.Attribute, bytes))
        {
            return withheld;
        }

        // Beside a list, the mode's bits for the group are what all that it names may do at most.
        var mode = (access.Mode & Permissions & ~GroupPermissions)
            | (withheld.HasFlag(Withheld.Group) ? UnixFileMode.None : acl?.GroupMode ?? (access.Mode & GroupPermissions));

        // There are file systems without modes, as on the sticks that people carry around.
        var isModeGiven = ChangeMode(file, (int)mode) == 0 && (acl is not null || mode == (access.Mode & Permissions));
        return withheld | (acl is null ? Withheld.None : Withheld.Acl) | (isModeGiven ? Withheld.None : Withheld.Mode);
    }

    [LibraryImport("libc", EntryPoint = "fchmod")]
    private static partial int ChangeMode(SafeFileHandle file, int mode);

    [LibraryImport("libc", EntryPoint = "fchown")]
    private static partial int ChangeOwner(SafeFileHandle file, uint user, uint group);
}
