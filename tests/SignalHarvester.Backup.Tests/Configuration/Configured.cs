using SignalHarvester.Backup.Configuration;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Configuration;

/// <summary>A folder with a configuration file, and the result of reading it in the test's own environment.</summary>
internal sealed class Configured : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly string path;

    /// <param name="text">The file's content.</param>
    /// <param name="environment">The variables.</param>
    /// <param name="file">The file's place in the folder.</param>
    public Configured(string text, Dictionary<string, string>? environment = null, string file = "config/settings.yaml")
    {
        path = Path.GetFullPath(folder[file]);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        Read = BackupConfiguration.Read(path, folder.Path, new EnvironmentVariables(environment ?? []), TestContext.Current.CancellationToken);
    }

    public BackupConfiguration Read { get; }

    public BackupSettings Settings => Read.Require();

    public string this[params string[] parts] => folder[parts];

    /// <summary>Reads a text below app.backup.</summary>
    public static Configured Backup(string text, Dictionary<string, string>? environment = null) =>
        new("app:\n  backup:\n" + string.Join('\n', text.Split('\n').Select(line => "    " + line)), environment);

    /// <summary>Returns the problems without the file's path: line, column, key and message.</summary>
    public string[] Problems() => [.. Read.Problems.Select(problem => problem.ToString().Replace(path, "F", StringComparison.Ordinal))];

    public void Dispose() => folder.Dispose();
}
