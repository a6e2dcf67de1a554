using SignalHarvester.Backup.Continuous.Standby;
using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.Storage.Ownership;

namespace SignalHarvester.Backup.Protection;

/// <summary>Where a database can be protected: the locks of SQLite must be those of this system, and the files must stay the application's.</summary>
internal sealed record ProtectionGrounds
{
    // The beginnings of Linux's names. Their locks and shared memory are not those of the machine that writes, or not proved to be.
    private static readonly string[] Remote =
    [
        "nfs", "cifs", "smb", "fuse", "virtiofs", "9p", "afs", "ceph", "glusterfs", "lustre", "beegfs", "gpfs", "gfs2", "ocfs2", "vboxsf", "vmhgfs", "prl_fs",
    ];

    /// <summary>Those of this process.</summary>
    public static ProtectionGrounds Here { get; } = new();

    /// <summary>Whether the system is Linux.</summary>
    public bool IsLinux { get; init; } = OperatingSystem.IsLinux();

    /// <summary>Returns the kind of the file system of a path, by Linux's name.</summary>
    public Func<string, string> FileSystemOf { get; init; } = path => new DriveInfo(path).DriveFormat;

    /// <summary>Returns the number of the account.</summary>
    public Func<uint> User { get; init; } = () => UnixAccounts.CurrentUser;

    /// <summary>Refuses a database that cannot be protected here.</summary>
    /// <param name="path">Its full path; links are followed already.</param>
    /// <exception cref="BackupException">ProtectionRefused; SourceNotFound: it has just gone; SourceUnreadable: the system fails.</exception>
    public void Require(string path)
    {
        try
        {
            RequireThere(path);
        }
        catch (IOException exception)
        {
            throw new BackupException(
                File.Exists(path) ? BackupErrorId.SourceUnreadable : BackupErrorId.SourceNotFound, path,
                $"'{path}' cannot be protected: {exception.Message.TrimEnd('.')}. Start its protection again when the file is there and can be read.",
                exception);
        }
    }

    /// <summary>Refuses a place where SQLite's locks are not proved, or do not hold.</summary>
    /// <param name="path">A full path; the file itself may be missing.</param>
    /// <exception cref="BackupException">ProtectionRefused.</exception>
    public void RequireLocks(string path)
    {
        if (!IsLinux)
        {
            throw Refused(
                path,
                "continuous protection and its standbys are proved on Linux only until now, because they rest on SQLite's locks, which differ on each system. Use a schedule here (Register-SHBackupSchedule)");
        }

        var format = FileSystemOf(path);
        if (Array.Exists(Remote, remote => format.StartsWith(remote, StringComparison.Ordinal)))
        {
            throw Refused(
                path,
                $"it is on a file system of another machine or of a program ({format}), where SQLite's locks do not hold. Run this on the machine that has the disk");
        }
    }

    private void RequireThere(string path)
    {
        RequireLocks(path);
        if (StandbyFile.IsBeside(path))
        {
            throw Refused(path, $"it is a standby of another database. Promote it first: Restore-SHBackup -Promote -Destination {path}");
        }

        if (FileIdentity.CountNames(path) > 1)
        {
            throw Refused(
                path,
                "it has other names (hard links), and SQLite keeps a log beside each, so what is committed under another one would not be seen. Remove the other names");
        }

        if (FileStatus.Of(path) is { } status && User() is var user && user != 0 && user != status.User)
        {
            throw Refused(
                path,
                "it belongs to another account. Whoever opens a database first makes its -wal and -shm files, and with ours its application could not write. Run the protection as the account that owns the database");
        }
    }

    private static BackupException Refused(string path, string why) => new(
        BackupErrorId.ProtectionRefused, path, $"'{path}' cannot be protected continuously: {why}.");
}
