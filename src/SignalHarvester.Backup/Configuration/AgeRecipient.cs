using System.Text.RegularExpressions;

namespace SignalHarvester.Backup.Configuration;

/// <summary>The text of an age v1 public key.</summary>
internal static partial class AgeRecipient
{
    /// <summary>What it looks like, for people.</summary>
    public const string Form = "an age public key, which begins with age1";

    /// <summary>Whether a text is one. Its checksum is for the library that uses it.</summary>
    public static bool IsOne(string text) => Pattern().IsMatch(text);

    [GeneratedRegex("^age1[02-9ac-hj-np-z]{58}$", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
