using System.Buffers.Binary;
using System.Diagnostics;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>The connections to a database that a restore will overwrite, and the locks that keep others out of it.</summary>
internal sealed class DatabaseLocks(string path, TimeSpan lockTimeout, OperationContext context)
{
    private const int BusyPollMilliseconds = 100;

    /// <summary>Opens the database.</summary>
    /// <exception cref="BackupException">DestinationNotWritable, and the other errors of <see cref="Fault"/>.</exception>
    public SqliteConnection Connect()
    {
        try
        {
            var connection = SqliteConnections.OpenLive(path, context.Cancellation);
            _ = raw.sqlite3_busy_timeout(connection.Handle, BusyPollMilliseconds);

            // Lets SQLite lock a database whose schema or length makes no sense; the restore overwrites it as a whole.
            _ = raw.sqlite3_exec(connection.Handle, "PRAGMA writable_schema = ON");
            return connection;
        }
        catch (SqliteException exception)
        {
            throw Fault(exception.SqliteExtendedErrorCode, exception);
        }
    }

    /// <summary>Keeps others from committing, but lets them read, until it is disposed.</summary>
    public SqliteConnection HoldWriters()
    {
        var holder = Connect();
        try
        {
            Take(holder, "BEGIN IMMEDIATE");
            return holder;
        }
        catch
        {
            holder.Dispose();
            throw;
        }
    }

    /// <summary>Begins a transaction that locks the database, and waits for others that hold the lock.</summary>
    /// <exception cref="BackupException">DestinationLocked, and the other errors of <see cref="Fault"/>.</exception>
    /// <exception cref="OperationCanceledException">The wait was stopped.</exception>
    public void Take(SqliteConnection connection, string begin)
    {
        var started = Stopwatch.GetTimestamp();
        while (raw.sqlite3_exec(connection.Handle, begin) is var code and not raw.SQLITE_OK)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            if (!SqliteResult.IsBusy(code) || Stopwatch.GetElapsedTime(started) >= lockTimeout)
            {
                throw Fault(code);
            }
        }
    }

    /// <summary>Returns the change counter in the file's header, which each commit in rollback-journal mode changes.</summary>
    public static long ChangeCounter(SqliteConnection connection)
    {
        Span<byte> counter = stackalloc byte[4];
        return SqliteFile.Main(connection.Handle!).Read(24, counter) ? BinaryPrimitives.ReadUInt32BigEndian(counter) : 0;
    }

    /// <summary>Returns the error for a database that others kept locked.</summary>
    public BackupException Locked(Exception? inner) => new(
        BackupErrorId.DestinationLocked, path,
        $"'{path}' was locked by another process, or written to, for the whole -LockTimeout. It was not changed. Stop the application, and its continuous protection if it has one (Stop-SHBackupProtection), or give a longer -LockTimeout.",
        inner);

    /// <summary>Returns the error of the restore for a result code.</summary>
    public Exception Fault(int code, Exception? inner = null)
    {
        if (SqliteResult.IsDamage(code))
        {
            return new TargetDamagedException();
        }

        if (SqliteResult.IsBusy(code))
        {
            return Locked(inner);
        }

        if (CompanionFiles.WhatStandsInTheWay(path, code) is { } stranger)
        {
            return new BackupException(BackupErrorId.DestinationNotWritable, path, $"'{path}' cannot be written to, and was not changed: {stranger}", inner);
        }

        var detail = raw.sqlite3_errstr(code).utf8_to_string();
        return SqliteResult.Primary(code) switch
        {
            raw.SQLITE_READONLY or raw.SQLITE_CANTOPEN or raw.SQLITE_PERM => new BackupException(
                BackupErrorId.DestinationNotWritable, BackupErrorCategory.PermissionDenied, path,
                $"'{path}' cannot be written to ({detail}). It was not changed. Check the permissions of the file and its folder.", inner),
            raw.SQLITE_FULL => new BackupException(
                BackupErrorId.InsufficientSpace, path, $"The disk of '{path}' is full. The database was not changed. Free some space and restore again.",
                inner),
            _ => new BackupException(
                BackupErrorId.WriteFailed, path, $"Restoring into '{path}' failed: {detail}. It was not changed. Check the disk and the system log.", inner),
        };
    }
}
