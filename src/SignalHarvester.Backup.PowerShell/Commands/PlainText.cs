using System.Runtime.InteropServices;
using System.Security;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Exposes the characters of a secure string, for no longer than necessary.</summary>
internal static class PlainText
{
    /// <summary>Uses the characters of a secure string.</summary>
    public delegate T Taker<T>(ReadOnlySpan<char> text);

    /// <summary>Passes the characters on, and wipes them afterwards.</summary>
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
