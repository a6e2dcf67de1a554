using System.Diagnostics;
using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace SignalHarvester.Backup.Bench.Children;

/// <summary>Imports a module into the PowerShell inside the host, and reports the time.</summary>
internal static class ModuleImporter
{
    /// <param name="manifest">The timed module.</param>
    /// <param name="before">A module to import first, untimed; null for none.</param>
    public static void Run(string manifest, string? before)
    {
        using var runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
        runspace.Open();
        if (before is not null)
        {
            Import(runspace, before);
        }

        var watch = Stopwatch.StartNew();
        Import(runspace, manifest);
        Machines.Command.Report("inside", watch.Elapsed.TotalSeconds);
    }

    private static void Import(Runspace runspace, string manifest)
    {
        using var shell = PowerShell.Create(runspace);
        shell.AddCommand("Import-Module").AddParameter("Name", manifest).AddParameter("ErrorAction", ActionPreference.Stop);
        shell.Invoke();
    }
}
