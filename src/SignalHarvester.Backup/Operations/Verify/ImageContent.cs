using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;

namespace SignalHarvester.Backup.Operations.Verify;

/// <summary>The content of an image as SQL shows it, to compare images.</summary>
/// <param name="SchemaChecksum">The schema's digest; null if unknown.</param>
/// <param name="RowCounts">The number of rows of each table; null if unknown.</param>
internal sealed record ImageContent(string? SchemaChecksum, IReadOnlyDictionary<string, long>? RowCounts)
{
    /// <summary>Reads the content of an open database.</summary>
    public static ImageContent Read(SqliteConnection connection) =>
        new(SchemaDigest.Compute(connection), SchemaDigest.CountRows(connection));
}
