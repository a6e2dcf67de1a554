namespace SignalHarvester.Backup.Bench.Databases;

/// <summary>Directories as they were at one moment, to be brought back before each run that changes them.</summary>
/// <param name="folder">Where the copies go.</param>
/// <param name="directories">What is saved; one that is not there is none of the state.</param>
internal sealed class SavedState(string folder, params string[] directories)
{
    /// <summary>Whether there is something to bring back.</summary>
    public bool IsSaved { get; private set; }

    /// <summary>Copies the directories as they are now.</summary>
    public void Save()
    {
        Replace(directory => (directory, CopyOf(directory)));
        IsSaved = true;
    }

    /// <summary>Makes the directories what they were.</summary>
    public void Restore() => Replace(directory => (CopyOf(directory), directory));

    private void Replace(Func<string, (string From, string To)> way)
    {
        foreach ((var from, var to) in directories.Select(way))
        {
            Workspace.Delete(to);
            if (Directory.Exists(from))
            {
                Workspace.Copy(from, to);
            }
        }
    }

    private string CopyOf(string directory) => Path.Combine(folder, Path.GetFileName(directory));
}
