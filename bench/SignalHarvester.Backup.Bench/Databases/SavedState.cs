namespace SignalHarvester.Backup.Bench.Databases;

/// <summary>The state of directories at one moment. It is restored before each run that changes them.</summary>
/// <param name="folder">Where the copies go.</param>
/// <param name="directories">The directories to save. A missing one is not part of the state.</param>
internal sealed class SavedState(string folder, params string[] directories)
{
    /// <summary>Whether a state is saved.</summary>
    public bool IsSaved { get; private set; }

    /// <summary>Copies the directories as they are now.</summary>
    public void Save()
    {
        Replace(directory => (directory, CopyOf(directory)));
        IsSaved = true;
    }

    /// <summary>Restores the saved state of the directories.</summary>
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
