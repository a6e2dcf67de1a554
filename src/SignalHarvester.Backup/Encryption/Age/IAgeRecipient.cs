namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>A recipient of encrypted files.</summary>
internal interface IAgeRecipient
{
    /// <summary>Wraps the key of a file, so that this recipient can unwrap it.</summary>
    AgeStanza Wrap(AgeFileKey key);
}
