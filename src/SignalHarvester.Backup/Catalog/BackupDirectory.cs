using System.Globalization;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Formats.Digests;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Catalog;

/// <summary>
/// A directory of backups. The sidecars are the truth: a file without one is no backup. Reading needs no lock and no
/// write access; every change holds the directory's lock and checks its decision again.
/// </summary>
public sealed class BackupDirectory
{
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(60);

    private const string NotWritable = "Give a directory that this account may write to with -BackupDirectory.";

    private readonly CatalogReader reader;
    private readonly DirectoryJournal journal;

    /// <summary>Names a directory; nothing is read yet.</summary>
    /// <param name="path">The directory's full path. It need not exist.</param>
    /// <param name="clock">The clock for ages.</param>
    public BackupDirectory(string path, TimeProvider clock)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(clock);
        Path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        reader = new CatalogReader(Path, clock);
        Layout = new BackupDirectoryLayout(Path);
        Clock = clock;
        journal = new DirectoryJournal(Layout, clock);
    }

    /// <summary>The directory's full path.</summary>
    public string Path { get; }

    /// <summary>Whether the directory exists.</summary>
    public bool Exists => Directory.Exists(Path);

    /// <summary>The layout of the directory's other files.</summary>
    internal BackupDirectoryLayout Layout { get; }

    /// <summary>The clock for ages.</summary>
    internal TimeProvider Clock { get; }

    /// <summary>Lists all backups, newest first, without retired ones.</summary>
    /// <exception cref="BackupException">DirectoryNotFound, DirectoryUnreadable.</exception>
    public CatalogListing List()
    {
        var listing = ListAll();
        return listing with { Backups = [.. listing.Backups.Where(backup => !backup.IsRetired)] };
    }

    /// <summary>Finds one backup by its id.</summary>
    /// <exception cref="BackupException">BackupNotFound, SidecarInvalid, SidecarHostile, DirectoryNotFound.</exception>
    public BackupMetadata Get(string id) => reader.Get(id);

    /// <summary>Whether an id is taken, even by an unusable sidecar.</summary>
    public bool Has(string id) => reader.Has(id);

    /// <summary>The ids of all backups that have a sidecar, in no order, without reading them: for tab completion and wildcards.</summary>
    /// <exception cref="BackupException">DirectoryNotFound, DirectoryUnreadable.</exception>
    public IReadOnlyList<string> SidecarIds() => reader.SidecarIds();

    /// <summary>The backups that build on one, directly or through others, newest first.</summary>
    /// <exception cref="BackupException">DirectoryNotFound, DirectoryUnreadable.</exception>
    public IReadOnlyList<BackupMetadata> Dependants(string id) =>
        [.. BackupChain.Dependants(ListAll().Backups, [id]).NewestFirst()];

    /// <summary>Lists all backups, newest first, the retired ones too.</summary>
    /// <exception cref="BackupException">DirectoryNotFound, DirectoryUnreadable.</exception>
    public CatalogListing ListAll() => reader.List();

    /// <summary>The chain of a backup, the full one first, with depths.</summary>
    /// <exception cref="BackupException">ChainBroken, BackupNotFound, SidecarInvalid, SidecarHostile.</exception>
    internal IReadOnlyList<BackupMetadata> Chain(string id) => reader.Chain(id);

    /// <summary>Finds one backup by its id; null if there is none.</summary>
    /// <exception cref="BackupException">SidecarInvalid, SidecarHostile.</exception>
    internal BackupMetadata? TryGet(string id) => reader.TryGet(id);

    /// <summary>The bytes of a backup's sidecar, or of its entry in the predecessor's index; null if there is neither.</summary>
    /// <exception cref="BackupException">SidecarInvalid, SidecarHostile, DirectoryUnreadable.</exception>
    internal byte[]? ReadSidecar(string id) => reader.ReadSidecar(id);

    /// <summary>
    /// Removes backups, beginning with those that build on others. The sidecar goes first, so that the backup no longer counts,
    /// then its file. If the run is killed, the next change of the directory finishes the removal. A retired backup goes together
    /// with the last one that builds on it.
    /// </summary>
    /// <param name="ids">The backups to remove. Enumerated once, under the lock.</param>
    /// <param name="retirable">The backups that may be retired if others still build on them.</param>
    /// <param name="removed">Called for each backup that is gone.</param>
    /// <param name="failed">Called for each that could not be removed.</param>
    /// <param name="cancellation">Stops between two backups.</param>
    /// <param name="warn">Receives a warning about unfinished clean-up.</param>
    /// <exception cref="BackupException">DirectoryNotFound, DirectoryNotWritable, DirectoryLocked.</exception>
    internal void Remove(
        IEnumerable<string> ids,
        IReadOnlySet<string> retirable,
        Action<BackupMetadata> removed,
        Action<BackupException> failed,
        CancellationToken cancellation,
        Action<string>? warn = null)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentNullException.ThrowIfNull(removed);
        ArgumentNullException.ThrowIfNull(failed);
        reader.RequireExisting();
        using var held = Lock(cancellation, warn);
        Change(() => journal.Sweep(warn ?? (_ => { })));
        var listing = ListAll();
        var listed = listing.Backups;
        var children = listed.Where(backup => BackupChain.IsIncrement(backup) && backup.ParentId is not null)
            .ToLookup(backup => backup.ParentId!, backup => backup.Id);
        var depths = listed.ToDictionary(backup => backup.Id, backup => backup.Depth, StringComparer.Ordinal);

        // By links, not by names, because a clock may have gone back. Backups in a circle of links have no depth and go together.
        var open = ids.ToHashSet(StringComparer.Ordinal);
        var gone = new HashSet<string>(StringComparer.Ordinal);
        foreach (var id in open.OrderByDescending(id => depths.GetValueOrDefault(id)).ThenByDescending(id => id, StringComparer.Ordinal).ToList())
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                var backup = Get(id);
                var dependants = children[id].Where(child => !gone.Contains(child) && !open.Contains(child)).ToList();
                if (dependants.Count > 0 && retirable.Contains(id))
                {
                    open.Remove(id);
                    removed(Retire(backup, isRetired: true));
                    continue;
                }

                if (dependants.Count > 0)
                {
                    throw new BackupException(
                        BackupErrorId.BackupHasDependants, id,
                        $"'{id}' was not removed, because {string.Join(", ", dependants)} cannot be restored without it. Remove those as well (-Cascade).");
                }

                Change(() => journal.Remove(backup, ReadSidecar(id)!));
                gone.Add(id);
                removed(backup);
            }
            catch (BackupException exception)
            {
                open.Remove(id);
                failed(exception);
            }
        }

        // The parent in an unreadable sidecar is unknown, and somebody may repair the sidecar.
        var mayGo = listing.Faults.Count == 0;
        foreach (var retired in listed.Where(backup => mayGo && backup.IsRetired && !gone.Contains(backup.Id)).OrderByDescending(backup => backup.Depth))
        {
            if (children[retired.Id].All(gone.Contains) && TryGet(retired.Id) is { } backup)
            {
                Change(() => journal.Remove(backup, ReadSidecar(backup.Id)!));
                gone.Add(backup.Id);
            }
        }
    }

    /// <summary>Makes a retired backup count again.</summary>
    /// <param name="id">The backup.</param>
    /// <param name="cancellation">Stops the waiting for the lock.</param>
    /// <exception cref="BackupException">DirectoryNotWritable, DirectoryLocked.</exception>
    internal void Reinstate(string id, CancellationToken cancellation)
    {
        using var held = Lock(cancellation);
        if (TryGet(id) is { IsRetired: true } backup)
        {
            _ = Retire(backup, isRetired: false);
        }
    }

    private BackupMetadata Retire(BackupMetadata backup, bool isRetired)
    {
        var changed = backup with { IsRetired = isRetired };
        Change(() => DurableFile.WriteAllBytes(reader.SidecarPath(backup.Id), Sidecar.Write(changed, schemaChecksum: null, ReadSidecar(backup.Id))));
        return changed;
    }

    /// <summary>Rewrites a backup's description after a verification; the file stays as it is.</summary>
    /// <param name="tested">The backup at the time of the test.</param>
    /// <param name="change">Adds the result.</param>
    /// <param name="schemaChecksum">The schema's digest, or null to keep what is recorded.</param>
    /// <param name="cancellation">Stops the waiting for the lock.</param>
    /// <returns>False if nothing was recorded: the directory cannot be written to, or the backup now has another file, or none.</returns>
    /// <exception cref="BackupException">DirectoryLocked.</exception>
    internal bool TryUpdate(BackupMetadata tested, Func<BackupMetadata, BackupMetadata> change, string? schemaChecksum, CancellationToken cancellation)
    {
        SafeFileHandle held;
        try
        {
            held = Lock(cancellation);
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.DirectoryNotWritable)
        {
            return false;
        }

        using (held)
        {
            if (TryGet(tested.Id) is not { } current || current.BackupPath != tested.BackupPath || current.StoredChecksum != tested.StoredChecksum)
            {
                return false;
            }

            Change(() => DurableFile.WriteAllBytes(
                reader.SidecarPath(tested.Id), Sidecar.Write(InOrder(current, change(current)), schemaChecksum, ReadSidecar(tested.Id))));
            return true;
        }
    }

    /// <summary>
    /// Puts a new record after the earlier records, whatever the clock said then: a pass counts for the backup's chain, and a
    /// failure for all backups that build on it. A record with a future date was made before now.
    /// </summary>
    private BackupMetadata InOrder(BackupMetadata former, BackupMetadata changed)
    {
        if (changed.VerificationTimestamp is { } verified && verified != former.VerificationTimestamp)
        {
            var others = changed.Verified ? Ancestors(changed) : ListAll().Backups.Where(other => other.Id != changed.Id);
            return changed with
            {
                VerificationOrder = BackupOrder.NextVerification(verified, others),
                ScrubTimestamp = changed.ScrubTimestamp > verified ? verified : changed.ScrubTimestamp,
            };
        }

        return changed.ScrubTimestamp is { } scrubbed && scrubbed != former.ScrubTimestamp && changed.VerificationTimestamp > scrubbed
            ? changed with { VerificationTimestamp = scrubbed, VerificationOrder = former.VerificationOrder }
            : changed;
    }

    private List<BackupMetadata> Ancestors(BackupMetadata backup)
    {
        var found = new List<BackupMetadata>();
        var seen = new HashSet<string>(StringComparer.Ordinal) { backup.Id };
        for (var link = backup; BackupChain.IsIncrement(link) && link.ParentId is { } id && seen.Add(id) && TryGet(id) is { } parent; link = parent)
        {
            found.Add(parent);
        }

        return found;
    }

    /// <summary>Refuses a state folder that leads elsewhere, for code that writes there without the directory's lock (the lock itself also checks).</summary>
    /// <exception cref="BackupException">SidecarHostile.</exception>
    internal void RefuseLinks() => journal.RefuseLinks();

    /// <summary>Finishes or undoes the work of killed runs.</summary>
    /// <exception cref="BackupException">DirectoryNotFound, DirectoryNotWritable, DirectoryLocked.</exception>
    internal void Recover(OperationContext context)
    {
        reader.RequireExisting();
        using var held = Lock(context.Cancellation, context.Warn);
        Change(() => journal.Sweep(context.Warn));
    }

    /// <summary>Takes a new id and the locked, empty file for the backup's bytes.</summary>
    /// <param name="moment">The moment of the snapshot. If the id is taken, microseconds are added.</param>
    /// <param name="name">Makes the file's name from an id.</param>
    /// <param name="cancellation">Stops the waiting for the lock.</param>
    /// <param name="warn">Receives a warning about unfinished clean-up.</param>
    /// <exception cref="BackupException">DirectoryNotWritable, DirectoryLocked.</exception>
    internal PartialBackup Begin(DateTimeOffset moment, Func<string, BackupFileName> name, CancellationToken cancellation, Action<string>? warn = null)
    {
        using var held = Lock(cancellation, warn);
        Change(() => journal.Sweep(warn ?? (_ => { })));
        for (var attempt = moment; ; attempt = attempt.AddMicroseconds(1))
        {
            var id = BackupFileName.IdFor(attempt);
            if (Directory.EnumerateFiles(Path, id + "*").Any())
            {
                continue;
            }

            var file = name(id);
            return CreatePartial(file);
        }
    }

    /// <summary>Takes the file for a rewritten backup.</summary>
    /// <param name="backup">The backup as it is now.</param>
    /// <param name="type">The content of the new file.</param>
    /// <param name="encrypted">Whether it is encrypted.</param>
    /// <param name="cancellation">Stops the waiting for the lock.</param>
    /// <exception cref="BackupException">DirectoryNotWritable, DirectoryLocked.</exception>
    internal PartialBackup BeginRewrite(BackupMetadata backup, BackupType type, bool encrypted, CancellationToken cancellation)
    {
        using var held = Lock(cancellation);
        var generation = BackupFileName.TryParse(System.IO.Path.GetFileName(backup.BackupPath))!.Generation + 1;
        while (Directory.EnumerateFiles(Path, string.Create(CultureInfo.InvariantCulture, $"{backup.Id}_g{generation}_*")).Any())
        {
            generation++;
        }

        return CreatePartial(BackupFileName.For(backup.Id, type, backup.Compression, encrypted, generation), backup.BackupPath);
    }

    /// <summary>
    /// Opens the file for a fetched backup. It contains the data of an earlier run; unless it is published, it stays for the next run.
    /// </summary>
    /// <param name="name">The name that it will have.</param>
    /// <param name="key">The key that distinguishes this content from any other of that name.</param>
    /// <param name="cancellation">Stops the waiting for the lock.</param>
    /// <exception cref="BackupException">DirectoryNotWritable, DirectoryLocked; CloudTransferInProgress: another process is fetching it.</exception>
    internal PartialBackup BeginImport(BackupFileName name, string key, CancellationToken cancellation)
    {
        using var held = Lock(cancellation);
        return Change(() =>
        {
            PrivateFolder.Create(Layout.DownloadFolder);
            var path = System.IO.Path.Combine(Layout.DownloadFolder, key + "_" + name.Text);
            try
            {
                return new PartialBackup(
                    Path, name, path, RegularFile.Open(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, DurableFile.Exclusive))
                { IsKept = true };
            }
            catch (IOException exception) when (DiskFault.IsHeldElsewhere(exception))
            {
                throw new BackupException(
                    BackupErrorId.CloudTransferInProgress, name.Id,
                    $"Another process is fetching '{name.Id}' into '{Path}' at the moment. Wait until it has finished; then the backup is there.", exception);
            }
        });
    }

    /// <summary>Publishes a fetched backup, unless it exists already.</summary>
    /// <param name="partial">The finished file.</param>
    /// <param name="sidecar">Its complete sidecar.</param>
    /// <param name="cancellation">Stops the waiting for the lock.</param>
    /// <returns>False if a backup of that id has appeared meanwhile: nothing was changed.</returns>
    /// <exception cref="BackupException">DirectoryNotWritable, DirectoryLocked, WriteFailed.</exception>
    internal bool TryImport(PartialBackup partial, byte[] sidecar, CancellationToken cancellation)
    {
        using var held = Lock(cancellation);
        if (TryGet(partial.Name.Id) is not null)
        {
            return false;
        }

        Change(() => journal.Publish(partial, partial.Name.Id, sidecar));
        return true;
    }

    /// <summary>Publishes a rewritten backup in place of the former one; if it is killed in between, the backup is either the old or the new one.</summary>
    /// <param name="partial">The finished file.</param>
    /// <param name="former">The backup as it was when the rewriting began.</param>
    /// <param name="rewritten">The backup as it is now.</param>
    /// <param name="cancellation">Stops the waiting for the lock.</param>
    /// <returns>False if somebody else has rewritten or removed it, or its new parent, meanwhile: nothing was changed.</returns>
    /// <exception cref="BackupException">DirectoryNotWritable, DirectoryLocked, WriteFailed.</exception>
    internal bool TryReplace(PartialBackup partial, BackupMetadata former, BackupMetadata rewritten, CancellationToken cancellation)
    {
        using var held = Lock(cancellation);
        if (TryGet(former.Id) is not { } current
            || current.BackupPath != former.BackupPath
            || current.ParentId != former.ParentId
            || (rewritten.ParentId is { } parent && TryGet(parent) is null))
        {
            return false;
        }

        // The results of a verification that ran meanwhile stay valid, because the image is the same.
        var sidecar = ReadSidecar(former.Id)!;
        var described = current with
        {
            Type = rewritten.Type,
            ParentId = rewritten.ParentId,
            BackupPath = rewritten.BackupPath,
            Size = rewritten.Size,
            Checksum = rewritten.Checksum,
            StoredChecksum = rewritten.StoredChecksum,
            WalChecksum = rewritten.WalChecksum,
            IsEncrypted = rewritten.IsEncrypted,
            Recipients = rewritten.Recipients,
        };
        Change(() => journal.Replace(partial, current, sidecar, Sidecar.Write(described, schemaChecksum: null, sidecar)));
        return true;
    }

    /// <summary>Quarantines a backup whose file differs from its record, or replaces that file by a good one.</summary>
    /// <param name="damaged">The backup at the time of the reading.</param>
    /// <param name="read">The file's length and time of writing then; null if there was no file.</param>
    /// <param name="found">Its defect.</param>
    /// <param name="good">The good file; null if there is none. A backup without a file then stays unchanged.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancellation">Stops the waiting for the lock.</param>
    /// <returns>Whether it was done (not if the backup or its file has changed by now), and the path of the damaged file.</returns>
    /// <exception cref="BackupException">DirectoryNotWritable, DirectoryLocked, WriteFailed.</exception>
    internal (bool Done, string? QuarantinePath) TryQuarantine(
        BackupMetadata damaged, (long Length, DateTime Written)? read, VerificationCheck found, PartialBackup? good, DateTimeOffset now,
        CancellationToken cancellation)
    {
        using var held = Lock(cancellation);
        (long, DateTime)? there = new FileInfo(damaged.BackupPath) is { Exists: true } file ? (file.Length, file.LastWriteTimeUtc) : null;
        if (TryGet(damaged.Id) is not { } current
            || current.BackupPath != damaged.BackupPath
            || current.StoredChecksum != damaged.StoredChecksum
            || there != read)
        {
            return (false, null);
        }

        var sidecar = ReadSidecar(current.Id)!;
        var folder = read is null ? null : Layout.NewQuarantine(now);
        var path = folder is null ? null : System.IO.Path.Combine(folder, System.IO.Path.GetFileName(current.BackupPath));
        var marked = Sidecar.Write(
            current with
            {
                BackupPath = path ?? current.BackupPath,
                Verified = false,
                VerificationLevel = VerificationLevel.None,
                VerificationTimestamp = now,
                Verification = [found],
            },
            schemaChecksum: null,
            sidecar);
        if (good is not null)
        {
            Change(() => journal.Repair(current, folder, marked, good, Sidecar.Write(current with { ScrubTimestamp = now }, schemaChecksum: null, sidecar)));
        }
        else if (folder is not null)
        {
            Change(() => journal.Quarantine(current, folder, marked));
        }

        return (true, path);
    }

    /// <summary>
    /// Publishes a finished file: stages its sidecar, gives the file its name, then the sidecar its own. If the run is killed in
    /// between, the next change of the directory completes it.
    /// </summary>
    /// <returns>The backup with its place in the order.</returns>
    /// <exception cref="BackupException">DirectoryNotWritable, DirectoryLocked, WriteFailed, InvalidArgument.</exception>
    /// <exception cref="ParentLostException">The parent was removed meanwhile.</exception>
    internal BackupMetadata Publish(
        PartialBackup partial, BackupMetadata backup, BackupMetadata? parent, string? schemaChecksum, PageDigestFile digests, CancellationToken cancellation)
    {
        using var held = Lock(cancellation);
        if (parent is not null && TryGet(parent.Id)?.PagesChecksum != parent.PagesChecksum)
        {
            throw new ParentLostException($"the parent '{parent.Id}' was removed meanwhile");
        }

        var placed = backup with
        {
            Order = BackupOrder.Next(backup.Timestamp, ListAll().Backups),
            VerificationOrder = backup.VerificationTimestamp is { } verified ? BackupOrder.NextVerification(verified, Ancestors(backup)) : null,
        };
        var sidecar = Sidecar.WriteReadable(placed, schemaChecksum);
        Change(() =>
        {
            if (!backup.IsSafety)
            {
                // Nothing builds on a safety backup, so the digests of the next backup's parent stay.
                digests.Commit(alsoKept: parent?.Id);
            }

            journal.Publish(partial, backup.Id, sidecar);
        });
        return placed;
    }

    private PartialBackup CreatePartial(BackupFileName name, string? replaced = null) => Change(() =>
    {
        var temporary = System.IO.Path.Combine(Path, name.Text) + BackupFileName.PartialSuffix;
        return new PartialBackup(Path, name, temporary, DurableFile.CreatePrivate(temporary, DurableFile.Exclusive, replaced));
    });

    /// <summary>Takes the directory's lock and finishes the work of a killed run.</summary>
    private SafeFileHandle Lock(CancellationToken cancellation, Action<string>? warn = null) => Change(() =>
    {
        reader.RefuseFile();
        DurableFile.CreateDirectory(Path);
        journal.RefuseLinks();
        DurableFile.CreateDirectory(Layout.StateFolder);
        var held = FolderLock.Take(Layout.StateFolder, LockTimeout, cancellation);
        try
        {
            journal.Finish(warn ?? (_ => { }));
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    });

    private T Change<T>(Func<T> change) => DiskFault.Guard(Path, BackupErrorId.DirectoryNotWritable, NotWritable, change);

    private void Change(Action change) => DiskFault.Guard(Path, BackupErrorId.DirectoryNotWritable, NotWritable, change);
}
