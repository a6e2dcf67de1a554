using System.Globalization;
using System.Text;

namespace SignalHarvester.Backup.ObjectStorage;

/// <summary>
/// Decides which prefixes a store can have. An object must be sent, listed, recorded and removed under the same key. If the
/// service, or anything on the way to it, would change the prefix, it is refused before anything is sent.
/// </summary>
internal static class KeyPrefix
{
    /// <summary>The longest key: bytes of UTF-8 for S3 and Google, characters for Azure.</summary>
    public const int LongestKey = 1024;

    /// <summary>The longest name of a backup's file.</summary>
    private const int RoomForName = 64;

    /// <summary>Refuses a prefix with which keys cannot begin.</summary>
    /// <exception cref="BackupException">InvalidArgument.</exception>
    public static void Require(StoreLocation location)
    {
        if (Fault(location) is { } fault)
        {
            throw Refused(location, fault);
        }
    }

    /// <summary>Refuses a prefix after which a backup's name would not fit. Existing backups there can still be read.</summary>
    /// <exception cref="BackupException">InvalidArgument.</exception>
    public static void RequireRoom(StoreLocation location)
    {
        var (length, unit) = location.Provider switch
        {
            CloudProvider.Azure => (location.Prefix.Length, "characters"),
            CloudProvider.Directory => (0, string.Empty),
            _ => (Encoding.UTF8.GetByteCount(location.Prefix), "bytes"),
        };
        if (length > LongestKey - RoomForName)
        {
            throw Refused(location, string.Create(
                CultureInfo.InvariantCulture,
                $"has {length} {unit}. With the name of a backup's file, a key would be longer than {LongestKey}, the store's limit. Give one of at most {LongestKey - RoomForName}"));
        }
    }

    private static string? Fault(StoreLocation location)
    {
        var prefix = location.Prefix;
        if (prefix.Contains('\0', StringComparison.Ordinal) || !IsText(prefix))
        {
            return "contains an invalid character. Give text, such as machine1/";
        }

        // A folder checks its parts itself: some of them lead out of it.
        return location.Provider switch
        {
            CloudProvider.Directory => null,
            _ when prefix.Split('/').Any(part => part is "." or "..") =>
                "has a part '.' or '..', which an address cannot contain. Give another, such as machine1/",
            CloudProvider.Azure when prefix.Split('/').Any(part => part.Length > 0 && part.All(letter => letter == '.')) =>
                "has a part of only dots, which Azure drops. Give another, such as machine1/",
            CloudProvider.Azure or CloudProvider.S3 when prefix.Any(letter => letter is '\uFFFE' or '\uFFFF') =>
                "contains a character that no listing of the store can contain. Give text, such as machine1/",
            CloudProvider.Azure when prefix.Any(char.IsControl) => "contains a control character, which Azure does not allow. Give another, such as machine1/",
            _ => null,
        };
    }

    /// <summary>Whether there is no half of a surrogate pair: that would be sent as another character, and recorded as a third.</summary>
    private static bool IsText(string prefix)
    {
        for (var at = 0; at < prefix.Length; at += char.IsHighSurrogate(prefix[at]) ? 2 : 1)
        {
            if (!Rune.TryGetRuneAt(prefix, at, out _))
            {
                return false;
            }
        }

        return true;
    }

    private static BackupException Refused(StoreLocation location, string fault) => BackupException.InvalidArgument(
        "Prefix", $"-Prefix '{Shown(location.Prefix)}' {fault}.");

    private static string Shown(string prefix)
    {
        var plain = new string([.. prefix.Select(letter => char.IsControl(letter) ? '?' : letter)]);
        return plain.Length <= RoomForName ? plain : plain[..RoomForName] + "…";
    }
}
