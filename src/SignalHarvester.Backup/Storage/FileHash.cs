using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>Computes the SHA-256 of a file as it is on disk, as fast as the hash allows, without displacing the memory cache of others.</summary>
internal static class FileHash
{
    private const int ReadBytes = 256 << 10;
    private const long ForgetBytes = 16 << 20;

    /// <summary>Reads a file from its beginning to its end.</summary>
    /// <param name="file">The file.</param>
    /// <param name="advance">Receives the bytes of each piece.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <returns>The SHA-256 in lower-case hex.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static string Compute(SafeFileHandle file, Action<long> advance, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[ReadBytes];
        long forgotten = 0;
        long offset = 0;
        while (RandomAccess.Read(file, buffer, offset) is var read and > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, read);
            offset += read;
            advance(read);
            if (offset - forgotten >= ForgetBytes)
            {
                FileAdvice.Forget(file, forgotten, offset - forgotten);
                forgotten = offset;
            }
        }

        FileAdvice.Forget(file, forgotten, offset - forgotten);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
