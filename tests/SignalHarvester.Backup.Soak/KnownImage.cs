namespace SignalHarvester.Backup.Soak;

/// <summary>The database at a moment at which everything was said to be stored.</summary>
/// <param name="Transaction">The stream's transaction.</param>
/// <param name="Sha256">The SHA-256 of the database's image.</param>
/// <param name="Expected">The applications' own transactions in it.</param>
/// <param name="Time">The moment.</param>
internal sealed record KnownImage(long Transaction, string Sha256, TransactionRecordRange Expected, DateTimeOffset Time);
