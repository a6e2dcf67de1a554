namespace SignalHarvester.Backup.Catalog;

/// <summary>What somebody wants to know of a backup in a store, and what tells whether its file is there.</summary>
/// <param name="FileName">The name of its file.</param>
/// <param name="Size">Bytes in it.</param>
/// <param name="Value">What is wanted.</param>
internal sealed record StoreSummary<T>(string FileName, long Size, T Value);
