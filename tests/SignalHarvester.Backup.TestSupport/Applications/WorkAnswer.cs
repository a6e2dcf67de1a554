namespace SignalHarvester.Backup.TestSupport.Applications;

/// <summary>What became of transactions.</summary>
/// <param name="Committed">The committed ones.</param>
/// <param name="RolledBack">Those that the application rolled back.</param>
/// <param name="Refused">Those that SQLite refused, because of somebody's lock.</param>
/// <param name="Last">The number of the last committed one; 0 if there is none.</param>
public sealed record WorkAnswer(int Committed, int RolledBack, int Refused, long Last);
