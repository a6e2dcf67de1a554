using System.Management.Automation;
using SignalHarvester.Backup.Configuration;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.PowerShell.Binding;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Gives a store a name in the configuration, after trying it.</summary>
/// <remarks>
/// <para>A store is a place for copies of backups: a bucket, a container, or a folder on another disk or a share. With its
/// name, New-SHBackup -To, Get-SHBackup -From and so on need nothing else.</para>
/// <para>It first tries what backups need there: it writes a small object under the prefix, reads it, lists and deletes it,
/// and says what this account may not do. If it cannot write, read or list, nothing is added, unless -Force is given.
/// Credentials are never parameters, and never in the configuration: they come from the platform's own chain
/// (environment, profile, instance identity).</para>
/// <para>The entry is inserted into the configuration file. Its other lines, with their comments, stay as they are; a
/// missing file is made. Remove an entry by deleting its lines.</para>
/// </remarks>
/// <example>
/// <para>Name a folder on another disk, and back up to it</para>
/// <code>New-SHBackupStore nas ./nas -CreateContainer; New-SHBackup ./app.db -To nas</code>
/// <para>The backup is in ./backups, and its copy in ./nas.</para>
/// </example>
/// <example>
/// <para>Preview a bucket to which every new backup would be sent</para>
/// <code>New-SHBackupStore offsite s3://my-bucket/web1/ -Region eu-west-1 -UploadAfterBackup -WhatIf</code>
/// <para>Without -WhatIf the bucket is tried, and from then on every backup of this configuration is sent there, also by schedules.</para>
/// </example>
/// <seealso>Get-SHBackupStore</seealso>
/// <seealso>Test-SHBackupStore</seealso>
/// <seealso>Send-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommon.New, "SHBackupStore", SupportsShouldProcess = true, HelpUri = HelpPages.Folder + "New-SHBackupStore.md")]
[OutputType(typeof(BackupStore))]
public sealed class NewSHBackupStoreCommand : StoreCommand, IDynamicParameters
{
    private readonly UploadParameters storeParameters = new();
    private readonly ParameterGroups parameters = new();

    /// <summary>Makes the cmdlet.</summary>
    public NewSHBackupStoreCommand() => parameters.Add(storeParameters, isHidden: false);

    /// <summary>The name: letters, digits, '-', '_' and '.', at most 64 characters. Case is ignored where it is used.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Name { get; set; } = string.Empty;

    /// <summary>
    /// The place as one text: s3://bucket/prefix/, gs://bucket/prefix/, azure://account/container/prefix/, or a folder's path, which has
    /// a separator or begins with a dot. Without it, -Provider and -Container name the place.
    /// </summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string? Address { get; set; }

    /// <summary>Sends each new backup there, without -To. Without it, only the backups that a command or a schedule sends there.</summary>
    [Parameter]
    public SwitchParameter UploadAfterBackup { get; set; }

    /// <summary>Adds the store although the trial failed.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>The parameters of the object store.</summary>
    public object? GetDynamicParameters() => parameters.Declared;

    /// <inheritdoc/>
    protected override void BeginProcessing() => parameters.TakeValues();

    /// <inheritdoc/>
    protected override void ProcessRecord() => this.ReportErrors(() =>
    {
        if (!StoreNames.IsName(Name))
        {
            // It is not repeated, because an address in its place may hold a secret.
            throw BackupException.InvalidArgument(nameof(Name), $"This cannot be the name of a store. Give {StoreNames.Form}, and the address after it.");
        }

        var store = Store();
        var file = ConfigurationPath is null ? null : this.FileSystemPath(ConfigurationPath);
        if (file is not null)
        {
            // Before it is read: a pipe would wait for somebody to write.
            StoreEntry.RequireReplaceable(file, store);
        }

        var configuration = file is null || SettingsFile.IsThere(file) ? FindConfiguration() : BackupConfiguration.None;
        file ??= configuration.Path ?? this.FileSystemPath(System.IO.Path.Combine("config", "settings.yaml"));
        StoreEntry.RequireReplaceable(file, store);
        var former = SettingsFile.Load(file);
        var text = StoreEntry.Insert(former, file, store);
        if (!ShouldProcess(store.Location.ToString(), $"Try the store, and write it as '{Name}' to {file}"))
        {
            return;
        }

        var limit = store.Options.BandwidthLimit ?? configuration.Settings.BandwidthLimit;
        var (checks, fault) = Try(store with { Options = store.Options with { BandwidthLimit = limit } });
        if (fault is not null && !Force)
        {
            throw new BackupException(
                fault.ErrorId, store.Location.ToString(),
                $"The store '{Name}' was not added, because it does not work: {fault.Message} To add it all the same, give -Force.", fault);
        }

        if (fault is not null)
        {
            WriteWarning($"The store '{Name}' is added, but does not work: {fault.Message}");
        }

        if (SettingsFile.Load(file) != former)
        {
            throw new BackupException(
                BackupErrorId.ConfigurationInvalid, file,
                $"The configuration '{file}' was changed by another program meanwhile, so the store '{Name}' was not added. Try again.");
        }

        ConfigurationSample.Write(file, text, overwrite: true);
        var added = Describe(store, file) with { Checks = checks };
        WarnOfDelete(added);
        WriteObject(added);
    });

    private ObjectStoreSettings Store()
    {
        var choice = new StoreChoice(
            storeParameters, Address is null ? [] : [Address], new BackupSettings(), this.FileSystemPath, this.IsBound);
        var location = choice.Named ?? throw BackupException.InvalidArgument(
            nameof(Address), "No place was given. Give an address such as s3://bucket/prefix/ or a folder's path, or -Provider and -Container.");
        if (location.Endpoint is { } endpoint && (endpoint.UserInfo.Length > 0 || endpoint.Query.Length > 0 || endpoint.Fragment.Length > 0))
        {
            throw BackupException.InvalidArgument(
                nameof(UploadParameters.Endpoint),
                "-Endpoint must be an address without a user name, a query or a fragment: credentials come from the platform's own chain.");
        }

        return new ObjectStoreSettings(location, choice.OptionsOf(location))
        {
            Name = Name,
            Enabled = true,
            UploadAfterBackup = UploadAfterBackup,
            CreateContainer = storeParameters.CreateContainer,
        };
    }
}
