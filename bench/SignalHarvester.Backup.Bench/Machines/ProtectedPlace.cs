namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>Where a measurement of continuous protection has its files.</summary>
internal sealed class ProtectedPlace
{
    /// <param name="folder">For everything that is not in the store.</param>
    /// <param name="store">The store; null for a folder in this one.</param>
    public ProtectedPlace(string folder, ProtectedStore? store = null)
    {
        Folder = folder;
        Store = store ?? new FolderStore(Path.Combine(folder, "store"));
    }

    /// <summary>The column for a restore that checks the image.</summary>
    public const string CheckedRestore = "restore s";

    /// <summary>The column for a restore that does not.</summary>
    public const string UncheckedRestore = "restore, unchecked s";

    /// <summary>The folder for everything that is not in the store.</summary>
    public string Folder { get; }

    /// <summary>The databases.</summary>
    public string Live => Path.Combine(Folder, "live");

    /// <summary>The store.</summary>
    public ProtectedStore Store { get; }

    /// <summary>What the tool itself needs on this machine.</summary>
    public string Home => Path.Combine(Folder, "home");

    /// <summary>What the tool says.</summary>
    public string Log => Path.Combine(Folder, "log");

    /// <summary>The path of a database.</summary>
    public string this[string name] => Path.Combine(Live, name);

    /// <summary>Begins anew, with copies of a database.</summary>
    public void Make(string original, int copies)
    {
        Workspace.Delete(Folder);
        Directory.CreateDirectory(Live);
        Directory.CreateDirectory(Home);
        Store.Clear();
        for (var copy = 0; copy < copies; copy++)
        {
            File.Copy(original, this[NameOf(copy)]);
        }

        Workspace.Settle();
    }

    /// <summary>The name of a copy.</summary>
    public static string NameOf(int copy) => $"{copy:D4}.db";
}
