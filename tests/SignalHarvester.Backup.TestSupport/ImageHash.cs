using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>
/// The checksum that a backup of a database must have: SHA-256, in lower-case hex, of page count times page size bytes as SQLite
/// sees them, with the lock-byte page as zeros. It is computed by other means than the engine's.
/// </summary>
public static class ImageHash
{
    private const long LockByteOffset = 0x40000000;

    /// <summary>
    /// Computes it for a database to which nobody writes and that this process does not have open, including the content of its
    /// <c>-wal</c> or <c>-journal</c>: SQLite itself brings a copy up to date.
    /// </summary>
    public static string Of(string path)
    {
        if (!File.Exists(path + "-wal") && !File.Exists(path + "-journal"))
        {
            return OfFile(path);
        }

        using var folder = new TempFolder(plain: true);
        var copy = folder["copy.db"];
        foreach (var ending in (string[])["", "-wal", "-journal"])
        {
            if (File.Exists(path + ending))
            {
                File.Copy(path + ending, copy + ending);
            }
        }

        using (var connection = Databases.Open(copy))
        {
            var result = Databases.Scalar(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
            Databases.Scalar(connection, "SELECT count(*) FROM sqlite_schema");
            if (result != "0")
            {
                throw new InvalidOperationException($"The checkpoint of a copy of {path} answered {result}.");
            }
        }

        return OfFile(copy);
    }

    /// <summary>
    /// Computes it for a database that this process has open, as the connection sees it, inside its transaction if there is one. Holds
    /// the image in memory.
    /// </summary>
    public static string Of(SqliteConnection connection)
    {
        var image = raw.sqlite3_serialize(connection.Handle!, "main", out var size, flags: 0);
        if (image == IntPtr.Zero && size > 0)
        {
            throw new InvalidOperationException("SQLite could not serialise the database.");
        }

        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[1 << 20];
            for (long done = 0; done < size; done += buffer.Length)
            {
                var length = (int)Math.Min(buffer.Length, size - done);
                Marshal.Copy(checked((nint)(image + done)), buffer, 0, length);
                hash.AppendData(buffer, 0, length);
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        finally
        {
            raw.sqlite3_free(image);
        }
    }

    private static string OfFile(string path)
    {
        (var pageSize, var pageCount) = Pages(path);
        var size = pageSize * pageCount;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var file = File.OpenRead(path);
        var page = new byte[pageSize];
        for (long offset = 0; offset < size; offset += pageSize)
        {
            file.ReadExactly(page);
            if (offset == LockByteOffset)
            {
                Array.Clear(page);
            }

            hash.AppendData(page);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // Immutable, so that SQLite neither locks the file nor leaves files beside it.
    private static (long PageSize, long PageCount) Pages(string path)
    {
        var parts = Path.GetFullPath(path).Split(Path.DirectorySeparatorChar);
        var uri = string.Join('/', parts.Select(Uri.EscapeDataString));
        using var connection = Databases.Open($"file:///{uri.TrimStart('/')}?immutable=1");
        return (
            long.Parse(Databases.Scalar(connection, "PRAGMA page_size"), CultureInfo.InvariantCulture),
            long.Parse(Databases.Scalar(connection, "PRAGMA page_count"), CultureInfo.InvariantCulture));
    }
}
