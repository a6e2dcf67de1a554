using System.Globalization;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Continuous.Holder;

/// <summary>
/// A database's files as they were when they were opened, and as the database file was when rest began. Who goes on with a log although
/// another file has come in the database's place corrupts it, so this is asked at every look, and before every checkpoint.
/// </summary>
internal sealed class HeldFiles
{
    private const string IndexSuffix = "-shm";
    private const string LogSuffix = "-wal";

    private static readonly TimeSpan Instant = TimeSpan.FromMilliseconds(50);

    private readonly string path;
    private readonly FileMark opened;
    private FileIdentity? index;
    private FileMark? rest;
    private FileMark seen;

    private HeldFiles(string path, FileMark opened)
    {
        this.path = path;
        this.opened = seen = opened;
    }

    /// <summary>Notes the database file, before it is opened.</summary>
    /// <exception cref="DatabaseReplacedException">There is none.</exception>
    public static HeldFiles Of(string path) => new(path, FileMark.Of(path) ?? throw new DatabaseReplacedException("it is no longer there"));

    /// <summary>Notes the index of the log, once it is open.</summary>
    public void NoteIndex() => index = FileIdentity.Of(path + IndexSuffix);

    /// <summary>Notes the database file as it is under read lock 0: from now on SQLite itself cannot write to it.</summary>
    public void BeginRest() => rest = FileMark.Of(path);

    /// <summary>Forgets it, before the lock is let go.</summary>
    public void EndRest() => rest = null;

    /// <summary>
    /// The database file as it was when rest began; null until that instant is past, in which a later write would not change the file's time.
    /// </summary>
    public FileMark? RestMark(TimeProvider clock) => rest is { } mark && clock.GetUtcNow().UtcTicks - mark.Written > Instant.Ticks ? mark : null;

    /// <summary>Refuses files that are not those that were opened.</summary>
    /// <exception cref="DatabaseReplacedException">They were moved, replaced or overwritten.</exception>
    public void RefuseReplaced()
    {
        if (FindReplaced() is { } replaced)
        {
            throw replaced;
        }
    }

    /// <summary>Whether the files are not those that were opened.</summary>
    public bool AreReplaced => FindReplaced() is not null;

    /// <summary>Notes the file after a checkpoint of our own, if it is still the one.</summary>
    public void NoteCheckpoint() => Note(FileMark.Of(path));

    /// <summary>Why the path leads elsewhere, as a clause; null if it does not.</summary>
    public string? WhyMoved() => WhyMoved(FileMark.Of(path));

    /// <summary>
    /// Whether the index that is mapped here is not that of the others any more. So it is if this process has lost its locks, because something in it
    /// closed one of the database's files: then the last of the others has deleted log and index.
    /// </summary>
    public bool IsIndexGone => FileIdentity.Of(path + IndexSuffix) != index;

    /// <summary>
    /// Whether a file that was moved away may have been used under its new name since the last look, so that its log does not belong to it any more. Who
    /// uses it leaves a log beside that name, or has changed the file. Only while nobody else can open it.
    /// </summary>
    public bool MayBeUsedSince() =>
        SqliteDescriptors.Locate(path, new FileIdentity(opened.Device, opened.Inode)) is not (var status, var name)
        || FileMark.Of(status) != seen || File.Exists(name + LogSuffix);

    /// <summary>What is to be said of a file that was moved while an application has it open.</summary>
    public string LogStays =>
        $"'{path}' was moved while an application has it open. Its log stays where it is, because that application writes to it. Move the file back, or end the application before another file comes in its place.";

    /// <summary>Takes the log of a file that was moved away, and is or was in use under its new name, out of the way of what may come in its place.</summary>
    /// <returns>A sentence that says where it is.</returns>
    public string PutLogAside()
    {
        var log = path + LogSuffix;
        var warning = string.Empty;
        if (!File.Exists(path) && File.Exists(log))
        {
            var aside = string.Create(CultureInfo.InvariantCulture, $"{log}-of-moved-{opened.Inode}");
            try
            {
                File.Move(log, aside, overwrite: false);
                log = aside;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                warning =
                    $" It could not be put aside ({exception.Message.TrimEnd('.')}): do that before another file comes in the database's place, whose log it would become.";
            }
        }

        return
            $"'{path}' was moved while it had commits in its log, and was used under its new name already, so they could not be copied to it. They are in '{log}'.{warning} If nothing was written to the file since, stop its application and put that log beside it, under its name with -wal; else restore the last transaction to another file, and compare.";
    }

    private DatabaseReplacedException? FindReplaced()
    {
        var now = FileMark.Of(path);
        Note(now);
        return WhyMoved(now) is { } moved ? new(moved)
            : IsIndexGone ? new("the index of its log was deleted or replaced while it was in use")
            : rest is not null && now != rest ? new("something else than SQLite wrote to the file", isOverwritten: true)
            : null;
    }

    private void Note(FileMark? now) => seen = now is not null && WhyMoved(now) is null ? now : seen;

    private string? WhyMoved(FileMark? now) =>
        now is null ? "the file is no longer there"
        : (now.Device, now.Inode) != (opened.Device, opened.Inode) ? "another file has its name"
        : null;
}
