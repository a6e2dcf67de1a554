using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace SignalHarvester.Backup.Scheduling;

/// <summary>
/// The names of schedules. A name is any text. File names, unit names, labels and crontabs have its key, which consists only of
/// lower-case letters, digits, hyphens and underscores, and is different for every name.
/// </summary>
internal static class ScheduleName
{
    /// <summary>The largest number of characters in a name.</summary>
    public const int MostCharacters = 100;

    private const int MostKeyCharacters = 120;
    private static readonly SearchValues<char> Plain = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>Refuses a name that no file or command line can hold.</summary>
    /// <exception cref="BackupException">InvalidArgument.</exception>
    public static void Validate(string name)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > MostCharacters || name.Contains('\0') || !IsWellFormed(name))
        {
            throw BackupException.InvalidArgument(
                name, string.Create(
                    CultureInfo.InvariantCulture,
                    $"The name of a schedule must have 1 to {MostCharacters} characters, not all blank, without NUL and without halves of surrogate pairs. Give another name."));
        }
    }

    /// <summary>Returns the key of a name: the same for names that differ only in case.</summary>
    public static string Key(string name)
    {
        var key = new StringBuilder();
        foreach (var part in Encoding.UTF8.GetBytes(name.ToLowerInvariant()))
        {
            if (part < 0x80 && Plain.Contains((char)part))
            {
                key.Append((char)part);
            }
            else
            {
                key.Append(CultureInfo.InvariantCulture, $"_{part:x2}");
            }
        }

        // A file's name has 255 bytes at most. No escaped text contains two underscores, so this is no other name's key.
        return key.Length <= MostKeyCharacters
            ? key.ToString()
            : $"{key.ToString(0, MostKeyCharacters / 2)}__{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name.ToLowerInvariant())))[..32]}";
    }

    private static bool IsWellFormed(string text)
    {
        for (var index = 0; index < text.Length; index++)
        {
            if (char.IsSurrogate(text[index]) && !(index + 1 < text.Length && char.IsSurrogatePair(text[index], text[++index])))
            {
                return false;
            }
        }

        return true;
    }
}
