namespace SignalHarvester.Backup.TestSupport;

/// <summary>The files that tests/run.sh fetches for the tests: in the folder SHBACKUP_TEST_ASSETS, else tests/.assets.</summary>
public static class TestAssets
{
    /// <summary>The folder, whether it exists or not.</summary>
    public static string Folder { get; } = Find();

    private static string Find()
    {
        if (Environment.GetEnvironmentVariable("SHBACKUP_TEST_ASSETS") is { Length: > 0 } chosen)
        {
            return chosen;
        }

        var folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "tests", "run.sh")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return Path.Combine(folder ?? AppContext.BaseDirectory, "tests", ".assets");
    }
}
