namespace SignalHarvester.Backup.Chains;

/// <summary>The content of a link of a chain is damaged.</summary>
/// <param name="link">The link.</param>
/// <param name="cause">Its defect.</param>
internal sealed class ChainDamagedException(BackupMetadata link, InvalidDataException cause) : Exception(cause.Message, cause)
{
    /// <summary>The link.</summary>
    public BackupMetadata Link { get; } = link;
}
