using SignalHarvester.Backup.Storage;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>The places beside a database where SQLite keeps files of its own.</summary>
internal static class CompanionFiles
{
    private static readonly (string Suffix, string What)[] Places =
    [
        ("-journal", "the journal"), ("-wal", "the write-ahead log"), ("-shm", "the index of the write-ahead log"),
    ];

    /// <summary>
    /// What keeps SQLite from a database although it is sound: in the place of a file of its own stands something else, of which
    /// SQLite says no more than that the disk failed, or that it may not be opened. Null if nothing does, or the error is of another kind.
    /// </summary>
    /// <param name="path">The database's full path.</param>
    /// <param name="code">SQLite's error.</param>
    /// <returns>A sentence that says what stands where.</returns>
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
