using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Invoke-SHBackupQuery: questions in SQL to backups as they lie, which change nothing.</summary>
public sealed class QueryBackupTests : IDisposable
{
    private const string Endless = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";

    private readonly Workspace workspace = new();

    [Fact]
    public void Values_keep_their_types_and_columns_their_names()
    {
        Execute("CREATE TABLE t(id INTEGER PRIMARY KEY, \"a [b]*\" TEXT, r REAL, b BLOB, n)");
        Execute("INSERT INTO t VALUES (9007199254740993, 'Größe', 0.1, x'00ff', NULL)");
        workspace.MakeBackup();
        var row = Ask("SELECT * FROM t").Single();
        Assert.Equal(["id", "a [b]*", "r", "b", "n"], row.Properties.Select(property => property.Name));
        Assert.Equal(9007199254740993L, Assert.IsType<long>(row.Properties["id"].Value));
        Assert.Equal("Größe", Assert.IsType<string>(row.Properties["a [b]*"].Value));
        Assert.Equal(0.1, Assert.IsType<double>(row.Properties["r"].Value));
        Assert.Equal([0, 255], Assert.IsType<byte[]>(row.Properties["b"].Value));
        Assert.Null(row.Properties["n"].Value);
    }

    [Fact]
    public void Each_column_of_a_row_can_be_reached_by_its_name()
    {
        workspace.MakeBackup();
        var row = Ask("SELECT 1 n, 2 n, 3 N, 4 n2, 5 \"\", 6 BackupId", "-WithBackup").Single();
        Assert.Equal(
            ["n", "n3", "N4", "n2", "column5", "BackupId", "BackupId_", "BackupTimestamp"], row.Properties.Select(property => property.Name));
        Assert.Equal(6L, row.Properties["BackupId"].Value);
    }

    [Fact]
    public void One_line_says_since_when_a_row_is_gone()
    {
        var before = workspace.MakeBackup();
        Execute("DELETE FROM customer WHERE id = 7");
        var after = workspace.MakeBackup();
        var moments = workspace.Run("Get-SHBackup").WithoutErrors().As<BackupMetadata>().Select(backup => backup.Timestamp).ToList();
        var rows = workspace.Run("Get-SHBackup -Database app.db | Invoke-SHBackupQuery 'SELECT count(*) n FROM customer WHERE id = 7' -WithBackup")
            .WithoutErrors().Output;
        Assert.Equal(
            [(0L, after.Id, moments[0]), (1L, before.Id, moments[1])],
            rows.Select(row => (
                (long)row.Properties["n"].Value, (string)row.Properties["BackupId"].Value, (DateTimeOffset)row.Properties["BackupTimestamp"].Value)));
    }

    [Fact]
    public void Without_a_pipeline_the_newest_backups_are_asked_or_those_of_a_moment()
    {
        var first = workspace.AddBackup(TimeSpan.FromDays(2));
        var second = workspace.AddBackup(TimeSpan.FromDays(1));
        Assert.Equal([second], Asked(string.Empty));
        Assert.Equal([second, first], Asked("-Last 5 -Database ./app.db"));
        Assert.Equal([first], Asked($"-PointInTime '{DateTime.UtcNow.AddDays(-1.5):yyyy-MM-dd HH:mm}Z'"));
        Assert.Equal([first], Asked($"-Id {first}"));
        Assert.Equal([second, first], Asked("-Id backup_*"));
        Assert.Equal([first], Asked($"-LiteralPath ./backups/{Path.GetFileName(workspace.FileOf(first))}"));
        Assert.Equal("NoBackupAtMoment", ErrorOf("-PointInTime 2001-01-01"));
        Assert.Equal("BackupNotFound", ErrorOf("-Database other.db"));
        Assert.Equal("DirectoryNotFound", ErrorOf("-BackupDirectory ./nowhere"));
        Assert.Equal("InvalidArgument", ErrorOf("-PointInTime 2001-01-01 -Newest 2"));
        Assert.Equal("InvalidArgument", ErrorOf("-LiteralPath ./x -From ./offsite"));
        workspace.AddBackup(TimeSpan.FromHours(1), sidecar => sidecar["db_path"] = "/elsewhere/other.db");
        Assert.Equal("DatabaseAmbiguous", ErrorOf(string.Empty));

        string[] Asked(string parameters) => [.. Ask("SELECT 1", "-WithBackup " + parameters).Select(row => (string)row.Properties["BackupId"].Value)];

        string ErrorOf(string parameters) => IdOf(workspace.Run("Invoke-SHBackupQuery 'SELECT 1' " + parameters));
    }

    [Fact]
    public void A_query_for_a_moment_says_which_backup_it_asks_and_which_it_skips()
    {
        var good = workspace.AddBackup(TimeSpan.FromDays(2));
        var failed = workspace.AddBackup(TimeSpan.FromDays(1), sidecar => sidecar["verified"] = false);
        var result = workspace.Run("Invoke-SHBackupQuery 'SELECT 1' -PointInTime 2100-01-01").WithoutErrors();
        Assert.Contains(failed, Assert.Single(result.Warnings), StringComparison.Ordinal);
        Assert.Contains(good, Assert.Single(result.Information), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SELECT :a v", "@{ a = 7 }", "integer 7")]
    [InlineData("SELECT @a v", "@{ ':A' = 7 }", "integer 7")]
    [InlineData("SELECT $a v", "@{ '$a' = [uint64]7 }", "integer 7")]
    [InlineData("SELECT ? v", "@{ 1 = 'x' }", "text x")]
    [InlineData("SELECT ?3 v", "@{ 1 = 0; 2 = 0; 3 = $true }", "integer 1")]
    [InlineData("SELECT :a v", "@{ a = 1.25d }", "real 1.25")]
    [InlineData("SELECT :a v", "@{ a = ([byte[]](65, 66)) }", "blob AB")]
    [InlineData("SELECT :a v", "@{ a = $null }", "null ")]
    [InlineData("SELECT :a v", "@{ a = 'in a pipeline' | ForEach-Object { $_ } }", "text in a pipeline")]
    [InlineData("SELECT :a v", "([ordered]@{ a = '' })", "text ")]
    public void Parameters_are_values_and_never_text_of_the_query(string query, string values, string expected)
    {
        workspace.MakeBackup();
        Assert.Equal(
            expected, Ask($"SELECT typeof(v) || ' ' || coalesce(CAST(v AS TEXT), '') v FROM ({query})", "-Parameter " + values).Single().Properties["v"].Value);
    }

    [Theory]
    [InlineData("SELECT :a", "@{}", ":a")]
    [InlineData("SELECT $a", "@{}", "double quotes")]
    [InlineData("SELECT ?, ?", "@{ 1 = 1 }", "number 2")]
    [InlineData("SELECT 1", "@{ a = 1 }", "no parameter a")]
    [InlineData("SELECT :a", "@{ a = [datetime]::Now }", "DateTime")]
    [InlineData("SELECT :a", "@{ a = 1, 2 }", "Object[]")]
    [InlineData("SELECT :a", "@{ a = [uint64]::MaxValue }", "UInt64")]
    [InlineData("SELECT :a", "@{ a = 1; ':a' = 2 }", "twice")]
    [InlineData("/* nothing */", "@{}", "no statement")]
    public void What_is_wrong_with_the_parameters_is_one_error_however_many_backups_there_are(string query, string values, string said)
    {
        workspace.AddBackup(TimeSpan.FromDays(1));
        workspace.AddBackup(TimeSpan.FromDays(2));
        var result = workspace.Run("Get-SHBackup | Invoke-SHBackupQuery $args[0] -Parameter " + values, query);
        Assert.Equal("InvalidArgument", IdOf(result));
        Assert.Contains(said, result.Errors[0].Exception.Message, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Theory]
    [InlineData("SELCT 1", "QueryFailed", "near \"SELCT\": syntax error")]
    [InlineData("SELECT 'x", "QueryFailed", "unrecognized token")]
    [InlineData("SELECT", "QueryFailed", "incomplete input")]
    [InlineData("BEGIN", "QueryRefused", "more than read")]
    public void A_slip_of_the_pen_is_one_error_before_any_backup_is_read(string query, string errorId, string said)
    {
        File.Delete(workspace.FileOf(workspace.AddBackup(TimeSpan.FromDays(1))));
        workspace.AddBackup(TimeSpan.FromDays(2));
        foreach (var command in (string[])["Get-SHBackup | Invoke-SHBackupQuery", "Find-SHBackup"])
        {
            var result = workspace.Run(command + " $args[0]", query);
            Assert.Equal(errorId, IdOf(result));
            Assert.Contains(said, result.Errors[0].Exception.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("SELECT 1 FROM absent", "no such table: absent")]
    [InlineData("SELECT absent FROM customer", "no such column: absent")]
    [InlineData("SELECT absent()", "no such function: absent")]
    public void The_words_of_an_error_are_SQLite_s_own(string query, string said)
    {
        workspace.MakeBackup();
        var result = workspace.Run("Invoke-SHBackupQuery $args[0]", query);
        Assert.Equal("QueryFailed", IdOf(result));
        Assert.Contains($"has no answer: {said}. ", result.Errors[0].Exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INSERT INTO reading SELECT * FROM reading")]
    [InlineData("UPDATE customer SET name = 'x'")]
    [InlineData("DELETE FROM customer RETURNING id")]
    [InlineData("WITH x AS (SELECT 1) DELETE FROM customer")]
    [InlineData("CREATE TABLE x(y)")]
    [InlineData("CREATE TEMP TABLE x(y)")]
    [InlineData("CREATE VIEW temp.x AS SELECT 1")]
    [InlineData("DROP TABLE customer")]
    [InlineData("ALTER TABLE customer RENAME TO y")]
    [InlineData("ATTACH './written.db' AS y")]
    [InlineData("ATTACH ':memory:' AS y")]
    [InlineData("VACUUM INTO './written.db'")]
    [InlineData("VACUUM")]
    [InlineData("REINDEX")]
    [InlineData("ANALYZE")]
    [InlineData("SAVEPOINT x")]
    [InlineData("SELECT load_extension('./x')")]
    [InlineData("SELECT fts3_tokenizer('simple')")]
    [InlineData("PRAGMA journal_mode = WAL")]
    [InlineData("PRAGMA user_version = 7")]
    [InlineData("PRAGMA writable_schema = 1")]
    [InlineData("PRAGMA trusted_schema = 1")]
    [InlineData("PRAGMA temp_store_directory = '/'")]
    [InlineData("PRAGMA wal_checkpoint")]
    [InlineData("PRAGMA optimize")]
    [InlineData("PRAGMA hard_heap_limit = 1")]
    [InlineData("SELECT 1; SELECT 2")]
    [InlineData("SELECT 1; DELETE FROM customer")]
    public void Whatever_could_do_more_than_read_is_refused_and_nothing_is_written(string query)
    {
        workspace.MakeBackup();
        var before = Files();
        foreach (var command in (string[])["Invoke-SHBackupQuery $args[0]", "Find-SHBackup $args[0]"])
        {
            var result = workspace.Run(command, query);
            Assert.Equal("QueryRefused", IdOf(result));
            Assert.Empty(result.Output);
        }

        Assert.Equal(before, Files());
    }

    [Theory]
    [InlineData("PRAGMA table_info(customer)")]
    [InlineData("SELECT * FROM pragma_index_list('customer')")]
    [InlineData("PRAGMA integrity_check")]
    [InlineData("PRAGMA user_version")]
    [InlineData("EXPLAIN QUERY PLAN SELECT * FROM customer")]
    [InlineData("SELECT * FROM sqlite_schema")]
    [InlineData("VALUES (1), (2)")]
    [InlineData("SELECT 1; -- and no more")]
    public void What_only_reports_is_answered(string query)
    {
        workspace.MakeBackup();
        Assert.NotEmpty(Ask(query));
    }

    [Fact]
    public void A_hostile_schema_can_do_nothing()
    {
        Execute("""
            CREATE TABLE t(a, b AS (a * 2)); INSERT INTO t VALUES (1);
            CREATE VIEW loads AS SELECT load_extension('./x') a;
            CREATE VIEW calls AS SELECT unknown_function(a) a FROM t;
            CREATE VIEW reads AS SELECT * FROM absent;
            CREATE VIEW itself AS SELECT * FROM itself;
            CREATE TRIGGER loading AFTER INSERT ON t BEGIN SELECT load_extension('./y'); END;
            CREATE TRIGGER reading INSTEAD OF INSERT ON calls BEGIN DELETE FROM t; END;
            """);
        workspace.MakeBackup("-NoVerify");
        var before = Files();
        foreach (var view in (string[])["loads", "calls", "reads", "itself"])
        {
            var result = workspace.Run($"Invoke-SHBackupQuery 'SELECT * FROM {view}'");
            Assert.Equal("QueryFailed", IdOf(result));
            Assert.Empty(result.Output);
        }

        Assert.Equal("QueryRefused", IdOf(workspace.Run("Invoke-SHBackupQuery 'INSERT INTO t VALUES (2)'")));
        Assert.Equal("QueryFailed", IdOf(workspace.Run("Invoke-SHBackupQuery 'INSERT INTO calls VALUES (2)'")));
        Assert.Equal(2L, Ask("SELECT b FROM t").Single().Properties["b"].Value);
        Assert.Equal(before, Files());
    }

    [Fact]
    public void Full_text_and_trees_of_rectangles_are_read_too_though_they_prepare_to_write()
    {
        Execute("""
            CREATE VIRTUAL TABLE five USING fts5(x); INSERT INTO five VALUES ('hello world');
            CREATE VIRTUAL TABLE four USING fts4(x); INSERT INTO four VALUES ('hello world');
            CREATE VIRTUAL TABLE tree USING rtree(id, low, high); INSERT INTO tree VALUES (1, 2, 3);
            """);
        workspace.MakeBackup();
        Assert.Equal(3L, Ask(
            "SELECT (SELECT count(*) FROM five WHERE five MATCH 'hello') + (SELECT count(*) FROM four WHERE four MATCH 'world') + (SELECT count(*) FROM tree WHERE low > 1) n")
            .Single().Properties["n"].Value);
        Assert.Equal("QueryRefused", IdOf(workspace.Run("Invoke-SHBackupQuery \"INSERT INTO five(five) VALUES ('optimize')\"")));
        Assert.Equal("QueryRefused", IdOf(workspace.Run("Invoke-SHBackupQuery 'INSERT INTO tree VALUES (2, 3, 4)'")));
    }

    [Fact]
    public void A_query_without_end_is_stopped_by_its_time()
    {
        workspace.MakeBackup();
        var result = workspace.Run($"Invoke-SHBackupQuery '{Endless} WHERE i < 0' -Timeout 1");
        Assert.Equal("QueryLimitExceeded", IdOf(result));
        Assert.Contains("longer than 1 s", result.Errors[0].Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_query_without_end_is_stopped_by_Ctrl_C_and_leaves_nothing()
    {
        workspace.MakeBackup();
        var before = Files();
        Assert.Empty(await workspace.Session.StopAtAsync(
            $"Invoke-SHBackupQuery '{Endless} WHERE i < 0'", record => record.Activity.StartsWith("Querying", StringComparison.Ordinal)));
        Assert.Equal(before, Files());
    }

    [Fact]
    public async Task Rows_come_as_they_are_found_and_whoever_has_enough_ends_it()
    {
        workspace.MakeBackup();
        Assert.Equal(
            ["1", "2", "3", "done"],
            await HostRun.SucceedAsync(workspace.Folder, $"Invoke-SHBackupQuery '{Endless}' | Select-Object -First 3 | ForEach-Object i; 'done'"));
    }

    [Fact]
    public void A_value_takes_no_more_memory_than_it_may()
    {
        workspace.MakeBackup();
        Assert.Equal("QueryLimitExceeded", IdOf(workspace.Run("Invoke-SHBackupQuery 'SELECT zeroblob(5000000)' -MemoryLimit 16MB")));
        Assert.Equal(4000000L, Ask("SELECT length(zeroblob(4000000)) n", "-MemoryLimit 16MB").Single().Properties["n"].Value);
        Assert.Equal("ParameterArgumentValidationError", IdOf(workspace.Run("Invoke-SHBackupQuery 'SELECT 1' -MemoryLimit 1MB")));
    }

    [Fact]
    public async Task Many_runspaces_at_once_need_no_thread_but_their_own()
    {
        Execute("CREATE TABLE big(x)");
        Execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO big SELECT randomblob(3000) FROM n");
        workspace.MakeBackup();
        const string script = """
            $threads = [Environment]::ProcessorCount
            if (-not [Threading.ThreadPool]::SetMinThreads(1, 1) -or -not [Threading.ThreadPool]::SetMaxThreads($threads, $threads)) { throw 'threads' }
            $module = (Get-Module SignalHarvester.Backup).Path
            $id = (Get-SHBackup).Id
            1..(8 * $threads) | ForEach-Object -ThrottleLimit (4 * $threads) -Parallel {
                Import-Module $using:module
                (Invoke-SHBackupQuery 'SELECT sum(length(x)) l FROM big' -Id $using:id).l
            } | Sort-Object -Unique
            """;
        Assert.Equal(["9000000"], await HostRun.SucceedAsync(workspace.Folder, script));
    }

    [Fact]
    public async Task Large_rows_do_not_gather_before_a_slow_pipeline()
    {
        workspace.MakeBackup();
        var rows = Endless.Replace("SELECT i FROM", "SELECT zeroblob(10000000) FROM", StringComparison.Ordinal);
        var peak = await HostRun.SucceedAsync(
            workspace.Folder,
            $"Invoke-SHBackupQuery '{rows} LIMIT 90' | ForEach-Object {{ Start-Sleep -Milliseconds 20 }}; (Get-Process -Id $PID).PeakWorkingSet64 / 1MB");

        // Each is 10 MB: if all could wait, they would take 900.
        Assert.InRange(double.Parse(peak.Single(), System.Globalization.CultureInfo.InvariantCulture), 50, 600);
    }

    [Fact]
    public void An_encrypted_backup_answers_to_its_key_alone()
    {
        workspace.Run("New-SHBackup ./app.db -Recipient (New-SHBackupKey ./right.key) | Out-Null; New-SHBackupKey ./wrong.key | Out-Null").WithoutErrors();
        Assert.Equal("IdentityMissing", IdOf(workspace.Run("Invoke-SHBackupQuery 'SELECT 1'")));
        Assert.Equal("IdentityWrong", IdOf(workspace.Run("Invoke-SHBackupQuery 'SELECT 1' -IdentityFile ./wrong.key")));
        Assert.Equal(20L, Ask("SELECT count(*) n FROM customer", "-IdentityFile ./right.key").Single().Properties["n"].Value);
    }

    [Theory]
    [InlineData("Zstd")]
    [InlineData("Gzip")]
    [InlineData("None")]
    public void Every_compression_is_read_as_it_lies_in_the_backup_directory(string compression)
    {
        workspace.MakeBackup("-Compression " + compression);
        var result = workspace.Run("Invoke-SHBackupQuery 'SELECT count(*) n FROM customer'").WithoutErrors();
        Assert.Equal(20L, result.Output.Single().Properties["n"].Value);
        Assert.Empty(result.Warnings);
    }

    [Theory]
    [InlineData("full")]
    [InlineData("full gzip")]
    [InlineData("full zstd")]
    public void A_file_of_the_predecessor_is_unpacked_first_which_is_said_and_leaves_nothing(string form)
    {
        new PredecessorBackups(workspace.Backups).Add(workspace.Database, PredecessorBackups.Forms[form]);
        var before = Files();
        var result = workspace.Run("Invoke-SHBackupQuery 'SELECT count(*) n FROM customer'").WithoutErrors();
        Assert.Equal(20L, result.Output.Single().Properties["n"].Value);
        Assert.Contains("unpacked to a temporary file", Assert.Single(result.Warnings), StringComparison.Ordinal);
        Assert.Equal(before, Files());
    }

    [Fact]
    public void A_raw_log_of_the_predecessor_says_what_to_ask_instead()
    {
        var crashed = Databases.CreateWithLeftWal(workspace["crashed.db"], new DatabaseShape { Rows = 20 });
        var log = new PredecessorBackups(workspace.Backups).Add(crashed, PredecessorBackups.Forms["raw WAL"]);
        Assert.Equal("BackupTypeUnsupported", IdOf(workspace.Run($"Invoke-SHBackupQuery 'SELECT 1' -Id {log.Id}")));
    }

    [Fact]
    public void Increments_are_read_over_their_full_backup_also_once_they_are_folded()
    {
        workspace.Change();
        var full = workspace.MakeBackup();
        Execute("DELETE FROM customer WHERE id = 7");
        var increment = workspace.MakeBackup("-Type Incremental");
        Execute("DELETE FROM customer WHERE id = 8");
        var last = workspace.MakeBackup("-Type Incremental");
        Assert.Equal([18L, 19L, 20L], Counts());
        workspace.Run($"Remove-SHBackup {increment.Id} -Force").WithoutErrors();
        Assert.Equal([18L, 20L], Counts());
        workspace.Run($"Remove-SHBackup {full.Id} -Force").WithoutErrors();
        Assert.Equal([18L], Counts());
        Assert.Equal([last.Id], workspace.Listed());

        object[] Counts() =>
        [
            .. workspace.Run("Get-SHBackup | Invoke-SHBackupQuery 'SELECT count(*) n FROM customer'").WithoutErrors().Output
                .Select(row => row.Properties["n"].Value),
        ];
    }

    [Theory]
    [InlineData("Invoke-SHBackupQuery 'SELECT count(*) n FROM customer' -From ./offsite")]
    [InlineData("Get-SHBackup -From ./offsite -Newest 1 | Invoke-SHBackupQuery 'SELECT count(*) n FROM customer'")]
    [InlineData("Invoke-SHBackupQuery 'SELECT count(*) n FROM customer' -Remote -Provider Directory -Container ./offsite -PointInTime 2100-01-01")]
    [InlineData("Find-SHBackup 'SELECT 1' -From ./offsite | Invoke-SHBackupQuery 'SELECT count(*) n FROM customer'")]
    public void Copies_are_asked_where_they_are(string script)
    {
        workspace.Change();
        workspace.MakeBackup();
        Execute("DELETE FROM customer WHERE id = 7");
        workspace.MakeBackup("-Type Incremental");
        workspace.Run("Get-SHBackup | Send-SHBackup -Provider Directory -Container ./offsite -CreateContainer | Out-Null").WithoutErrors();
        Directory.Delete(workspace.Backups, recursive: true);
        var result = workspace.Run(script).WithoutErrors();
        Assert.Equal(19L, result.Output.Single().Properties["n"].Value);
        Assert.Empty(result.Warnings);
        Assert.False(Directory.Exists(workspace.Backups) && workspace.BackupFiles.Count > 0);
    }

    [Theory]
    [InlineData("flipped", "BackupCorrupt")]
    [InlineData("cut", "BackupSizeMismatch")]
    [InlineData("gone", "BackupFileMissing")]
    [InlineData("zeros", "BackupCorrupt")]
    public void A_damaged_file_is_an_error_that_says_so_and_the_next_backup_answers(string fault, string errorId)
    {
        var damaged = workspace.AddBackup(TimeSpan.FromDays(1));
        var good = workspace.AddBackup(TimeSpan.FromDays(2));
        var file = workspace.FileOf(damaged);
        switch (fault)
        {
            case "flipped":
                Workspace.FlipByte(file);
                break;
            case "cut":
                File.WriteAllBytes(file, File.ReadAllBytes(file)[..1000]);
                break;
            case "zeros":
                File.WriteAllBytes(file, new byte[new FileInfo(file).Length]);
                break;
            default:
                File.Delete(file);
                break;
        }

        var result = workspace.Run("Get-SHBackup | Invoke-SHBackupQuery 'SELECT count(*) n FROM customer' -WithBackup");
        var error = Assert.Single(result.Errors);
        Assert.Equal((errorId, damaged), (IdOf(result), error.TargetObject));
        Assert.Equal(good, Assert.Single(result.Output).Properties["BackupId"].Value);
    }

    [Fact]
    public void A_pipeline_without_a_backup_asks_nothing_and_says_so()
    {
        workspace.MakeBackup();
        var result = workspace.Run("Get-SHBackup -Before 2001-01-01 | Invoke-SHBackupQuery 'SELECT 1'").WithoutErrors();
        Assert.Empty(result.Output);
        Assert.Contains("nothing was asked", Assert.Single(result.Warnings), StringComparison.Ordinal);
    }

    public void Dispose() => workspace.Dispose();

    private static string IdOf(SessionResult result) => Assert.Single(result.Errors).FullyQualifiedErrorId.Split(',')[0];

    private IReadOnlyList<PSObject> Ask(string query, string parameters = "") =>
        workspace.Run("Invoke-SHBackupQuery $args[0] " + parameters, query).WithoutErrors().Output;

    /// <summary>Every file of the workspace with its length, apart from the module's own records in .shbackup.</summary>
    private string[] Files() =>
    [
        .. Directory.EnumerateFiles(workspace.Folder, "*", SearchOption.AllDirectories)
            .Where(path => !path.Contains("history.db", StringComparison.Ordinal))
            .Select(path => $"{path} {new FileInfo(path).Length}").Order(StringComparer.Ordinal),
    ];

    private void Execute(string sql)
    {
        using var connection = Databases.Open(workspace.Database);
        Databases.Execute(connection, sql);
    }
}
