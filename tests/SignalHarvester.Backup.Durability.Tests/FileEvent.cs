namespace SignalHarvester.Backup.Durability.Tests;

/// <summary>Completes at the first change below a folder that a kill is to follow.</summary>
internal sealed class FileEvent : IDisposable
{
    private readonly FileSystemWatcher _watcher;
    private readonly TaskCompletionSource _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="folder">The folder; what is below it counts too.</param>
    /// <param name="kind">What happens: Created, Deleted, Renamed (to the name) or Changed.</param>
    /// <param name="matches">Decides by the path relative to the folder.</param>
    public FileEvent(string folder, WatcherChangeTypes kind, Func<string, bool> matches)
    {
        _watcher = new FileSystemWatcher(folder) { IncludeSubdirectories = true };
        void Look(object sender, FileSystemEventArgs change)
        {
            if (change.ChangeType == kind && matches(change.Name ?? ""))
            {
                _seen.TrySetResult();
            }
        }

        _watcher.Created += Look;
        _watcher.Changed += Look;
        _watcher.Deleted += Look;
        _watcher.Renamed += Look;
        _watcher.EnableRaisingEvents = true;
    }

    public Task Seen => _seen.Task;

    public void Dispose() => _watcher.Dispose();
}
