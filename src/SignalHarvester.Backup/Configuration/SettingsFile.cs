using System.Text;
using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.Storage.Ownership;

namespace SignalHarvester.Backup.Configuration;

/// <summary>A configuration file that a command changes: its content, and whether it would stay the same file.</summary>
public static class SettingsFile
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Whether anything has the name.</summary>
    public static bool IsThere(string path) => Path.Exists(path);

    /// <summary>Reads the present content; empty for a file that is not there.</summary>
    /// <exception cref="BackupException">ReadFailed, ConfigurationInvalid.</exception>
    public static string Load(string path)
    {
        try
        {
            return IsThere(path) ? StrictUtf8.GetString(File.ReadAllBytes(path)) : string.Empty;
        }
        catch (DecoderFallbackException exception)
        {
            throw new BackupException(BackupErrorId.ConfigurationInvalid, path, $"'{path}' is not in UTF-8. Save it in that encoding.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.ReadFailed, path, $"The configuration file '{path}' cannot be read: {exception.Message} Check its permissions.", exception);
        }
    }

    /// <summary>
    /// Why a file would not stay what it is if another took its name: a link, a pipe, a file with further names, of another account, or with
    /// attributes of its own; null if it would.
    /// </summary>
    internal static string? WhyNotReplaceable(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return Path.Exists(path) && !FileKind.IsRegularItself(path) ? "it is a link or no regular file" : null;
        }

        return FileStatus.OfItself(path) is not { } status ? null
            : !status.IsRegular ? $"it is {status.Kind}, not a regular file"
            : FileIdentity.CountNames(path) > 1 ? "it has further names (hard links)"
            : status.User != UnixAccounts.CurrentUser || status.Group != NewGroup(path) ? "it belongs to another account or group"
            : ExtendedAttributes.Read(path).Keys.Any(name => name == PosixAcl.Attribute || ExtendedAttributes.IsUsers(name))
                ? "it has attributes or permissions of its own that would get lost"
            : null;
    }

    /// <summary>The group of a new file beside this one: the folder's, if that hands it down, else the account's.</summary>
    private static uint? NewGroup(string path) => FileStatus.Of(Path.GetDirectoryName(path)!) is { } folder && folder.Mode.HasFlag(UnixFileMode.SetGroup)
        ? folder.Group
        : UnixAccounts.OwnGroupOf(UnixAccounts.CurrentUser);
}
