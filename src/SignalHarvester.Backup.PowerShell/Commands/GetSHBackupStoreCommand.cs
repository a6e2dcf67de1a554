using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Completion;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Lists the stores of the configuration.</summary>
/// <remarks>
/// <para>A store is a place for copies of backups: a bucket, a container, or a folder on another disk or a share. Its name is
/// what -To and -From take. This only reads the configuration; Test-SHBackupStore tries the stores.</para>
/// </remarks>
/// <example>
/// <para>List the stores</para>
/// <code>New-SHBackupStore nas ./nas -CreateContainer | Out-Null; Get-SHBackupStore</code>
/// <para>Shows the names with their addresses.</para>
/// </example>
/// <example>
/// <para>Send the newest backup to every store with a certain name</para>
/// <code>
/// New-SHBackupStore nas ./nas -CreateContainer | Out-Null;
/// Get-SHBackup -Newest 1 | Send-SHBackup -To (Get-SHBackupStore n*).Name
/// </code>
/// <para>-To takes several names, and sends the backup to each store.</para>
/// </example>
/// <seealso>New-SHBackupStore</seealso>
/// <seealso>Test-SHBackupStore</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommon.Get, "SHBackupStore", HelpUri = HelpPages.Folder + "Get-SHBackupStore.md")]
[OutputType(typeof(BackupStore))]
public sealed class GetSHBackupStoreCommand : StoreCommand
{
    /// <summary>The names. Wildcards match several.</summary>
    [Parameter(Position = 0)]
    [ArgumentCompleter(typeof(StoreNameCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void ProcessRecord() => this.ReportErrors(() =>
    {
        var configuration = FindConfiguration();
        foreach (var name in Name)
        {
            this.ReportErrors(() =>
                WriteObject(Named(configuration.Settings, name).Select(store => Describe(store, configuration.Path)), enumerateCollection: true));
        }
    });
}
