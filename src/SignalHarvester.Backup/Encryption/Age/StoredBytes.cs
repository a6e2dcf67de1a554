namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>Reads the next bytes of what is stored; fewer than the buffer takes where it likes, none at the end alone.</summary>
internal delegate int StoredBytes(Span<byte> buffer);
