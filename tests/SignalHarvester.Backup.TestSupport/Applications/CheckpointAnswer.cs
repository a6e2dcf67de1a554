namespace SignalHarvester.Backup.TestSupport.Applications;

/// <summary>The row of PRAGMA wal_checkpoint.</summary>
/// <param name="IsBusy">Whether it could not be completed.</param>
/// <param name="Frames">The frames of the log; -1 if the checkpoint was refused altogether.</param>
/// <param name="Done">Those of them that are in the database.</param>
/// <param name="Elapsed">How long it took.</param>
public sealed record CheckpointAnswer(bool IsBusy, int Frames, int Done, TimeSpan Elapsed);
