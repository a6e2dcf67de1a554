namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>Reads the next stored bytes. It may return fewer than the buffer holds; it returns none only at the end.</summary>
internal delegate int StoredBytes(Span<byte> buffer);
