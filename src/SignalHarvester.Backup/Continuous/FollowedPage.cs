namespace SignalHarvester.Backup.Continuous;

/// <summary>A page that a transaction wrote.</summary>
/// <param name="Number">The page's number, from 1.</param>
/// <param name="Content">Its bytes.</param>
internal readonly record struct FollowedPage(uint Number, ReadOnlyMemory<byte> Content);
