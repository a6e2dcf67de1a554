using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage.Ownership;

/// <summary>Owner and permissions of a file: read from one file, and given to a new one before the new one gets its final name.</summary>
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

    /// <summary>Reads owner and permissions without opening the file; null if the file is missing, and on Windows.</summary>
    public static FileAccessRecord? Read(string path)
    {
        if (OperatingSystem.IsWindows() || FileStatus.OfItself(path) is not { IsRegular: true } status)
        {
            return null;
        }

        return Recorded(status, ExtendedAttributes.Read(path));
    }

    /// <summary>Reads owner and permissions of an open file; null on Windows. Its path may name another file by now.</summary>
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

    /// <summary>Gives a new file the owner and permissions of another one, as far as this account may, but never lets in more people.</summary>
    /// <remarks>Otherwise a restore that root runs for a service would lock the service out of its own database.</remarks>
    /// <param name="from">Owner and permissions of the other file; null if unknown.</param>
    /// <param name="to">The new file.</param>
    public static void Copy(FileAccessRecord? from, SafeFileHandle to)
    {
        if (from is not null)
        {
            _ = Give(to, from);
        }
    }

    /// <summary>Opens a file that we made, to change its owner.</summary>
    /// <param name="path">Where it was made.</param>
    /// <param name="identity">Its identity when it was made, because the owner of a folder above it can put another file there.</param>
    /// <exception cref="IOException">It is another file.</exception>
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

    /// <summary>
    /// Gives an open file of ours another owner and permissions, as far as this account may. Anybody who cannot be let
    /// in by name is not let in at all.
    /// </summary>
    /// <returns>What could not be given.</returns>
    public static Withheld Give(SafeFileHandle file, FileAccessRecord access)
    {
        if (OperatingSystem.IsWindows())
        {
            return Withheld.None;
        }

        // The list that a folder hands down to all new files counts only if the original file had it too.
        ExtendedAttributes.Remove(file, PosixAcl.Attribute);
        var withheld = Withheld.None;
        foreach (var (name, value) in access.Attributes.Where(attribute => attribute.Key != PosixAcl.Attribute))
        {
            if (ExtendedAttributes.Read(file, name)?.AsSpan().SequenceEqual(value) != true && !ExtendedAttributes.TryWrite(file, name, value))
            {
                withheld |= name == ExtendedAttributes.SelinuxLabel ? Withheld.Label : Withheld.Attributes;
            }
        }

        // The order matters: a change of the owner can remove bits of the mode.
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

        // With an access control list, the mode's group bits limit everybody whom the list names.
        var mode = (access.Mode & Permissions & ~GroupPermissions)
            | (withheld.HasFlag(Withheld.Group) ? UnixFileMode.None : acl?.GroupMode ?? (access.Mode & GroupPermissions));

        // Some file systems have no modes, for example those of USB sticks.
        var isModeGiven = ChangeMode(file, (int)mode) == 0 && (acl is not null || mode == (access.Mode & Permissions));
        return withheld | (acl is null ? Withheld.None : Withheld.Acl) | (isModeGiven ? Withheld.None : Withheld.Mode);
    }

    [LibraryImport("libc", EntryPoint = "fchmod")]
    private static partial int ChangeMode(SafeFileHandle file, int mode);

    [LibraryImport("libc", EntryPoint = "fchown")]
    private static partial int ChangeOwner(SafeFileHandle file, uint user, uint group);
}
