using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Configuration;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.PowerShell.Completion;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>The base of the cmdlets that work on the configuration's stores.</summary>
public abstract class StoreCommand : OperationCommand
{
    /// <summary>
    /// The configuration file. Without it, the file that the environment variable SHBACKUP_CONFIG names; else
    /// <c>config/settings.yaml</c> in the current location, if it exists.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(ConfigurationFileCompleter))]
    [ValidateNotNullOrEmpty]
    public string? ConfigurationPath { get; set; }

    private protected BackupConfiguration FindConfiguration()
    {
        var configuration = Runner.Stoppable(cancellation =>
            BackupConfiguration.Find(ConfigurationPath is null ? null : this.FileSystemPath(ConfigurationPath), this.FileSystemLocation, cancellation));
        _ = configuration.Require();
        return configuration;
    }

    /// <summary>Returns the stores whose names match.</summary>
    /// <exception cref="BackupException">InvalidArgument: there is no store of a name without wildcards.</exception>
    private protected static IEnumerable<ObjectStoreSettings> Named(BackupSettings settings, string name) =>
        settings.Stores.Where(store => CmdletParameters.Matches(name, store.Name)).ToList() is [_, ..] found ? found
            : WildcardPattern.ContainsWildcardCharacters(name) ? []
            : [StoreNames.Require(name, settings)];

    /// <summary>Tries a store.</summary>
    private protected (IReadOnlyList<StoreCheck> Checks, BackupException? Fault) Try(ObjectStoreSettings store) => Runner.Run(context =>
    {
        using var catalog = new StoreCatalog(store.Location, store.Options, TimeProvider.System);
        return BackupEngine.TryStore(catalog, store.CreateContainer, context);
    });

    /// <summary>Describes a store.</summary>
    private protected static BackupStore Describe(ObjectStoreSettings store, string? file) => new()
    {
        Name = store.Name,
        Location = store.Location,
        Enabled = store.Enabled,
        UploadAfterBackup = store.UploadAfterBackup,
        ConfigurationPath = file,
    };

    /// <summary>Warns of a store in which this account may not delete.</summary>
    private protected void WarnOfDelete(BackupStore store)
    {
        if (store.Checks.FirstOrDefault(check => check is { Action: StoreAction.Delete, Passed: false }) is { } check)
        {
            WriteWarning(
                $"Nothing can be deleted in the store '{store.Name}': {check.Detail} Copies are safe from this account, but Remove-SHBackup and Invoke-SHBackupRetention do not work there, and the small object of the trial, which begins with shbackup-trial-, stays.");
        }
    }
}
