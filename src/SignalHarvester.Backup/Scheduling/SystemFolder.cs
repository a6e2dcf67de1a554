using System.Runtime.Versioning;
using System.Security.AccessControl;
using System.Security.Principal;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Scheduling;

/// <summary>
/// The folder of the machine's own schedules. Its content runs with all rights, so nobody else may write there.
/// </summary>
internal static class SystemFolder
{
    private const UnixFileMode WritableByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>Makes the folder: everybody can read it, and only administrators can write to it.</summary>
    public static void Create(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            CreateOnWindows(path);
        }
        else
        {
            DurableFile.CreateDirectory(path);
        }
    }

    /// <summary>Refuses a folder or file that somebody without an administrator's rights could have put there.</summary>
    /// <exception cref="BackupException">ScheduleInvalid.</exception>
    public static void RefuseForeign(string path)
    {
        if (OperatingSystem.IsWindows() ? IsForeignOnWindows(path) : IsForeignOnUnix(path))
        {
            throw new BackupException(
                BackupErrorId.ScheduleInvalid, BackupErrorCategory.SecurityError, path,
                $"'{path}' runs with all rights, but somebody without them owns it or may write to it. Nothing was run. Check who made it; remove it, or let only the administrator own it and write to it.");
        }
    }

    /// <summary>A missing one belongs to nobody, and whoever reads it will find that it is missing.</summary>
    [UnsupportedOSPlatform("windows")]
    private static bool IsForeignOnUnix(string path) =>
        FileStatus.Of(path) is { } status && (status.User != 0 || (status.Mode & WritableByOthers) != 0);

    [SupportedOSPlatform("windows")]
    private static void CreateOnWindows(string path)
    {
        var security = new DirectorySecurity();
        security.SetAccessRuleProtection(isProtected: true, preserveInheritance: false);
        const InheritanceFlags all = InheritanceFlags.ContainerInherit | InheritanceFlags.ObjectInherit;
        foreach (var (kind, rights) in new[]
        {
            (WellKnownSidType.LocalSystemSid, FileSystemRights.FullControl),
            (WellKnownSidType.BuiltinAdministratorsSid, FileSystemRights.FullControl),
            (WellKnownSidType.BuiltinUsersSid, FileSystemRights.ReadAndExecute),
        })
        {
            security.AddAccessRule(new FileSystemAccessRule(new SecurityIdentifier(kind, null), rights, all, PropagationFlags.None, AccessControlType.Allow));
        }

        security.SetOwner(new SecurityIdentifier(WellKnownSidType.BuiltinAdministratorsSid, null));

        // Also the folder above, because whoever may rename this one can put another in its place.
        foreach (var folder in new[] { Path.GetDirectoryName(path)!, path })
        {
            if (!Directory.Exists(folder))
            {
                new DirectoryInfo(folder).Create(security);
            }

            RefuseForeign(folder);
        }
    }

    [SupportedOSPlatform("windows")]
    private static bool IsForeignOnWindows(string path)
    {
        FileSystemSecurity security = Directory.Exists(path) ? new DirectoryInfo(path).GetAccessControl() : new FileInfo(path).GetAccessControl();
        return security.GetOwner(typeof(SecurityIdentifier)) is not SecurityIdentifier owner
            || !(owner.IsWellKnown(WellKnownSidType.LocalSystemSid) || owner.IsWellKnown(WellKnownSidType.BuiltinAdministratorsSid));
    }
}
