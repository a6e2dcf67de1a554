using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations;

/// <summary>Holds a stored file against what was recorded of it, from its bytes up to its rows.</summary>
internal sealed class ImageVerifier(string temporaryParent, OperationContext context)
{
    /// <summary>The content that the last verification found; what was not recorded before can be recorded from it.</summary>
    public ImageContent? FoundContent { get; private set; }

    /// <summary>What the last verification read.</summary>
    public StoredImage? FoundImage { get; private set; }

    /// <summary>Reads the file whole, unpacks it into a private temporary file, and checks that as a database.</summary>
    /// <returns>The checks, in the order made. The first that fails is the last but for those that explain it.</returns>
    /// <exception cref="BackupException">InsufficientSpace, WriteFailed: the check itself could not be made.</exception>
    public IReadOnlyList<VerificationCheck> Verify(BackupMetadata backup, ImageContent recorded, SafeFileHandle file, string activity)
    {
        var needed = backup.DatabaseSize ?? backup.Size;
        using var folder = TemporaryFolder.CreateInFirst([temporaryParent, Path.GetTempPath()], needed);
        var image = folder.FilePath("image.db");
        try
        {
            List<VerificationCheck> checks;
            using (var target = File.OpenHandle(image, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                checks = Unpack(backup, file, (bytes, offset) => PieceWriter.Write(target, bytes.Span, offset), activity);
            }

            if (checks.TrueForAll(check => check.Passed))
            {
                checks.AddRange(Inspect(image, recorded));
            }

            return checks;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DiskFault.From(exception, folder.Path, BackupErrorId.WriteFailed, "Check the permissions of the backup directory and of the temporary folder.");
        }
    }

    /// <summary>Checks the stored bytes against size and stored checksum, without unpacking.</summary>
    public List<VerificationCheck> VerifyStored(BackupMetadata backup, SafeFileHandle file, string activity)
    {
        var checks = new List<VerificationCheck> { Size(backup, file) };
        if (checks[0].Passed)
        {
            using var meter = context.Meter(activity, backup.Size);
            using var stored = new StoredStream(file);
            while (stored.Peek(1 << 20) is { IsEmpty: false } bytes)
            {
                context.Cancellation.ThrowIfCancellationRequested();
                meter.Advance(bytes.Length);
                stored.Skip(bytes.Length);
            }

            checks.Add(Compare(VerificationChecks.StoredChecksum, backup.StoredChecksum, stored.Finish()));
        }

        return checks;
    }

    /// <summary>Unpacks the file and checks sizes and checksums on the way.</summary>
    /// <param name="backup">What was recorded.</param>
    /// <param name="file">The stored file.</param>
    /// <param name="write">Takes the plain bytes.</param>
    /// <param name="activity">What to call the step.</param>
    public List<VerificationCheck> Unpack(BackupMetadata backup, SafeFileHandle file, Action<ReadOnlyMemory<byte>, long> write, string activity)
    {
        var checks = new List<VerificationCheck> { Size(backup, file) };
        if (!checks[0].Passed)
        {
            return checks;
        }

        try
        {
            using var meter = context.Meter(activity, backup.DatabaseSize ?? backup.Size);
            FoundImage = ImageReader.Read(file, backup.DatabaseSize ?? long.MaxValue, write, meter, context.Cancellation);
        }
        catch (InvalidDataException exception)
        {
            checks.Add(new VerificationCheck(VerificationChecks.Decompression, false, exception.Message.TrimEnd('.')));
            return checks;
        }

        if (backup.StoredChecksum is not null)
        {
            checks.Add(Compare(VerificationChecks.StoredChecksum, backup.StoredChecksum, FoundImage.StoredChecksum));
        }

        checks.Add(new VerificationCheck(
            VerificationChecks.Decompression,
            true,
            string.Create(CultureInfo.InvariantCulture, $"{FoundImage.StoredLength} bytes unpacked to {FoundImage.ImageLength}")));
        if (backup.Checksum is not null)
        {
            checks.Add(Compare(VerificationChecks.ImageChecksum, backup.Checksum, FoundImage.Checksum));
        }

        return checks;
    }

    /// <summary>Checks an unpacked image as a database: integrity, schema, rows.</summary>
    public IReadOnlyList<VerificationCheck> Inspect(string imagePath, ImageContent recorded)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            using var connection = SqliteConnections.OpenImmutable(imagePath, context.Cancellation);
            using var step = context.Meter("Checking integrity", 0);
            var (check, findings) = IntegrityCheck.Run(connection);
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            if (findings.Count > 0)
            {
                return [new VerificationCheck(VerificationChecks.Integrity, false, $"{check} found: " + string.Join("; ", findings.Select(finding => finding.TrimEnd('.'))))];
            }

            FoundContent = ImageContent.Read(connection);
            context.Cancellation.ThrowIfCancellationRequested();
            return
            [
                new VerificationCheck(VerificationChecks.Integrity, true, string.Create(CultureInfo.InvariantCulture, $"{check} is ok, in {seconds:0.00} s")),
                recorded.SchemaChecksum is null
                    ? new VerificationCheck(VerificationChecks.Schema, true, "was not recorded when the backup was made")
                    : Compare(VerificationChecks.Schema, recorded.SchemaChecksum, FoundContent.SchemaChecksum!),
                CompareRows(recorded.RowCounts, FoundContent.RowCounts!),
            ];
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == SQLitePCL.raw.SQLITE_INTERRUPT)
        {
            throw new OperationCanceledException(exception.Message, exception, context.Cancellation);
        }
        catch (SqliteException exception)
        {
            return [new VerificationCheck(VerificationChecks.Integrity, false, exception.Message.TrimEnd('.'))];
        }
    }

    private static VerificationCheck Size(BackupMetadata backup, SafeFileHandle file)
    {
        var length = RandomAccess.GetLength(file);
        return new VerificationCheck(
            VerificationChecks.StoredSize,
            length == backup.Size,
            string.Create(CultureInfo.InvariantCulture, $"the file has {length} bytes, {backup.Size} were recorded"));
    }

    private static VerificationCheck Compare(string check, string? recorded, string found) => new(
        check,
        recorded == found,
        recorded == found ? found : $"{found} was found, {recorded ?? "nothing"} was recorded");

    private static VerificationCheck CompareRows(IReadOnlyDictionary<string, long>? recorded, IReadOnlyDictionary<string, long> found)
    {
        var total = string.Create(CultureInfo.InvariantCulture, $"{found.Values.Sum()} rows in {found.Count} tables");
        if (recorded is null)
        {
            return new VerificationCheck(VerificationChecks.RowCounts, true, $"{total}; not recorded when the backup was made");
        }

        var differences = recorded.Keys.Union(found.Keys, StringComparer.Ordinal)
            .Where(table => !recorded.TryGetValue(table, out var before) || !found.TryGetValue(table, out var now) || before != now)
            .Select(table => string.Create(CultureInfo.InvariantCulture, $"{table} has {(found.TryGetValue(table, out var now) ? now : 0)} rows, {(recorded.TryGetValue(table, out var before) ? before : 0)} were recorded"))
            .ToList();
        return new VerificationCheck(VerificationChecks.RowCounts, differences.Count == 0, differences.Count == 0 ? total : string.Join("; ", differences));
    }
}
