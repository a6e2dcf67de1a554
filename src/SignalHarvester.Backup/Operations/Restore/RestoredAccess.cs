using System.Globalization;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.Storage.Ownership;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>
/// Gives a restored file to the accounts that had the database. The access of the file at the destination is trusted, because the
/// restored file takes its place. A sidecar is not trusted: anybody may have written it, and could use it to make root give a
/// database away. Its access is applied as far as the folder's access agrees, and never opens the file to everybody. The rest is
/// reported, with the commands that apply it.
/// </summary>
internal sealed class RestoredAccess(RestoreTarget target, BackupMetadata backup, OperationContext context)
{
    private const UnixFileMode OwnerMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode GroupMode = UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>Gives the file its access, before it gets its name.</summary>
    /// <param name="imagePath">The file.</param>
    /// <param name="identity">The identity of the file.</param>
    /// <param name="isPrivate">Whether only this account may have it, as in a drill.</param>
    /// <exception cref="IOException">The file is another one than the restore made there.</exception>
    public void Give(string imagePath, FileIdentity? identity, bool isPrivate)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using var file = FileOwnership.OpenOwn(imagePath, identity);
        if (FileOwnership.Read(target.Path) is { } replaced)
        {
            Report(replaced, FileOwnership.Give(file, replaced), "as the replaced file was", isWarning: true);
            return;
        }

        // Not always this account: some file systems give every file to the same one.
        var status = FileStatus.Of(file);
        var mine = new FileAccessRecord(status.User, null, status.Group, null, OwnerMode, new Dictionary<string, byte[]>());
        if (isPrivate || backup.FileAccess is not { } recorded)
        {
            _ = FileOwnership.Give(file, mine);
            if (!isPrivate && UnixAccounts.CurrentUser == 0)
            {
                context.Warn(
                    $"'{target.Path}' belongs to root and only root can read it, because '{backup.Id}' does not record the database's owner. Give it to the account of its application: chown ACCOUNT {Quote(target.Path)}");
            }

            return;
        }

        var (granted, withheld) = Grant(recorded, mine);
        withheld |= FileOwnership.Give(file, granted);
        if (recorded.Attributes.TryGetValue(ExtendedAttributes.SelinuxLabel, out var label)
            && ExtendedAttributes.Read(file, ExtendedAttributes.SelinuxLabel) is { } given && !given.SequenceEqual(label))
        {
            withheld |= FileOwnership.Withheld.Label;
        }

        var isBack = backup.DatabasePath == target.Path;
        var concerns = withheld & (isBack ? ~FileOwnership.Withheld.None : FileOwnership.Withheld.User | FileOwnership.Withheld.Group);
        Report(recorded, withheld, $"as recorded in the sidecar of '{backup.Id}'", isWarning: concerns != 0 && (isBack || UnixAccounts.CurrentUser == 0));
    }

    /// <summary>Returns the part of a sidecar's recorded access that is applied.</summary>
    private (FileAccessRecord Granted, FileOwnership.Withheld Withheld) Grant(FileAccessRecord recorded, FileAccessRecord mine)
    {
        var withheld = FileOwnership.Withheld.None;
        var (folderUser, folderGroup) = FileStatus.Of(target.Folder) is { } folder ? (folder.User, folder.Group) : (mine.UserId, mine.GroupId);

        // The folder's owner may also have it, because that account could put any file there.
        var user = UnixAccounts.UserHere(recorded.UserId, recorded.User);
        if (user is null || (user != mine.UserId && user != folderUser))
        {
            (user, withheld) = (mine.UserId, FileOwnership.Withheld.User);
        }

        var group = UnixAccounts.GroupHere(recorded.GroupId, recorded.Group);
        var isGroupKnown = group is not null && (group == folderGroup || group == UnixAccounts.OwnGroupOf(user.Value));
        var acl = recorded.Attributes.TryGetValue(PosixAcl.Attribute, out var bytes) ? PosixAcl.TryRead(bytes) : null;
        var isAclGiven = acl is not null && isGroupKnown && ExtendedAttributes.Read(target.Folder, PosixAcl.DefaultAttribute) is { } handedDown
            && PosixAcl.TryRead(handedDown) is { } there && acl.IsWithin(there);
        var mode = recorded.Mode & OwnerMode;
        if (isGroupKnown)
        {
            mode |= (isAclGiven ? recorded.Mode : acl?.GroupMode ?? recorded.Mode) & GroupMode;
        }
        else
        {
            group = mine.GroupId;
            withheld |= FileOwnership.Withheld.Group;
        }

        withheld |= acl is not null && !isAclGiven ? FileOwnership.Withheld.Acl : FileOwnership.Withheld.None;
        withheld |=
            mode != (recorded.Mode & ~UnixFileMode.UserExecute & ~UnixFileMode.GroupExecute) ? FileOwnership.Withheld.Mode : FileOwnership.Withheld.None;
        var attributes = recorded.Attributes.Where(attribute => ExtendedAttributes.IsUsers(attribute.Key)).ToDictionary(StringComparer.Ordinal);
        if (isAclGiven)
        {
            attributes.Add(PosixAcl.Attribute, acl!.ToBytesWithoutOthers());
        }

        return (new FileAccessRecord(user.Value, null, group!.Value, null, mode, attributes), withheld);
    }

    private void Report(FileAccessRecord wanted, FileOwnership.Withheld withheld, string how, bool isWarning)
    {
        if (withheld == FileOwnership.Withheld.None)
        {
            return;
        }

        var path = Quote(target.Path);
        var commands = new List<string>();
        if ((withheld & (FileOwnership.Withheld.User | FileOwnership.Withheld.Group)) != 0)
        {
            commands.Add(
                $"chown {Account(wanted.UserId, wanted.User, UnixAccounts.UserHere(wanted.UserId, wanted.User))}:{Account(wanted.GroupId, wanted.Group, UnixAccounts.GroupHere(wanted.GroupId, wanted.Group))} {path}");
        }

        if ((withheld & (FileOwnership.Withheld.Mode | FileOwnership.Withheld.Group)) != 0 && !withheld.HasFlag(FileOwnership.Withheld.Acl))
        {
            commands.Add($"chmod {Convert.ToString((int)(wanted.Mode & (UnixFileMode)0b111_111_111), 8)} {path}");
        }

        if (withheld.HasFlag(FileOwnership.Withheld.Acl) && wanted.Attributes.TryGetValue(PosixAcl.Attribute, out var acl))
        {
            commands.Add($"setfacl --set {PosixAcl.TryRead(acl)} {path}");
        }

        if (withheld.HasFlag(FileOwnership.Withheld.Label) && wanted.Attributes.TryGetValue(ExtendedAttributes.SelinuxLabel, out var label))
        {
            commands.Add($"chcon {Quote(System.Text.Encoding.UTF8.GetString(label).TrimEnd('\0'))} {path}");
        }

        var lost = withheld.HasFlag(FileOwnership.Withheld.Attributes) ? " Some extended attributes could not be set." : string.Empty;
        var message = commands.Count == 0 ? $"'{target.Path}' is not entirely {how}.{lost}"
            : $"'{target.Path}' has other owners or rights than the database had, so its application may have no access. To make it {how}: {string.Join(" && ", commands)}{lost}";
        if (isWarning)
        {
            context.Warn(message);
        }
        else
        {
            context.Verbose(message);
        }
    }

    /// <summary>Returns an account for a command: its number if that is right or unused on this system, otherwise its name.</summary>
    private static string Account(uint id, string? name, uint? here) =>
        name is null || here == id ? id.ToString(CultureInfo.InvariantCulture) : Quote(name);

    /// <summary>Quotes a text for a shell, whatever it contains.</summary>
    private static string Quote(string text) =>
        text.All(character => char.IsAsciiLetterOrDigit(character) || "/._-+@:,=".Contains(character, StringComparison.Ordinal))
            ? text
            : $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
