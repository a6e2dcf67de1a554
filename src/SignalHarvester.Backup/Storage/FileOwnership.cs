using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.Storage;

/// <summary>Hands a new file to whom the file belongs that it replaces, or goes with.</summary>
internal static partial class FileOwnership
{
    /// <summary>Gives a file the mode of another, and its owner as far as this account may: root may, for everybody else it stays theirs.</summary>
    /// <remarks>A restore that root runs for a service would lock the service out of its own database otherwise.</remarks>
    public static void Copy(string from, string to)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        // In this order: a change of the owner can take bits from the mode.
        if (FileKind.OwnerOf(from) is var (user, group))
        {
            _ = ChangeOwner(to, user, group);
        }

        File.SetUnixFileMode(to, File.GetUnixFileMode(from));
    }

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);
}
