namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>Somebody that a file can be encrypted to.</summary>
internal interface IAgeRecipient
{
    /// <summary>Wraps the key of a file, so that this recipient can unwrap it.</summary>
    AgeStanza Wrap(AgeFileKey key);
}
