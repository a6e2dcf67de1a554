using System.Text.RegularExpressions;
using CsCheck;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Sqlite;

/// <summary>
/// Our check beside SQLite's own, over databases in which a byte has changed: what SQLite finds wrong is damage to us, unless
/// it is a value that a schema may have come to forbid.
/// </summary>
public sealed partial class IntegrityPropertyTests : IDisposable
{
    // All kinds of entries that ours judges by themselves, and none that an application may compute in its own way.
    private const string Schema = """
        PRAGMA page_size = 512;
        CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT NOT NULL, state TEXT, doc TEXT, n INT, half AS (n / 2));
        CREATE INDEX t_name ON t(name);
        CREATE INDEX t_folded ON t(name COLLATE NOCASE DESC, n);
        CREATE INDEX t_open ON t(name) WHERE state = 'on hold (customer)';
        CREATE INDEX t_doc ON t(json_extract(doc, '$.n'));
        CREATE INDEX t_length ON t(length(name) /* lower(name) */, n);
        CREATE INDEX t_half ON t(half);
        CREATE TABLE strict(a INT NOT NULL, b TEXT) STRICT;
        CREATE UNIQUE INDEX strict_b ON strict(b);
        CREATE TABLE keyed(a TEXT, b TEXT, c, PRIMARY KEY(a, b)) WITHOUT ROWID;
        CREATE INDEX keyed_c ON keyed(c);
        CREATE VIRTUAL TABLE words USING fts5(body);
        WITH i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i LIMIT 60)
        INSERT INTO t(name, state, doc, n) SELECT printf('Customer %04d', n * 7919 % 1000), iif(n % 3, 'on hold (customer)', 'open'), printf('{"n":%d,"text":"abc"}', n), n FROM i;
        INSERT INTO strict SELECT n, name FROM t;
        INSERT INTO keyed SELECT name, state, n FROM t;
        INSERT INTO words SELECT name || ' ' || state FROM t;
        """;

    private readonly TempFolder files = new();

    public void Dispose() => files.Dispose();

    [Fact]
    public void What_SQLite_finds_wrong_after_a_byte_has_changed_is_damage()
    {
        var path = files["app.db"];
        using (var connection = Databases.Open(path))
        {
            Databases.Execute(connection, Schema);
        }

        var sound = File.ReadAllBytes(path);
        Assert.Equal(["ok"], FoundBySqlite(path));
        Assert.Empty(Check(path).Damage);
        Gen.Select(Gen.Int[100, sound.Length - 1], Gen.Byte[1, 255]).Sample(
            (place, difference) =>
            {
                byte[] damaged = [.. sound];
                damaged[place] ^= difference;
                var copy = files[$"{Guid.NewGuid():N}.db"];
                File.WriteAllBytes(copy, damaged);
                if (SchemaOf(copy) is { } schema && schema != SchemaOf(path))
                {
                    // Another schema, which may be any application's.
                    return;
                }

                var findings = FoundBySqlite(copy);
                var report = Check(copy);
                Assert.True(
                    report.Damage.Count > 0 || findings.All(finding => finding == "ok" || ForbiddenValue().IsMatch(finding)),
                    $"{place} ^ {difference}: SQLite finds {string.Join("; ", findings)}; we say {report.Summary}");
                if (findings is ["ok"])
                {
                    // SQLite does not count the entries of partial indexes.
                    Assert.Empty(report.Inconsistencies);
                    Assert.All(report.Damage, damage => Assert.Contains("index t_open has ", damage, StringComparison.Ordinal));
                }
                File.Delete(copy);
            },
            iter: Iterations.Of(1_500));
    }

    private static string? SchemaOf(string path)
    {
        using var connection = Databases.Open(path);
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT group_concat(name || ' ' || rootpage || ' ' || coalesce(hex(sql), '')) FROM sqlite_schema";
        try
        {
            return command.ExecuteScalar() as string;
        }
        catch (SqliteException)
        {
            return null;
        }
    }

    private static IntegrityReport Check(string path)
    {
        using var connection = Databases.Open(path);
        StandInCollations.Provide(connection);
        return IntegrityCheck.Run(connection, new IntegrityOptions(CancellationToken.None));
    }

    private static List<string> FoundBySqlite(string path)
    {
        using var connection = Databases.Open(path);
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA integrity_check";
        try
        {
            using var reader = command.ExecuteReader();
            var findings = new List<string>();
            while (reader.Read())
            {
                findings.Add(reader.GetString(0));
            }

            return findings;
        }
        catch (SqliteException exception)
        {
            return [exception.Message];
        }
    }

    [GeneratedRegex(@"\A(NULL|NUMERIC|TEXT) value in ")]
    private static partial Regex ForbiddenValue();
}
