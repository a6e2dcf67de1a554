using System.Runtime.InteropServices;
using System.Security;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>The characters of a secure string, for no longer than they are needed.</summary>
internal static class PlainText
{
    /// <summary>Takes the characters of a secure string.</summary>
    public delegate T Taker<T>(ReadOnlySpan<char> text);

    /// <summary>Gives the characters to somebody, and wipes them.</summary>
    public static T Of<T>(SecureString secret, Taker<T> take)
    {
        var characters = new char[secret.Length];
        var text = Marshal.SecureStringToGlobalAllocUnicode(secret);
        try
        {
            Marshal.Copy(text, characters, 0, characters.Length);
            return take(characters);
        }
        finally
        {
            Array.Clear(characters);
            Marshal.ZeroFreeGlobalAllocUnicode(text);
        }
    }
}
