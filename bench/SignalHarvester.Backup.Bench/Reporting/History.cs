namespace SignalHarvester.Backup.Bench.Reporting;

/// <summary>
/// A database over time: its first state, and thirty more, each after a change of one page in a hundred. The module's backups of
/// them are made once, for all steps that need them.
/// </summary>
internal sealed class History(Workspace workspace, string database, Module module) : IDisposable
{
    /// <summary>States after the first.</summary>
    public const int Increments = 30;

    private const int Percent = 1;

    private bool hasBackups;
    private string? newestHash;

    /// <summary>The changing database.</summary>
    public string Live => Path.Combine(Folder, "live", "signals.db");

    /// <summary>The module's backup directory: a full backup of the first state, and an increment for each other.</summary>
    public string Backups => Path.Combine(Folder, "backups");

    /// <summary>SHA-256 of the newest state.</summary>
    /// <exception cref="BenchException">There is none yet.</exception>
    public string NewestHash => newestHash ?? throw new BenchException("The database has no history yet.");

    private string Folder => Path.Combine(workspace.Work, "history");

    private int Pages => BenchDatabase.PagesOf(database, Percent);

    /// <summary>Makes the module's backups, unless they exist.</summary>
    public void MakeBackups()
    {
        if (hasBackups)
        {
            return;
        }

        Workspace.Delete(Folder);
        Reset();
        module.Backup(Live, Backups).Run();
        module.Series(Live, Backups, "Incremental", PageChanges.Unseeded(Live, Pages), Increments).Run();
        newestHash = Workspace.HashOf(Live);
        hasBackups = true;
    }

    /// <summary>Brings the database through its states once more, which takes as long as the changes.</summary>
    /// <param name="visit">Called in each state with its number, 0 to <see cref="Increments"/>.</param>
    public void Replay(Action<int> visit)
    {
        Reset();
        visit(0);
        for (var state = 1; state <= Increments; state++)
        {
            PageChanges.Make(Live, Pages, (ulong)state);
            visit(state);
        }

        newestHash = Workspace.HashOf(Live);
    }

    /// <summary>Deletes everything.</summary>
    public void Dispose() => Workspace.Delete(Folder);

    private void Reset()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Live)!);
        File.Copy(database, Live, overwrite: true);
    }
}
