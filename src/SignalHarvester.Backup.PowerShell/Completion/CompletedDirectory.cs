using System.Collections;
using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Configuration;
using SignalHarvester.Backup.Configuration.Settings;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Finds the backup directory and the configuration of an unfinished command line, for completers.</summary>
internal static class CompletedDirectory
{
    /// <summary>Tab must not wait, and must not read a pipe that is meant for the command.</summary>
    private static readonly CancellationToken FilesAlone = new(canceled: true);

    /// <summary>Returns its full path; that of the configuration, or else the default, if the line names none.</summary>
    public static string Path(IDictionary boundParameters) =>
        FullPath(Given(boundParameters, "BackupDirectory")
        ?? (Configured(boundParameters) ?? new BackupSettings()).BackupDirectory);

    /// <summary>Lists the backups in it, newest first.</summary>
    public static IReadOnlyList<BackupMetadata> Backups(IDictionary boundParameters)
    {
        try
        {
            return new BackupDirectory(Path(boundParameters), TimeProvider.System).List().Backups;
        }
        catch (BackupException)
        {
            // An unreadable directory offers nothing; the cmdlet itself will report why.
            return [];
        }
    }

    /// <summary>Returns the effective settings with their sources.</summary>
    public static IReadOnlyList<ConfigurationSetting> Settings(IDictionary boundParameters) =>
        Read(boundParameters, BackupConfiguration.FindAll)?.Effective ?? [];

    /// <summary>Returns the stores of the configuration.</summary>
    public static IReadOnlyList<ObjectStoreSettings> Stores(IDictionary boundParameters) =>
        Configured(boundParameters)?.Stores ?? [];

    private static BackupSettings? Configured(IDictionary boundParameters) =>
        boundParameters.Contains("NoConfiguration") ? null : Read(boundParameters, BackupConfiguration.Find)?.Settings;

    private static BackupConfiguration? Read(IDictionary boundParameters, Func<string?, string, CancellationToken, BackupConfiguration> find)
    {
        try
        {
            return find(Given(boundParameters, "ConfigurationPath") is { } path ? FullPath(path) : null, FullPath("."), FilesAlone);
        }
        catch (Exception exception) when (exception is BackupException or OperationCanceledException)
        {
            // Tab cannot show an error; the cmdlet itself will report what is wrong with the configuration.
            return null;
        }
    }

    private static string? Given(IDictionary boundParameters, string name) => boundParameters[name] as string is { Length: > 0 } given ? given : null;

    /// <summary>Makes a path of the session full.</summary>
    public static string FullPath(string path)
    {
        if (System.IO.Path.IsPathFullyQualified(path))
        {
            return path;
        }

        using var shell = System.Management.Automation.PowerShell.Create(RunspaceMode.CurrentRunspace);
        return shell
            .AddScript("$ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($args[0])", useLocalScope: true)
            .AddArgument(path)
            .Invoke<string>()
            .First();
    }
}
