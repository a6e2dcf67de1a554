namespace SignalHarvester.Backup.Durability.Tests.Support;

/// <summary>Completes at the first change below a folder after which a kill is due.</summary>
internal sealed class FileEvent : IDisposable
{
    private readonly FileSystemWatcher watcher;
    private readonly TaskCompletionSource seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="folder">The folder, including everything below it.</param>
    /// <param name="kind">What happens: Created, Deleted, Renamed (to the name) or Changed.</param>
    /// <param name="matches">Decides by the path relative to the folder.</param>
    public FileEvent(string folder, WatcherChangeTypes kind, Func<string, bool> matches)
    {
        watcher = new FileSystemWatcher(folder) { IncludeSubdirectories = true };
        void Look(object sender, FileSystemEventArgs change)
        {
            if (change.ChangeType == kind && matches(change.Name ?? ""))
            {
                seen.TrySetResult();
            }
        }

        watcher.Created += Look;
        watcher.Changed += Look;
        watcher.Deleted += Look;
        watcher.Renamed += Look;
        watcher.EnableRaisingEvents = true;
    }

    public Task Seen => seen.Task;

    public void Dispose() => watcher.Dispose();
}
