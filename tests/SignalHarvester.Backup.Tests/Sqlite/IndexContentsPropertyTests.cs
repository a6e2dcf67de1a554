using CsCheck;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Sqlite;

/// <summary>
/// The fast check beside SQLite's integrity_check, over random schemas: what integrity_check finds wrong, the fast check leaves to it; a
/// sound database passes the fast check.
/// </summary>
public sealed class IndexContentsPropertyTests : IDisposable
{
    private readonly TempFolder files = new();

    public void Dispose() => files.Dispose();

    [Fact]
    public void A_sound_database_passes_and_what_integrity_check_finds_wrong_does_not() =>
        Gen.Int.Sample(
            seed =>
            {
                var folder = Directory.CreateDirectory(files[$"{Guid.NewGuid():N}"]).FullName;
                var (path, copy) = (Path.Combine(folder, "app.db"), Path.Combine(folder, "damaged.db"));
                var database = new RandomDatabase(seed);
                database.Create(path);
                var sound = Check(path, database.Random);
                Assert.True(
                    FoundBySqlite(path) is not ["ok"] || IsFast(sound), $"{seed}: a sound database is left to SQLite: {sound.Summary}: {SchemaOf(path)}");
                for (var time = 0; time < 4; time++)
                {
                    File.Copy(path, copy, overwrite: true);
                    var damage = RandomDamage.Do(copy, database.Random);
                    var report = Check(copy, database.Random);
                    var findings = FoundBySqlite(copy);
                    Assert.True(
                        findings is ["ok"] || !IsFast(report),
                        $"{seed}: {damage}: SQLite finds {string.Join("; ", findings)}; we say {report.Summary}: {SchemaOf(path)}");
                }

                Directory.Delete(folder, recursive: true);
            },
            iter: Iterations.Of(700));

    private static bool IsFast(IntegrityReport report) => report.Check.StartsWith("quick_check", StringComparison.Ordinal);

    private static IntegrityReport Check(string path, Random random)
    {
        using var connection = SqliteConnections.OpenImmutable(path, CancellationToken.None);
        return IntegrityCheck.Run(connection, new IntegrityOptions(CancellationToken.None)
        {
            OpenAnother = random.Next(2) == 0 ? null : token => SqliteConnections.OpenImmutable(path, token),
        });
    }

    private static List<string> FoundBySqlite(string path)
    {
        using var connection = SqliteConnections.OpenImmutable(path, CancellationToken.None);
        try
        {
            return SqliteConnections.Strings(connection, "PRAGMA integrity_check");
        }
        catch (SqliteException exception)
        {
            return [exception.Message];
        }
    }

    private static string SchemaOf(string path)
    {
        using var connection = Databases.Open(path);
        return Databases.Scalar(connection, "PRAGMA encoding") + " "
            + Databases.Scalar(connection, "SELECT group_concat(coalesce(sql, name), ';') FROM sqlite_schema");
    }
}
