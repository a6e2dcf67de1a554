using System.Security.Cryptography;
using System.Text;

namespace SignalHarvester.Backup.Formats;

/// <summary>The short form of a database's path in names of files and folders that belong to that database.</summary>
internal static class DatabaseKey
{
    private const int Bytes = 8;

    /// <summary>Returns the key of a database: 16 hex digits.</summary>
    /// <param name="databasePath">The database's path, as sidecars record it.</param>
    public static string Of(string databasePath) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(databasePath)).AsSpan(0, Bytes));

    /// <summary>Whether a name has the form of a key.</summary>
    public static bool IsOne(string name) => name.Length == 2 * Bytes && name.All(char.IsAsciiHexDigitLower);
}
