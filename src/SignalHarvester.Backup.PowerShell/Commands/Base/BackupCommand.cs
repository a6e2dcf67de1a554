using System.Management.Automation;
using System.Security;
using System.Text.RegularExpressions;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Configuration;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Operations.Transfer;
using SignalHarvester.Backup.PowerShell.Binding;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.PowerShell.Keys;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>
/// The base of the cmdlets that work on backups: the backup directory, and the configuration with their defaults.
/// </summary>
public abstract class BackupCommand : PSCmdlet, IDynamicParameters, IDisposable
{
    private const string IdBeginning = "backup_";

    // The characters of ids, and wildcards.
    private static readonly Regex IdPatternText = new(
        @"\A([backup_0-9*?]|\[[backup_0-9-]+\])+\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture);

    private readonly StoreSession stores = new(TimeProvider.System);
    private readonly List<string> directories = [];
    private readonly ParameterGroups parameters = new();
    private BackupConfiguration? configuration;

    /// <summary>Makes the cmdlet.</summary>
    protected BackupCommand() => Runner = new OperationRunner(this);

    /// <summary>
    /// The directory of the backups. Without it, that of the configuration; else the folder
    /// <c>backups</c> in the current location.
    /// </summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public virtual string? BackupDirectory { get; set; }

    /// <summary>
    /// The configuration file with the defaults. Without it, the file that the environment variable SHBACKUP_CONFIG names;
    /// else <c>config/settings.yaml</c> in the current location, if it exists. Parameters always win.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(ConfigurationFileCompleter))]
    [ValidateNotNullOrEmpty]
    public string? ConfigurationPath { get; set; }

    private protected OperationRunner Runner { get; }

    /// <summary>The parameters that the cmdlet shares with others.</summary>
    /// <returns>They; null if there are none.</returns>
    public object? GetDynamicParameters() => parameters.Declared;

    /// <summary>Adds parameters that the cmdlet shares with others; in its constructor.</summary>
    /// <param name="group">The object that gets their values.</param>
    /// <param name="isHidden">Whether completion leaves them out.</param>
    private protected void AddParameters(object group, bool isHidden = false) => parameters.Add(group, isHidden);

    /// <summary>Adds -From, and the single parameters of a store, which completion leaves out; in the constructor.</summary>
    private protected void AddSource(StoreParameters place)
    {
        AddParameters(new SourceParameters());
        AddParameters(place, isHidden: true);
    }

    /// <summary>Releases the cmdlet's resources.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases the cmdlet's resources.</summary>
    /// <param name="disposing">Whether this is a call of Dispose.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            stores.Dispose();
            Runner.Dispose();
        }
    }

    /// <summary>Ctrl+C: tells the operation to stop; ProcessRecord then waits for its clean-up.</summary>
    protected override void StopProcessing() => Runner.Stop();

    /// <summary>
    /// Reads the configuration, once for the whole call. An error in it ends the call, whatever parameters were given, because its
    /// intended settings may matter. -NoConfiguration is the way to restore all the same.
    /// </summary>
    protected override void BeginProcessing()
    {
        parameters.TakeValues();
        IsIdGiven = this.IsGivenAsText("Id");
        configuration = this.StopOnError(() => Runner.Stoppable(FindConfiguration));
        _ = this.StopOnError(configuration.Require);
        Runner.IsThorough = Settings.Verification.Thorough;
        if (configuration.ServiceVariables is [_, ..] left)
        {
            WriteVerbose($"Ignoring these environment variables, which Kubernetes or Docker set for a service: {string.Join(", ", left)}.");
        }

        foreach (var warning in configuration.Problems)
        {
            WriteWarning(warning.ToString());
        }

        // They would have no effect.
        if (MissingStoreSwitch is { } needed && NamedStores.Count == 0
            && parameters.Groups.OfType<StoreParameters>().Any(store => store is not { Provider: null, Container: null }))
        {
            ThrowTerminatingError(BackupException.InvalidArgument(
                nameof(StoreParameters.Provider), $"-Provider and -Container need {needed}. Give that as well, or omit them.").ToRecord());
        }
    }

    /// <summary>The missing switch that the parameters of an object store need; null if they have an effect.</summary>
    private protected virtual string? MissingStoreSwitch => null;

    /// <summary>Refuses to look for transactions on this machine.</summary>
    /// <param name="parameter">The parameter that asks for them.</param>
    /// <exception cref="BackupException">InvalidArgument: the other parameters mean no store.</exception>
    private protected void RequireStreamStore(string parameter)
    {
        if (MissingStoreSwitch is not null)
        {
            throw BackupException.InvalidArgument(
                parameter, "Transactions are in the stream of a store. Give the store with -From, or -Remote for the only one that is configured.");
        }
    }

    private BackupConfiguration FindConfiguration(CancellationToken cancellation)
    {
        if (this is not IConfigurationOptional { NoConfiguration.IsPresent: true })
        {
            return BackupConfiguration.Find(ConfigurationPath is null ? null : this.FileSystemPath(ConfigurationPath), this.FileSystemLocation, cancellation);
        }

        return ConfigurationPath is null ? BackupConfiguration.None : throw BackupException.InvalidArgument(
            nameof(ConfigurationPath), "-ConfigurationPath and -NoConfiguration cannot be combined. Give one of them.");
    }

    /// <summary>Whether -Id was given on the command line.</summary>
    private bool IsIdGiven { get; set; }

    /// <summary>The configured settings; the cmdlets' own defaults if there are none.</summary>
    private protected BackupSettings Settings => configuration!.Settings;

    /// <summary>The effective configuration file; null if there is none.</summary>
    private protected string? ConfigurationFile => configuration!.Path;

    /// <summary>Allows the operations of this call to open encrypted backups: with the given keys, else with the configured ones.</summary>
    private protected void UseIdentities(IdentityParameters keys, SecureString? passphrase) =>
        Runner.Identities = this.StopOnError(() => Runner.Stoppable(cancellation =>
    {
        var files = keys.IdentityFile;
        if (files is null && passphrase is null)
        {
            return Settings.Encryption.ToIdentities(WriteWarning, cancellation);
        }

        var ring = (files ?? []).Aggregate(IdentityRing.Empty, (ring, file) => ring.WithFile(this.FileSystemPath(file), cancellation));
        return passphrase is null ? ring : PlainText.Of(passphrase, ring.WithPassphrase);
    }));

    /// <summary>Returns the encryption of new backups: the given one, else the configured one; null for plain backups.</summary>
    private protected BackupEncryption? NewEncryption(string[]? recipients, SecureString? passphrase, string passphraseParameter)
    {
        if (recipients is not null && passphrase is not null)
        {
            throw BackupException.InvalidArgument(
                passphraseParameter,
                $"-Recipient and -{passphraseParameter} cannot be combined, because the age format allows no other key beside a passphrase. Give one of them.");
        }

        return recipients is not null ? BackupEncryption.To(recipients)
            : passphrase is not null ? PlainText.Of(passphrase, BackupEncryption.With)
            : Settings.Encryption.ToEncryption();
    }

    /// <summary>Returns the given value, else the configured one.</summary>
    private protected T GivenOr<T>(string parameter, T given, T configured) => this.IsBound(parameter) ? given : configured;

    private protected BackupDirectory OpenDirectory() => OpenDirectory(BackupDirectory);

    private protected BackupDirectory OpenDirectory(string? path) => string.IsNullOrEmpty(path)
        ? OpenConfigured(Settings.BackupDirectory)
        : new(path.Contains("://", StringComparison.Ordinal) ? throw NotADirectory(path) : this.FileSystemPath(path), TimeProvider.System);

    /// <summary>
    /// Opens the directories of a call that names no backup: the given one, else all configured ones that exist. If none exists, the
    /// common one.
    /// </summary>
    private protected IReadOnlyList<BackupDirectory> OpenDirectories() =>
        string.IsNullOrEmpty(BackupDirectory)
            && Settings.BackupDirectories.Select(OpenConfigured).Where(directory => directory.Exists).ToList() is [_, ..] there
            ? there
            : [OpenDirectory()];

    /// <summary>
    /// The directories of the inputs so far, each once, for the cmdlets that work at the end of the pipeline. Without a pipeline there
    /// is one input. If nothing from the pipeline could be bound, there is none, and no directory.
    /// </summary>
    private protected IReadOnlyList<string> NotedDirectories => directories;

    private protected void NoteDirectories() => directories.AddRange(this.StopOnError(OpenDirectories).Select(directory => directory.Path).Except(directories));

    /// <summary>Notes the only directory on which a cmdlet can work; another one after it ends the call.</summary>
    private protected void NoteOneDirectory()
    {
        var path = this.StopOnError(OpenDirectory).Path;
        if (directories.Count > 0 && directories[0] != path)
        {
            ThrowTerminatingError(BackupException.InvalidArgument(
                path, $"The pipeline names several backup directories, '{directories[0]}' and '{path}', but this cmdlet works on one. Run it once for each.")
                .ToRecord());
        }

        directories.Clear();
        directories.Add(path);
    }

    /// <summary>Opens a configured full path literally: no character of it has a meaning for PowerShell.</summary>
    private protected BackupDirectory OpenConfigured(string path) =>
        new(Path.IsPathFullyQualified(path) ? path : this.FileSystemPath(path), TimeProvider.System);

    /// <summary>Returns the error for the address of an object store in place of a directory of this machine.</summary>
    private static BackupException NotADirectory(string address) => BackupException.InvalidArgument(
        address,
        $"'{address}' is a place in an object store, but this needs a directory on this machine. Give one; fetch the backups with Receive-SHBackup first.");

    /// <summary>
    /// Opens the backup directory on this machine: the given one, else the backup's own, else the configured one. A backup from an
    /// object store states the store as its directory, which arrives as -BackupDirectory from the pipeline and does not count here.
    /// </summary>
    private protected BackupDirectory OpenHome(BackupMetadata backup) =>
        !string.IsNullOrEmpty(BackupDirectory) && (backup.Location is null || BackupDirectory != backup.BackupDirectory) ? OpenDirectory()
        : OpenConfigured(
            backup.Location is null && backup.BackupDirectory.Length > 0 ? backup.BackupDirectory : Settings.BackupDirectoryOf(backup.DatabasePath));

    /// <summary>Opens the object store of the parameters, the backup or the configuration, in this order.</summary>
    private protected StoreCatalog OpenStore(StoreParameters parameters, BackupMetadata? backup = null) =>
        OpenStore(parameters, Stores(parameters).Choose(backup));

    private protected StoreCatalog OpenStore(StoreParameters parameters, StoreLocation location) =>
        stores.Open(location, Stores(parameters).OptionsOf(location));

    /// <summary>The object stores of the parameters and the configuration.</summary>
    private protected StoreChoice Stores(StoreParameters parameters) => new(parameters, NamedStores, Settings, this.FileSystemPath, this.IsBound);

    /// <summary>The texts of -From or -To; none if neither was given.</summary>
    private protected IReadOnlyList<string> NamedStores
    {
        get
        {
            var from = parameters.Groups.OfType<SourceParameters>().Select(source => source.From).OfType<string>();
            return [.. from, .. parameters.Groups.OfType<TargetParameters>().SelectMany(target => target.To ?? [])];
        }
    }

    /// <summary>Sends one backup to a store, which is prepared before the first.</summary>
    private protected BackupTransferResult Send(BackupMetadata backup, BackupDirectory directory, StoreCatalog store, UploadParameters parameters)
    {
        var creates = Stores(parameters).CreatesContainer(store.Location);
        return Runner.Run(context => BackupEngine.Send(backup, directory, store, () => stores.Prepare(store, creates, context), context));
    }

    /// <summary>Lists all backups in a directory; an unusable sidecar is written as an error.</summary>
    private protected IReadOnlyList<BackupMetadata> List(BackupDirectory directory, bool withRetired = false)
    {
        var listing = withRetired ? directory.ListAll() : directory.List();
        foreach (var fault in listing.Faults)
        {
            WriteError(fault.ToRecord());
        }

        return listing.Backups;
    }

    /// <summary>Lists all backups in several directories, newest first.</summary>
    private protected IReadOnlyList<BackupMetadata> List(IReadOnlyList<BackupDirectory> directories, bool withRetired = false) => directories is [var only]
        ? List(only, withRetired)
        : [.. directories.SelectMany(directory => List(directory, withRetired)).NewestFirst()];

    /// <summary>Lists all backups in an object store; an unusable sidecar is written as an error.</summary>
    private protected IReadOnlyList<BackupMetadata> List(StoreCatalog store)
    {
        var listing = Runner.Run(context => store.List(context.Cancellation));
        foreach (var fault in listing.Faults)
        {
            WriteError(fault.ToRecord());
        }

        return listing.Backups;
    }

    /// <summary>Makes the filter of a -Database.</summary>
    private protected DatabaseFilter Databases(params string[]? named) => new(named, this.FileSystemPath);

    /// <summary>Returns an id in its stored case. All its letters are in the first word, and wildcards ignore case too.</summary>
    private protected static string CanonicalId(string id) =>
        id.StartsWith(IdBeginning, StringComparison.OrdinalIgnoreCase) ? IdBeginning + id[IdBeginning.Length..] : id;

    /// <summary>Returns the pattern of a text with wildcards; null for a text without, which can only be an id.</summary>
    /// <exception cref="BackupException">InvalidArgument: it cannot be a pattern of ids, or it came through the pipeline.</exception>
    private protected WildcardPattern? IdPattern(string id)
    {
        if (!WildcardPattern.ContainsWildcardCharacters(id))
        {
            return null;
        }

        if (!IsIdGiven)
        {
            throw NoPattern(
                id, "The pipeline accepts only complete ids, so that a file cannot select more than it names. Give patterns with -Id, on the command line.");
        }

        const string advice = "Give an id such as backup_20261122_020000_123456, or a pattern such as backup_20261122*.";
        if (!IdPatternText.IsMatch(id))
        {
            throw NoPattern(id, advice);
        }

        try
        {
            var pattern = WildcardPattern.Get(id, WildcardOptions.IgnoreCase);
            _ = pattern.IsMatch(IdBeginning);
            return pattern;
        }
        catch (WildcardPatternException)
        {
            throw NoPattern(id, advice);
        }
    }

    private static BackupException NoPattern(string id, string advice) =>
        BackupException.InvalidArgument(id, $"'{id}' is not a backup id or a pattern of one. {advice}");
}
