using System.Security.Cryptography;

namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>
/// The fault of an encrypted file that is not what it was when it was made: its header or a piece of its content does not
/// authenticate. To whoever reads it, damage like any other; the cause tells the two apart.
/// </summary>
internal static class AgeDamage
{
    /// <summary>Makes the fault.</summary>
    public static InvalidDataException Of(string message, CryptographicException? cause = null) => new(message, cause ?? new CryptographicException(message));

    /// <summary>Whether a fault is one.</summary>
    public static bool Is(Exception fault) => fault is InvalidDataException { InnerException: CryptographicException };
}
