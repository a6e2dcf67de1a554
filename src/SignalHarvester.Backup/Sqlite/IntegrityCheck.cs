using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>Runs <c>PRAGMA integrity_check</c>, https://sqlite.org/pragma.html#pragma_integrity_check .</summary>
internal static class IntegrityCheck
{
    private const int MostFindings = 20;

    /// <summary>
    /// Checks a database. Where it uses collations or functions of its application, which are not known here, the entries
    /// of its indexes cannot be compared, and quick_check is run instead.
    /// </summary>
    /// <returns>The check that was made, and what is wrong; nothing for a sound database.</returns>
    /// <exception cref="OperationCanceledException">The connection's token was cancelled.</exception>
    public static (string Check, IReadOnlyList<string> Findings) Run(SqliteConnection connection)
    {
        try
        {
            var findings = Check(connection, "integrity_check");
            return findings.Count == 0 || !StandInCollations.WereNeeded(connection)
                ? ("integrity_check", findings)
                : ("quick_check", Check(connection, "quick_check"));
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == raw.SQLITE_ERROR)
        {
            return ("quick_check", Check(connection, "quick_check"));
        }
    }

    private static List<string> Check(SqliteConnection connection, string pragma)
    {
        var findings = new List<string>();
        try
        {
            using var command = connection.CreateCommand();
            command.CommandText = $"PRAGMA {pragma}({MostFindings})";
            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                var finding = reader.GetString(0);
                if (finding != "ok")
                {
                    findings.Add(finding);
                }
            }
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == raw.SQLITE_INTERRUPT)
        {
            throw new OperationCanceledException(exception.Message, exception);
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode != raw.SQLITE_ERROR || pragma == "quick_check")
        {
            findings.Add(exception.Message);
        }

        return findings;
    }
}
