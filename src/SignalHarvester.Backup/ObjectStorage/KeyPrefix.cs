using System.Globalization;
using System.Text;

namespace SignalHarvester.Backup.ObjectStorage;

/// <summary>
/// Which prefixes a store can have. What is sent, listed, recorded and removed must have one and the same key; where a
/// service or the way to it would make another one of it, the prefix is refused before anything is sent.
/// </summary>
internal static class KeyPrefix
{
    /// <summary>The most that a key can have: bytes of UTF-8 with S3 and Google, characters with Azure.</summary>
    public const int LongestKey = 1024;

    /// <summary>The longest name that a backup's file can have.</summary>
    private const int RoomForName = 64;

    /// <summary>Refuses a prefix that keys cannot begin with.</summary>
    /// <exception cref="BackupException">InvalidArgument.</exception>
    public static void Require(StoreLocation location)
    {
        if (Fault(location) is { } fault)
        {
            throw Refused(location, fault);
        }
    }

    /// <summary>Refuses a prefix behind which a backup's name would not fit. What lies there already can be read all the same.</summary>
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

        // A folder looks at its parts itself: some of them lead out of it.
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

    /// <summary>Half of a pair of surrogates is sent as another character, and recorded as a third.</summary>
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
