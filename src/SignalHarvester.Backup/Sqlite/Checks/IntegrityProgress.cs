namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>The progress of a check.</summary>
/// <param name="Part">The part that is being checked, such as "index 2 of 5".</param>
/// <param name="DoneBytes">The bytes of the pages read so far.</param>
/// <param name="TotalBytes">About how many bytes will be read in all; 0 if that cannot be predicted.</param>
internal readonly record struct IntegrityProgress(string Part, long DoneBytes, long TotalBytes);
