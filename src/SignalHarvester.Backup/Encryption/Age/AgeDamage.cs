using System.Security.Cryptography;

namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>
/// The fault of an encrypted file that changed since it was made: its header or a piece of its content does not authenticate.
/// For readers it is damage like any other; only its cause tells the two apart.
/// </summary>
internal static class AgeDamage
{
    /// <summary>Makes the fault.</summary>
    public static InvalidDataException Of(string message, CryptographicException? cause = null) => new(message, cause ?? new CryptographicException(message));

    /// <summary>Whether a fault is such a fault.</summary>
    public static bool Is(Exception fault) => fault is InvalidDataException { InnerException: CryptographicException };
}
