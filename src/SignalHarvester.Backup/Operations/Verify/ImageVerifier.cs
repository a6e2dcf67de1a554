using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.Encryption.Age;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;
using SignalHarvester.Backup.Sqlite.Snapshot;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Verify;

/// <summary>Compares a stored file with what was recorded about it, from its bytes up to its rows.</summary>
internal sealed class ImageVerifier(string temporaryParent, OperationContext context)
{
    // SQLite checks half a million in a second, while everything else about a gigabyte takes little more than that.
    private const long MostReferences = 200_000;

    /// <summary>The content that the last verification found. It can be recorded if none was recorded before.</summary>
    public ImageContent? FoundContent { get; private set; }

    /// <summary>The image that the last verification read; null if it compared the image with what had just been written.</summary>
    public WrittenImage? FoundImage { get; private set; }

    /// <summary>The file in which the last image was assembled; null on Windows.</summary>
    public FileIdentity? FoundFile { get; private set; }

    /// <summary>The inconsistencies that the last verification found in the database; null if it did not check for them.</summary>
    public IReadOnlyList<string>? FoundInconsistencies { get; private set; }

    /// <summary>Whether foreign keys are checked too, for the record.</summary>
    public bool ChecksForeignKeys { get; init; }

    /// <summary>The rows that refer to missing rows; null if they were not looked for, or there are too many references to follow.</summary>
    public IReadOnlyList<ForeignKeyViolation>? FoundForeignKeys { get; private set; }

    /// <summary>Reads the whole files, assembles the image in a private temporary file, and checks that as a database.</summary>
    /// <returns>The checks, in their order. After the first failure only explanations follow.</returns>
    /// <exception cref="BackupException">InsufficientSpace, WriteFailed: the check itself could not be made.</exception>
    public IReadOnlyList<VerificationCheck> Verify(OpenChain chain, ImageContent recorded, string activity)
    {
        using var folder = TemporaryFolder.CreateInFirst([temporaryParent, Path.GetTempPath()], chain.ExpectedImageLength);
        var image = folder.FilePath("image.db");
        try
        {
            var checks = Unpack(chain, image, activity);
            if (checks.TrueForAll(check => check.Passed))
            {
                checks.AddRange(Inspect(image, recorded));
            }

            return checks;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DiskFault.From(
                exception, folder.Path, BackupErrorId.WriteFailed, "Check the permissions of the backup directory and of the temporary folder.");
        }
    }

    /// <summary>Checks the stored bytes against size and stored checksum, without unpacking them.</summary>
    public List<VerificationCheck> VerifyStored(OpenChain chain, string activity)
    {
        var checks = Sizes(chain);
        if (checks.TrueForAll(check => check.Passed))
        {
            using var meter = context.Meter(activity, chain.StoredLength);
            AddStoredChecksums(chain, [.. chain.Links.Select(link => StoredChecksum(link.File, meter))], checks);
        }

        return checks;
    }

    /// <summary>Checks the stored bytes of the backups that the newest of a chain builds on against size and stored checksum.</summary>
    public VerificationCheck VerifyParents(OpenChain chain, string activity)
    {
        if (WrongParentSize(chain) is { } wrong)
        {
            return wrong;
        }

        using var meter = context.Meter(activity, chain.StoredLength - chain.Backup.Size);
        return Parents(chain, [.. chain.Links.SkipLast(1).Select(link => StoredChecksum(link.File, meter))]);
    }

    /// <summary>Unpacks an increment as it is stored, and checks it against the WAL format, without its parents.</summary>
    /// <param name="increment">The increment alone.</param>
    /// <param name="activity">The name of the step.</param>
    /// <param name="takePage">Called with each page and its content; null if nobody wants them.</param>
    public List<VerificationCheck> VerifyIncrement(OpenChain increment, string activity, PageTaker? takePage = null)
    {
        var (backup, file) = increment.Links[0];
        var checks = Sizes(increment);
        try
        {
            using var meter = context.Meter(activity, backup.Size);
            var (read, walChecksum) = ChainReader.ReadIncrement(backup, file, increment.Identities, takePage ?? ((_, _) => { }), meter, context.Cancellation);
            AddStoredChecksums(increment, [read.StoredChecksum], checks);
            checks.Add(Unpacked(read));
            checks.Add(Compare(VerificationChecks.WalChecksum, backup.WalChecksum, walChecksum));
        }
        catch (InvalidDataException exception)
        {
            checks.Add(Damage(exception));
        }

        return checks;
    }

    /// <summary>Assembles the image in a new file, and checks sizes and checksums on the way.</summary>
    /// <param name="chain">The backup and its parents.</param>
    /// <param name="imagePath">The file to make.</param>
    /// <param name="activity">The name of the step.</param>
    /// <param name="durable">Whether the file must be on disk in the end.</param>
    public List<VerificationCheck> Unpack(OpenChain chain, string imagePath, string activity, bool durable = false)
    {
        using var file = File.OpenHandle(imagePath, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read);
        FoundFile = FileIdentity.Of(file);
        using var flush = durable ? new SteadyFlush(file) : null;
        var checks = Unpack(chain, new ImageFile(file, flush), Path.GetDirectoryName(imagePath), activity);
        if (chain.Backup is { Checksum: null, PagesChecksum: { } recorded, PageSize: { } pageSize } && checks.TrueForAll(check => check.Passed))
        {
            using var meter = context.Meter(activity, chain.ExpectedImageLength);
            using var image = FileImage.Open(imagePath, pageSize);
            checks.Add(Compare(
                VerificationChecks.PagesChecksum, recorded, ImageScan.Run(image, new ImageScanOptions(), meter, context.Cancellation).PagesChecksum));
        }

        flush?.Finish();
        return checks;
    }

    /// <summary>Unpacks the files, and checks sizes and checksums on the way.</summary>
    /// <param name="chain">The backup and its parents.</param>
    /// <param name="target">Receives the image; null to discard it, which is possible only for a backup without a parent.</param>
    /// <param name="folder">A private folder for the content of the increments; null for a backup without a parent.</param>
    /// <param name="activity">The name of the step.</param>
    public List<VerificationCheck> Unpack(OpenChain chain, IImageTarget? target, string? folder, string activity)
    {
        var backup = chain.Backup;
        var checks = Sizes(chain);
        if (!checks.TrueForAll(check => check.Passed))
        {
            return checks;
        }

        ChainContent content;
        try
        {
            using var meter = context.Meter(activity, chain.Links[0].Backup.DatabaseSize ?? backup.Size);
            content = ChainReader.Read(chain, target, folder, meter, context.Cancellation);
        }
        catch (ChainDamagedException exception)
        {
            checks.Add(exception.Link.Id == backup.Id
                ? Damage(exception.InnerException ?? exception)
                : Parent(exception.Link, $"is damaged: {exception.Message.TrimEnd('.')}"));
            return checks;
        }

        FoundImage = content.ImageChecksum is null
            ? null
            : new WrittenImage(content.ImageLength, content.ImageChecksum, content.Files[^1].StoredLength, content.Files[^1].StoredChecksum);
        AddStoredChecksums(chain, [.. content.Files.Select(file => file.StoredChecksum)], checks);
        checks.Add(Unpacked(content.Files[^1]));
        if (content.WalChecksum is not null)
        {
            checks.Add(Compare(VerificationChecks.WalChecksum, backup.WalChecksum, content.WalChecksum));
        }

        if (content.IsAsWritten is { } isSame)
        {
            checks.Add(new VerificationCheck(
                VerificationChecks.ImageChecksum,
                isSame,
                isSame ? $"{backup.Checksum}: what was read back is, by its XXH128, the content that has this SHA-256"
                    : "what was read back is not the content that was stored"));
        }
        else if (backup.Checksum is not null)
        {
            checks.Add(Compare(VerificationChecks.ImageChecksum, backup.Checksum, content.ImageChecksum!));
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
            if (SchemaWidth.WhyUnreadable(connection) is { } reason)
            {
                return [VerificationChecks.Unreadable(reason)];
            }

            var report = DatabaseCheck.Run(connection, context, token => SqliteConnections.OpenImmutable(imagePath, token));
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            if (report.Damage.Count > 0)
            {
                return [new VerificationCheck(VerificationChecks.Integrity, false, report.Summary)];
            }

            FoundInconsistencies = report.Inconsistencies;
            FoundContent = ImageContent.Read(connection);
            context.Cancellation.ThrowIfCancellationRequested();
            FoundForeignKeys = ChecksForeignKeys ? ForeignKeys(connection, FoundContent.RowCounts!) : null;
            return
            [
                new VerificationCheck(
                    VerificationChecks.Integrity, true, string.Create(CultureInfo.InvariantCulture, $"{report.Summary}, in {seconds:0.00} s")),
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

    /// <summary>Checks foreign keys if that is quick: every backup pays for it.</summary>
    private IReadOnlyList<ForeignKeyViolation>? ForeignKeys(SqliteConnection connection, IReadOnlyDictionary<string, long> rowCounts)
    {
        try
        {
            if (ForeignKeyCheck.CountReferences(connection, rowCounts) <= MostReferences)
            {
                return ForeignKeyCheck.Run(connection).Broken;
            }

            context.Verbose("The database has too many references to check its foreign keys now. A restore drill does so.");
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == SQLitePCL.raw.SQLITE_ERROR)
        {
            // A foreign key names a missing table or column. The application has lived with it.
            context.Verbose($"Foreign keys cannot be checked: {exception.Message}");
        }

        return null;
    }

    private static List<VerificationCheck> Sizes(OpenChain chain)
    {
        var own = chain.Links[^1];
        var length = RandomAccess.GetLength(own.File);
        var checks = new List<VerificationCheck>
        {
            new(
                VerificationChecks.StoredSize,
                length == own.Backup.Size,
                length == own.Backup.Size
                    ? string.Create(CultureInfo.InvariantCulture, $"{length} bytes")
                    : string.Create(CultureInfo.InvariantCulture, $"the file has {length} bytes, but {own.Backup.Size} were recorded")),
        };
        if (WrongParentSize(chain) is { } wrong)
        {
            checks.Add(wrong);
        }

        return checks;
    }

    private static VerificationCheck? WrongParentSize(OpenChain chain) => chain.Links.SkipLast(1)
        .Where(link => RandomAccess.GetLength(link.File) != link.Backup.Size)
        .Select(link => Parent(link.Backup, string.Create(
            CultureInfo.InvariantCulture, $"has {RandomAccess.GetLength(link.File)} bytes, but {link.Backup.Size} were recorded")))
        .FirstOrDefault();

    private static VerificationCheck Parent(BackupMetadata parent, string fault) =>
        new(VerificationChecks.Chain, false, $"its parent '{parent.Id}' {fault}");

    private static void AddStoredChecksums(OpenChain chain, IReadOnlyList<string> found, List<VerificationCheck> checks)
    {
        if (chain.Backup.StoredChecksum is { } recorded)
        {
            checks.Add(Compare(VerificationChecks.StoredChecksum, recorded, found[^1]));
        }

        if (!chain.IsSingle)
        {
            checks.Add(Parents(chain, found));
        }
    }

    private static VerificationCheck Parents(OpenChain chain, IReadOnlyList<string> found)
    {
        var wrong = chain.Links.SkipLast(1).Zip(found).Where(link => link.First.Backup.StoredChecksum != link.Second).Select(link => link.First.Backup)
            .FirstOrDefault();
        return wrong is null
            ? new VerificationCheck(VerificationChecks.Chain, true, string.Create(
                CultureInfo.InvariantCulture,
                $"the other {chain.Links.Count - 1} backups of its chain, down to '{chain.Links[0].Backup.Id}', match their records"))
            : Parent(wrong, "differs from its record");
    }

    private static VerificationCheck Damage(Exception fault) =>
        new(AgeDamage.Is(fault) ? VerificationChecks.Decryption : VerificationChecks.Decompression, false, fault.Message.TrimEnd('.'));

    private static VerificationCheck Unpacked(ReadResult file) => new(
        VerificationChecks.Decompression,
        true,
        string.Create(CultureInfo.InvariantCulture, $"{file.StoredLength} bytes unpacked to {file.PlainLength}"));

    private string StoredChecksum(SafeFileHandle file, ProgressMeter meter)
    {
        using var stored = new StoredStream(file);
        while (stored.Peek(1 << 20) is { IsEmpty: false } bytes)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            meter.Advance(bytes.Length);
            stored.Skip(bytes.Length);
        }

        return stored.Finish();
    }

    private static VerificationCheck Compare(string check, string? recorded, string found) => new(
        check,
        recorded == found,
        recorded == found ? found : $"{found} was found, but {recorded ?? "nothing"} was recorded");

    private static VerificationCheck CompareRows(IReadOnlyDictionary<string, long>? recorded, IReadOnlyDictionary<string, long> found)
    {
        var total = string.Create(CultureInfo.InvariantCulture, $"{found.Values.Sum()} rows in {found.Count} tables");
        if (recorded is null)
        {
            return new VerificationCheck(VerificationChecks.RowCounts, true, $"{total}, with no recorded counts to compare them with");
        }

        var differences = recorded.Keys.Union(found.Keys, StringComparer.Ordinal)
            .Where(table => !recorded.TryGetValue(table, out var before) || !found.TryGetValue(table, out var now) || before != now)
            .Select(table => string.Create(
                CultureInfo.InvariantCulture,
                $"{table} has {(found.TryGetValue(table, out var now) ? now : 0)} rows, but {(recorded.TryGetValue(table, out var before) ? before : 0)} were recorded"))
            .ToList();
        return new VerificationCheck(VerificationChecks.RowCounts, differences.Count == 0, differences.Count == 0 ? total : ShortList.Of(differences, "; "));
    }
}
