using SignalHarvester.Backup.Catalog;

namespace SignalHarvester.Backup.Protection;

/// <summary>Where databases may appear that are to be protected, too.</summary>
/// <param name="Find">
/// Returns the full paths of the files that are there at this moment; which of them are databases is found out later. Called again and again, on any
/// thread. An <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> means that it is not known.
/// </param>
/// <param name="DirectoryOf">Returns the backup directory of a database. Called on any thread.</param>
public sealed record ProtectionSearch(Func<IReadOnlyList<string>> Find, Func<string, BackupDirectory> DirectoryOf);
