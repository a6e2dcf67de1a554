using System.Collections;
using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>The backup directory that the command line names so far, for completers.</summary>
internal static class CompletedDirectory
{
    /// <summary>Its full path; that of the default where the line names none.</summary>
    public static string Path(IDictionary boundParameters)
    {
        var given = boundParameters["BackupDirectory"] as string;
        using var shell = System.Management.Automation.PowerShell.Create(RunspaceMode.CurrentRunspace);
        return shell
            .AddScript("$ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($args[0])", useLocalScope: true)
            .AddArgument(string.IsNullOrEmpty(given) ? "backups" : given)
            .Invoke<string>()
            .First();
    }
}
