using System.Management.Automation;
using SignalHarvester.Backup.Configuration;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.PowerShell.Binding;
using SignalHarvester.Backup.PowerShell.Completion;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Tries the stores of the configuration, or another place.</summary>
/// <remarks>
/// <para>Writes a small object under the store's prefix, reads it, lists and deletes it: what backups, restores and retention
/// need. The result says what works; a store in which nothing can be written, read or listed is also an error. A missing
/// bucket or folder is not created, unless the store's create_container is set.</para>
/// </remarks>
/// <example>
/// <para>Try all stores</para>
/// <code>New-SHBackupStore nas ./nas -CreateContainer | Out-Null; Test-SHBackupStore</code>
/// <para>The column Works says what this account may do there.</para>
/// </example>
/// <example>
/// <para>Ask in a script</para>
/// <code>New-SHBackupStore nas ./nas -CreateContainer | Out-Null; if (Test-SHBackupStore nas -Quiet) { 'the store works' }</code>
/// <para>With -Quiet only True or False is emitted for each store.</para>
/// </example>
/// <seealso>New-SHBackupStore</seealso>
/// <seealso>Get-SHBackupStore</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsDiagnostic.Test, "SHBackupStore", HelpUri = HelpPages.Folder + "Test-SHBackupStore.md")]
[OutputType(typeof(BackupStore), typeof(bool))]
public sealed class TestSHBackupStoreCommand : StoreCommand
{
    /// <summary>The names, of which wildcards match several; or an address, as s3://bucket/prefix/, or a folder, as ./offsite.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(StoreNameCompleter))]
    [SupportsWildcards]
    [NameOf(typeof(BackupStore))]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

    /// <summary>Emits True or False for each store instead of its result, and writes no error for one that does not work.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => this.ReportErrors(() =>
    {
        var configuration = FindConfiguration();
        var stores = Name.SelectMany(name => Wanted(configuration.Settings, name)).Distinct().ToList();
        if (stores.Count == 0 && configuration.Settings.Stores.Count == 0)
        {
            WriteWarning("No store is configured, so there is none to try. Give an address or a folder, such as s3://bucket/prefix/ or ./offsite.");
        }

        foreach (var store in stores)
        {
            this.ReportErrors(() =>
            {
                var (checks, fault) = Try(store);
                if (Quiet)
                {
                    WriteObject(fault is null);
                    return;
                }

                var tested = Describe(store, configuration.Path) with { Checks = checks };
                WarnOfDelete(tested);
                WriteObject(tested);
                if (fault is not null)
                {
                    throw fault;
                }
            });
        }
    });

    /// <summary>Returns the stores of a name, or the place of an address or a folder.</summary>
    private IEnumerable<ObjectStoreSettings> Wanted(BackupSettings settings, string name) =>
        StoreNames.IsName(name) || WildcardPattern.ContainsWildcardCharacters(name)
            ? Named(settings, name)
            : [StoreNames.Find(name, settings, this.FileSystemPath)];
}
