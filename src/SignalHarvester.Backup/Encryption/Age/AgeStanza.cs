namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>One way to the key of an age file, which the holder of the right secret can unwrap.</summary>
/// <param name="Type">The kind: <c>X25519</c>, <c>scrypt</c>, or an unknown one.</param>
/// <param name="Arguments">The arguments after the kind.</param>
/// <param name="Body">The wrapped key.</param>
internal sealed record AgeStanza(string Type, IReadOnlyList<string> Arguments, byte[] Body);
