using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;

namespace SignalHarvester.Backup.Operations.Verify;

/// <summary>What an image holds, seen from SQL, to hold one against another.</summary>
/// <param name="SchemaChecksum">The schema's digest; null if unknown.</param>
/// <param name="RowCounts">Rows of each table; null if they are not known.</param>
internal sealed record ImageContent(string? SchemaChecksum, IReadOnlyDictionary<string, long>? RowCounts)
{
    /// <summary>Reads the content of an open database.</summary>
    public static ImageContent Read(SqliteConnection connection) =>
        new(SchemaDigest.Compute(connection), SchemaDigest.CountRows(connection));
}
