namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>age's form of Base64: the standard alphabet, no padding, and only one way to write a value.</summary>
internal static class AgeBase64
{
    /// <summary>Writes bytes.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    /// <summary>Reads a text; null if it is not in that form.</summary>
    public static byte[]? TryDecode(string text)
    {
        if (text.Any(character => !char.IsAsciiLetterOrDigit(character) && character is not ('+' or '/')) || text.Length % 4 == 1)
        {
            return null;
        }

        var bytes = Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='));
        return Encode(bytes) == text ? bytes : null;
    }
}
