namespace SignalHarvester.Backup.Storage;

/// <summary>Translates an error of the operating system into an error that says what to do.</summary>
internal static class DiskFault
{
    private const int UnixNoSpace = 28;
    private const int UnixFileTooLarge = 27;
    private const int UnixQuotaExceeded = 122;
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);

    /// <summary>Whether the disk, or the account's share of it, is full.</summary>
    public static bool IsFull(Exception exception) => exception is IOException && (OperatingSystem.IsWindows()
        ? exception.HResult is WindowsDiskFull or WindowsHandleDiskFull
        : exception.HResult is UnixNoSpace or UnixFileTooLarge or UnixQuotaExceeded);

    /// <summary>Whether another handle holds the file and excludes this one. Waiting helps against no other error.</summary>
    public static bool IsHeldElsewhere(IOException exception)
    {
        const int linuxWouldBlock = 11;
        const int macWouldBlock = 35;
        const int windowsSharingViolation = unchecked((int)0x80070020);
        const int windowsLockViolation = unchecked((int)0x80070021);
        return exception.HResult is linuxWouldBlock or macWouldBlock or windowsSharingViolation or windowsLockViolation;
    }

    /// <summary>Translates a failure to write.</summary>
    /// <param name="exception">What the system reported.</param>
    /// <param name="path">The file or directory concerned.</param>
    /// <param name="deniedId">The id for denied access.</param>
    /// <param name="deniedAdvice">What to do about denied access.</param>
    public static BackupException From(Exception exception, string path, string deniedId, string deniedAdvice)
    {
        var item = DescriptorPath.Readable(path);
        var message = DescriptorPath.Readable(exception.Message);
        return exception switch
        {
            _ when IsFull(exception) => new BackupException(
                BackupErrorId.InsufficientSpace, item,
                $"The disk of '{item}' is full. Free some space or remove old backups with Remove-SHBackup, then try again.", exception),
            StrangeLinkException => new BackupException(BackupErrorId.DestinationInvalid, BackupErrorCategory.SecurityError, item, message, exception),
            NotAFileException => new BackupException(BackupErrorId.SidecarHostile, item, $"Nothing was written to '{item}': {message}", exception),
            _ when exception is UnauthorizedAccessException || IsReadOnly(exception) => new BackupException(
                deniedId,
                BackupErrorCategory.PermissionDenied,
                item,
                $"'{item}' cannot be written to: {message} {deniedAdvice}",
                exception),
            _ => new BackupException(
                BackupErrorId.WriteFailed, item, $"Writing to '{item}' failed: {message} Check the disk and the system log, then try again.", exception),
        };
    }

    /// <summary>Runs an action on a disk; <see cref="From"/> translates its failure.</summary>
    /// <param name="path">The file or directory concerned.</param>
    /// <param name="deniedId">The id for denied access.</param>
    /// <param name="deniedAdvice">What to do about denied access.</param>
    /// <param name="action">The action.</param>
    /// <exception cref="BackupException">InsufficientSpace, WriteFailed, DestinationInvalid, SidecarHostile, or the id for denied access.</exception>
    public static T Guard<T>(string path, string deniedId, string deniedAdvice, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw From(exception, path, deniedId, deniedAdvice);
        }
    }

    /// <inheritdoc cref="Guard{T}(string, string, string, Func{T})"/>
    public static void Guard(string path, string deniedId, string deniedAdvice, Action action) => Guard(path, deniedId, deniedAdvice, () =>
    {
        action();
        return true;
    });

    private static bool IsReadOnly(Exception exception)
    {
        const int unixReadOnlyFileSystem = 30;
        const int windowsWriteProtected = unchecked((int)0x80070013);
        return exception.HResult is unixReadOnlyFileSystem or windowsWriteProtected;
    }
}
