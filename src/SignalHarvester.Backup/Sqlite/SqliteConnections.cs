using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// Opens connections for each use. Their statements end with SQLITE_INTERRUPT when the token is cancelled. Pooling is off
/// everywhere, because a pooled handle would outlive its use.
/// </summary>
internal static class SqliteConnections
{
    /// <summary>The number of SQLite's instructions after which a running statement calls back.</summary>
    public const int InstructionsALook = 20_000;

    /// <summary>Opens a database that is in use elsewhere, without creating it.</summary>
    /// <exception cref="BackupException">DatabaseOpenInProcess.</exception>
    public static SqliteConnection OpenLive(string path, CancellationToken cancellation) => OpenShared(path, path, standIns: true, cancellation);

    /// <summary>Opens a database that is in use elsewhere, without creating it, and without the stand-ins that reading some schemas takes.</summary>
    /// <exception cref="BackupException">DatabaseOpenInProcess.</exception>
    public static SqliteConnection OpenToHold(string path) => OpenShared(path, path, standIns: false, CancellationToken.None);

    /// <summary>Provides the stand-ins without which SQLite cannot read the schemas of some applications.</summary>
    public static void ProvideStandIns(SqliteConnection connection)
    {
        StandInCollations.Provide(connection);
        StandInFunctions.ProvideLanguages(connection);
    }

    /// <summary>
    /// Opens a database to write rows to it, as an application does.
    /// </summary>
    /// <param name="path">The database.</param>
    /// <param name="lockTimeout">How long to wait for others' locks.</param>
    /// <param name="standIns">
    /// Whether unknown collations get stand-ins. Those would put rows into the application's indexes in another order than
    /// the application expects.
    /// </param>
    /// <param name="cancellation">Stops every statement.</param>
    /// <exception cref="BackupException">DatabaseOpenInProcess.</exception>
    public static SqliteConnection OpenForApplication(string path, TimeSpan lockTimeout, bool standIns, CancellationToken cancellation)
    {
        // By a URI, so that an image can be attached by one.
        var connection = OpenShared(path, ToUri(path), standIns, cancellation);

        // To the provider, 0 seconds mean without end.
        connection.DefaultTimeout = Math.Max(1, (int)lockTimeout.TotalSeconds);
        _ = SQLitePCL.raw.sqlite3_busy_timeout(connection.Handle, (int)lockTimeout.TotalMilliseconds);
        return connection;
    }

    /// <summary>Opens a database of our own, without creating it. A link in its place is not followed.</summary>
    /// <exception cref="BackupException">DatabaseOpenInProcess.</exception>
    public static SqliteConnection OpenOwn(string path) => OpenShared(path, path, standIns: true, CancellationToken.None);

    /// <summary>Creates a new database file of our own.</summary>
    public static SqliteConnection Create(string path)
    {
        LiteralPathVfs.Note(path);
        return Open(path, SqliteOpenMode.ReadWriteCreate, CancellationToken.None);
    }

    /// <summary>
    /// Opens a file that nobody changes, without locks and without making -wal or -shm files beside it
    /// (https://sqlite.org/uri.html#uriimmutable).
    /// </summary>
    public static SqliteConnection OpenImmutable(string path, CancellationToken cancellation) =>
        OpenUri(ImmutableUri(path), cancellation);

    /// <summary>Opens what an immutable URI names: a file that nobody changes, or an image (<see cref="Images.MountedImage"/>).</summary>
    public static SqliteConnection OpenUri(string uri, CancellationToken cancellation) => Open(uri, SqliteOpenMode.ReadOnly, cancellation);

    /// <summary>Returns the URI that opens or attaches such a file.</summary>
    public static string ImmutableUri(string path) => ToUri(path) + "?immutable=1" + (LiteralPathVfs.For(path) is { } vfs ? "&vfs=" + vfs : string.Empty);

    /// <summary>Lets a token stop every statement of a connection from now on, in place of whatever was called back before.</summary>
    public static void StopOn(SqliteConnection connection, CancellationToken cancellation)
    {
        // The handler runs inside every statement, also in one that begins after the cancellation, where an interrupt would be lost.
        SQLitePCL.raw.sqlite3_progress_handler(
            connection.Handle,
            cancellation.CanBeCanceled ? InstructionsALook : 0,
            cancellation.CanBeCanceled ? _ => cancellation.IsCancellationRequested ? 1 : 0 : null,
            null);
    }

    /// <summary>Runs statements that return nothing of interest.</summary>
    public static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>Runs a statement and returns its first value as a number.</summary>
    public static long ScalarInt64(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    /// <summary>Runs a statement and returns the first value of each row as text.</summary>
    public static List<string> Strings(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var values = new List<string>();
        while (reader.Read())
        {
            values.Add(reader.GetString(0));
        }

        return values;
    }

    /// <summary>Opens a file whose links were already followed when it was checked. If a link appears there since, it leads to another file.</summary>
    private static SqliteConnection OpenShared(string path, string dataSource, bool standIns, CancellationToken cancellation)
    {
        SqliteLibrary.EnsureLoaded();
        SqliteDescriptors.RefuseOthers(path);
        LiteralPathVfs.Note(path);
        return Open(dataSource, SqliteOpenMode.ReadWrite, cancellation, standIns, LiteralPathVfs.ForOwn);
    }

    private static SqliteConnection Open(string dataSource, SqliteOpenMode mode, CancellationToken cancellation, bool standIns = true, string? vfs = null)
    {
        SqliteLibrary.EnsureLoaded();
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = dataSource,
            Mode = mode,
            Pooling = false,
            DefaultTimeout = 1,
            Vfs = vfs ?? LiteralPathVfs.For(dataSource),
        }.ToString());
        try
        {
            connection.Open();
            if (standIns)
            {
                ProvideStandIns(connection);
            }

            StopOn(connection, cancellation);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static string ToUri(string path)
    {
        var slashed = OperatingSystem.IsWindows() ? path.Replace('\\', '/') : path;
        var escaped = string.Join('/', slashed.Split('/').Select(Uri.EscapeDataString));
        return escaped.StartsWith('/') ? "file://" + escaped : "file:///" + escaped;
    }
}
