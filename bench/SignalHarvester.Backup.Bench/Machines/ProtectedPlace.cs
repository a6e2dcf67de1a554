namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>Where a measurement of continuous protection has its files.</summary>
/// <param name="Folder">For everything.</param>
internal sealed record ProtectedPlace(string Folder)
{
    /// <summary>The column for a restore that checks the image.</summary>
    public const string CheckedRestore = "restore s";

    /// <summary>The column for a restore that does not.</summary>
    public const string UncheckedRestore = "restore, unchecked s";

    /// <summary>The databases.</summary>
    public string Live => Path.Combine(Folder, "live");

    /// <summary>The store.</summary>
    public string Store => Path.Combine(Folder, "store");

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
        Directory.CreateDirectory(Store);
        for (var copy = 0; copy < copies; copy++)
        {
            File.Copy(original, this[NameOf(copy)]);
        }

        Workspace.Settle();
    }

    /// <summary>The name of a copy.</summary>
    public static string NameOf(int copy) => $"{copy:D4}.db";
}
