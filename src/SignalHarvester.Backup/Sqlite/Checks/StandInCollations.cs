using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// Lets SQL run over a database whose application has its own collations. SQLite refuses to touch a table or index with an
/// unknown collation, so each one gets a stand-in that compares bytes. Then rows can be counted and pages can be checked; the
/// order of such an index cannot.
/// </summary>
internal static unsafe partial class StandInCollations
{
    private const int Utf8 = 1;

    // SQLite compares on the thread that the statement runs on.
    [ThreadStatic]
    private static long comparisons;

    /// <summary>
    /// How often stand-ins have compared for this thread so far. If the number grows, an answer depends on an order that is not the
    /// application's, and is worthless.
    /// </summary>
    public static long Comparisons => comparisons;

    /// <summary>Provides stand-ins on a connection.</summary>
    public static void Provide(SqliteConnection connection) =>
        _ = CollationNeeded(connection.Handle!.DangerousGetHandle(), 0, &Register);

    /// <summary>Returns the collations that have needed a stand-in so far.</summary>
    public static List<string> Needed(SqliteConnection connection) =>
        [.. SqlStatement.List(connection, "PRAGMA collation_list", row => row.Name(1)).Where(name => !SqliteCollations.Has(name)).Select(name => name.Text)];

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Register(nint state, nint database, int encoding, byte* name) =>
        _ = CreateCollation(database, name, Utf8, 0, &Compare);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Compare(nint state, int leftLength, byte* left, int rightLength, byte* right)
    {
        comparisons++;
        return new ReadOnlySpan<byte>(left, leftLength).SequenceCompareTo(new ReadOnlySpan<byte>(right, rightLength));
    }

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_collation_needed")]
    private static partial int CollationNeeded(nint database, nint state, delegate* unmanaged[Cdecl]<nint, nint, int, byte*, void> callback);

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_create_collation")]
    private static partial int CreateCollation(
        nint database, byte* name, int encoding, nint state, delegate* unmanaged[Cdecl]<nint, int, byte*, int, byte*, int> compare);
}
