using SignalHarvester.Backup.Storage;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>The names beside a database that SQLite uses for files of its own.</summary>
internal static class CompanionFiles
{
    private static readonly (string Suffix, string What)[] Places =
    [
        ("-journal", "the journal"), ("-wal", "the write-ahead log"), ("-shm", "the index of the write-ahead log"),
    ];

    /// <summary>
    /// Finds what prevents SQLite from opening a sound database: something else has the name of one of SQLite's own files, and
    /// SQLite only says that the disk failed or that the file cannot be opened. Null if there is no such thing, or the error is of another kind.
    /// </summary>
    /// <param name="path">The database's full path.</param>
    /// <param name="code">SQLite's error.</param>
    /// <returns>A sentence that says what is where.</returns>
    public static string? WhatStandsInTheWay(string path, int code)
    {
        if (SqliteResult.Primary(code) is not (raw.SQLITE_IOERR or raw.SQLITE_CANTOPEN or raw.SQLITE_READONLY))
        {
            return null;
        }

        foreach (var (suffix, what) in Places)
        {
            if (FileKind.NameOfStranger(path + suffix) is { } stranger)
            {
                return
                    $"'{path}{suffix}' is {stranger}, but that is the name of {what}, and SQLite allows only a file there. Find out who made it, move it away, then try again.";
            }
        }

        return null;
    }
}
