namespace SignalHarvester.Backup.ObjectStorage;

/// <summary>The errors of object stores: one sentence for each cause, whatever the provider. No message contains a credential.</summary>
internal sealed class StoreFault(StoreLocation location)
{
    /// <summary>No credentials could be found.</summary>
    public BackupException CredentialsMissing(string howTo, Exception? inner) => Make(
        BackupErrorId.CloudCredentialsMissing, null, $"No credentials for '{location}' were found. {howTo}", inner);

    /// <summary>The credentials were refused, or do not allow this.</summary>
    public BackupException AccessDenied(string action, string detail, Exception? inner) => Make(
        BackupErrorId.CloudAccessDenied, null,
        $"'{location}' denies access: {action} was refused ({detail}). It is unknown which backups are there. Check the credentials and their permissions; docs/CLOUD.md lists the needed ones.",
        inner);

    /// <summary>The bucket or container does not exist.</summary>
    public BackupException ContainerNotFound(Exception? inner) => Make(
        BackupErrorId.CloudContainerNotFound, null,
        $"'{location}': there is no {Noun} '{location.Container}'. Check its name{(location.Provider == CloudProvider.S3 ? ", region and endpoint" : string.Empty)}, or create it with -CreateContainer.",
        inner);

    /// <summary>The object does not exist.</summary>
    public BackupException ObjectNotFound(string name, Exception? inner) => Make(
        BackupErrorId.CloudObjectNotFound, name, $"There is no object '{name}' in '{location}'. List the backups there with Get-SHBackup -Remote.", inner);

    /// <summary>A condition was not met: another object has the name.</summary>
    public BackupException ObjectExists(string name, Exception? inner) => Make(
        BackupErrorId.CloudObjectExists, name,
        $"'{location}' already has another object '{name}', which was not overwritten. If two machines send to one place, give each a -Prefix of its own.",
        inner);

    /// <summary>The version that was being read no longer exists.</summary>
    public BackupException ObjectChanged(string name, Exception? inner) => Make(
        BackupErrorId.CloudObjectChanged, name,
        $"The object '{name}' in '{location}' was changed or removed while it was read. None of it was used. List the place again with Get-SHBackup -Remote.",
        inner);

    /// <summary>The service has other bytes than those that were sent or recorded.</summary>
    public BackupException ChecksumMismatch(string name, string detail, Exception? inner = null) => Make(
        BackupErrorId.CloudChecksumMismatch, name,
        $"The object '{name}' in '{location}' is damaged or was exchanged: {detail}. Restore another backup, or send this one again from a good copy.", inner);

    /// <summary>The service forgot an upload.</summary>
    public BackupException UploadLost(string name, Exception? inner) => Make(
        BackupErrorId.CloudUploadLost, name,
        $"'{location}' no longer knows the upload of '{name}'. Run the command again: it sends the file from the beginning.", inner);

    /// <summary>The clocks disagree.</summary>
    public BackupException ClockSkew(string detail, Exception? inner) => Make(
        BackupErrorId.CloudClockSkew, null, $"'{location}' refuses requests because this machine's clock is wrong ({detail}). Set the clock, then try again.",
        inner);

    /// <summary>The bucket is in another region.</summary>
    public BackupException RegionWrong(string detail, Exception? inner) => Make(
        BackupErrorId.CloudRegionWrong, null, $"'{location}' is in another region ({detail}). Give the right one with -Region.", inner);

    /// <summary>The connection cannot be trusted.</summary>
    public BackupException TlsFailed(string detail, Exception? inner) => Make(
        BackupErrorId.CloudTlsFailed, null,
        $"The connection to '{location}' cannot be trusted: {detail}. Nothing was sent. Check the address, the machine's clock and its list of certificate authorities.",
        inner);

    /// <summary>The service does not accept the request.</summary>
    public BackupException Refused(string action, string detail, Exception? inner) => Make(
        BackupErrorId.CloudRefused, null, $"'{location}' refused {action}: {detail}. Change that option, or the settings of the {Noun}.", inner);

    /// <summary>The request still fails after all retries.</summary>
    public BackupException Unavailable(string action, string detail, Exception? inner) => Make(
        BackupErrorId.CloudUnavailable, null,
        $"'{location}' cannot be reached or does not work: {action} failed after all retries ({detail}). Nothing is lost; run the command again later: it does not send arrived parts again.",
        inner);

    /// <summary>
    /// Returns the name for a key of a listing. It refuses a key outside the prefix: if a service lists other keys than
    /// requested, they would be taken for ours.
    /// </summary>
    /// <exception cref="BackupException">CloudRefused.</exception>
    public string NameOf(string key) => key.StartsWith(location.Prefix, StringComparison.Ordinal)
        ? key[location.Prefix.Length..]
        : throw Refused("the listing", "it lists names that do not begin with the prefix. Give the beginning of the names there as -Prefix", null);

    private string Noun => location.Provider switch
    {
        CloudProvider.Azure => "container",
        CloudProvider.Directory => "folder",
        _ => "bucket",
    };

    private BackupException Make(string id, string? name, string message, Exception? inner) =>
        new(id, name ?? location.ToString(), message, inner);
}
