namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>One way to the key of an age file: what somebody with the right secret needs to unwrap it.</summary>
/// <param name="Type">The kind: <c>X25519</c>, <c>scrypt</c>, or one that is not known here.</param>
/// <param name="Arguments">What stands behind the kind.</param>
/// <param name="Body">The wrapped key.</param>
internal sealed record AgeStanza(string Type, IReadOnlyList<string> Arguments, byte[] Body);
